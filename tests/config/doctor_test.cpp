// The doctor: what it says of machines good and bad, and that it measures this one without leaving
// traces.
#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <catch2/catch_test_macros.hpp>
#include <cerrno>
#include <functional>

#include "config/doctor.hpp"
#include "temporary_file.hpp"

using namespace baraza::config;
using grade = finding::grade;

namespace {

machine_facts good_machine() {
  machine_facts m;
  m.descriptors_soft = m.descriptors_hard = 1 << 20;
  m.memory_available_bytes = 8ull << 30;
  m.listen_backlog_max = 4096;
  m.now_s = 1800000000;
  m.disk.folder = "/srv/baraza";
  m.disk.free_bytes = 100ull << 30;
  m.disk.syncs = 50;
  m.disk.sync_p50_us = 800;
  m.disk.sync_p99_us = 2100;
  m.ports = {{"http.listen", "127.0.0.1:7777", 0}, {"admin.listen", "127.0.0.1:7778", 0}};
  m.store = store_answer{"", false, 1, 1, 1};
  return m;
}

/// A socket that listens on a free loopback port.
struct listener {
  int socket = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  int port = 0;
  listener() {
    sockaddr_in at{};
    at.sin_family = AF_INET;
    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof at;
    REQUIRE(::bind(socket, reinterpret_cast<const sockaddr*>(&at), sizeof at) == 0);
    REQUIRE(::listen(socket, 1) == 0);
    REQUIRE(::getsockname(socket, reinterpret_cast<sockaddr*>(&at), &size) == 0);
    port = ntohs(at.sin_port);
  }
  ~listener() { ::close(socket); }
  listener(const listener&) = delete;
  listener& operator=(const listener&) = delete;
};

}  // namespace

TEST_CASE("a good machine gets nothing but OK") {
  const auto findings = judge(good_machine(), settings{});
  for (const auto& f : findings) {
    CAPTURE(f.check, f.what);
    CHECK(f.how == grade::ok);
    CHECK(f.remedy.empty());
  }
  CHECK(findings.size() >= 8);
  CHECK(report_exit(findings) == 0);
  CHECK(report_text(findings).find("OK   fsync: p50 0.80 ms, p99 2.10 ms over 50 syncs\n") !=
        std::string::npos);
}

TEST_CASE("each fault is found, graded and given a remedy") {
  struct row {
    const char* check;
    grade how;
    std::function<void(machine_facts&, settings&)> spoil;
  };
  const row rows[] = {
      {"data", grade::fail, [](auto& m, auto&) { m.disk.error = "Read-only file system"; }},
      {"space", grade::fail, [](auto& m, auto&) { m.disk.free_bytes = 50 << 20; }},
      {"space", grade::warn, [](auto& m, auto&) { m.disk.free_bytes = 500 << 20; }},
      {"fsync", grade::warn, [](auto& m, auto&) { m.disk.sync_p99_us = 80000; }},
      {"fsync", grade::warn, [](auto& m, auto&) { m.disk.filesystem = "tmpfs"; }},
      {"fsync", grade::fail, [](auto& m, auto&) { m.disk.filesystem = "nfs"; }},
      {"store", grade::fail, [](auto& m, auto&) { m.store->error = "connection refused"; }},
      {"store", grade::fail, [](auto& m, auto&) { m.store->newest = 2; }},
      {"store", grade::fail, [](auto& m, auto&) { m.store->schema = m.store->oldest_level = 2; }},
      {"store", grade::warn, [](auto&, auto& s) { s.storage.allow_loss = true; }},
      {"port", grade::fail, [](auto& m, auto&) { m.ports[0].error = EADDRINUSE; }},
      {"port", grade::fail, [](auto& m, auto&) { m.ports[1].error = EACCES; }},
      {"port", grade::fail, [](auto& m, auto&) { m.ports[1].error = EADDRNOTAVAIL; }},
      {"tls", grade::warn, [](auto&, auto& s) { s.http.listen = "0.0.0.0:7777"; }},
      {"file", grade::fail,
       [](auto& m, auto&) {
         m.files = {{"k", "/p", "Permission denied", true, false}};
       }},
      {"file", grade::warn,
       [](auto& m, auto&) {
         m.files = {{"k", "/p", "", true, true}};
       }},
      {"descriptors", grade::warn, [](auto& m, auto&) { m.descriptors_soft = 1024; }},
      {"descriptors", grade::fail,
       [](auto& m, auto&) { m.descriptors_soft = m.descriptors_hard = 256; }},
      {"memory", grade::warn, [](auto& m, auto&) { m.memory_available_bytes = 100 << 20; }},
      {"backlog", grade::warn, [](auto& m, auto&) { m.listen_backlog_max = 128; }},
      {"clock", grade::fail, [](auto& m, auto&) { m.now_s = 0; }},
      {"clock", grade::warn, [](auto& m, auto&) { m.clock_synchronised = false; }},
  };
  for (const auto& r : rows) {
    auto m = good_machine();
    settings s;
    r.spoil(m, s);
    const auto findings = judge(m, s);
    int bad = 0;
    for (const auto& f : findings) {
      if (f.how == grade::ok) continue;
      ++bad;
      CAPTURE(f.what);
      CHECK(f.check == r.check);
      CHECK(f.how == r.how);
      CHECK_FALSE(f.remedy.empty());
    }
    CAPTURE(r.check);
    CHECK(bad == 1);
    CHECK(report_exit(findings) == (r.how == grade::fail ? 1 : 0));
  }
}

TEST_CASE("the password of the store is not in the report") {
  auto m = good_machine();
  settings s;
  s.storage.url = "postgresql://u:hunter2@h/db";
  m.store->error = "no answer";
  const auto findings = judge(m, s);
  CHECK(report_text(findings).find("hunter2") == std::string::npos);
  CHECK(report_json(findings).find("hunter2") == std::string::npos);
  CHECK(
      report_json(findings).starts_with(R"({"ok":false,"findings":[{"check":"data","grade":"ok")"));
}

TEST_CASE("this machine is measured: disk, ports, files, store") {
  const temporary_folder folder;
  const listener taken;
  settings s;
  s.node.data_dir = (folder.path / "not" / "yet").string();
  s.http.listen = "127.0.0.1:" + std::to_string(taken.port);
  s.admin.listen = "127.0.0.1:0";
  s.http.tls_key_file = folder.write("key.pem", "k");
  REQUIRE(chmod(s.http.tls_key_file.c_str(), 0644) == 0);
  s.http.tls_certificate_file = (folder.path / "missing.pem").string();
  s.storage.url = "sqlite:/somewhere";
  std::string asked;
  const auto m = measure(s, [&](const std::string& url) {
    asked = url;
    return store_answer{.error = "nobody there"};
  });
  CHECK(asked == "sqlite:/somewhere");
  REQUIRE(m.store);
  CHECK(m.store->error == "nobody there");
  CHECK(m.disk.folder == folder.path.string());
  CHECK_FALSE(m.disk.is_data_dir);
  CHECK(m.disk.error.empty());
  CHECK(m.disk.free_bytes > 0);
  CHECK(m.disk.syncs > 0);
  CHECK(m.disk.sync_p50_us <= m.disk.sync_p99_us);
  REQUIRE(m.ports.size() == 2);
  CHECK(m.ports[0].error == EADDRINUSE);
  CHECK(m.ports[1].error == 0);
  REQUIRE(m.files.size() == 2);
  CHECK_FALSE(m.files[0].error.empty());
  CHECK(m.files[1].others_read);
  CHECK(m.descriptors_soft > 0);
  CHECK(m.memory_available_bytes.value_or(0) > 0);
  CHECK(m.now_s > 1704067200);
  int left = 0;
  for ([[maybe_unused]] const auto& entry : std::filesystem::directory_iterator{folder.path})
    ++left;
  CHECK(left == 1);  // the key we wrote
}

TEST_CASE("a data folder below a file, or on a read-only system, is found out") {
  settings s;
  s.node.data_dir = "/dev/null/data";
  CHECK(measure(s, nullptr).disk.error.find("not a folder") != std::string::npos);
  s.node.data_dir = "/proc/data";  // nobody can write there, not even root
  const auto m = measure(s, nullptr);
  CHECK_FALSE(m.disk.error.empty());
  CHECK_FALSE(m.store.has_value());
  CHECK(judge(m, s).front().how == grade::fail);
}
