#include "cluster/certs/certs.hpp"

#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <sys/stat.h>

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <catch2/catch_test_macros.hpp>
#include <fstream>
#include <iterator>
#include <memory>

#include "cluster/certs/command.hpp"
#include "tests/storage/temporary_folder.hpp"

namespace {

namespace fs = std::filesystem;
using namespace baraza::cluster::certs;
using baraza::tests::temporary_folder;

std::string content(const fs::path& path) {
  std::ifstream file{path};
  return {std::istreambuf_iterator<char>{file}, {}};
}

using certificates = std::vector<std::shared_ptr<X509>>;
certificates read(const fs::path& path) {
  const auto text = content(path);
  const std::shared_ptr<BIO> in{BIO_new_mem_buf(text.data(), static_cast<int>(text.size())),
                                BIO_free_all};
  certificates out;
  while (auto* one = PEM_read_bio_X509(in.get(), nullptr, nullptr, nullptr))
    out.emplace_back(one, X509_free);
  return out;
}

/// Whether `node` is trusted by `authorities`, as a TLS server and as a client.
bool is_trusted(const fs::path& node, const fs::path& authorities) {
  const std::shared_ptr<X509_STORE> store{X509_STORE_new(), X509_STORE_free};
  for (const auto& one : read(authorities)) X509_STORE_add_cert(store.get(), one.get());
  for (const int purpose : {X509_PURPOSE_SSL_SERVER, X509_PURPOSE_SSL_CLIENT}) {
    const std::shared_ptr<X509_STORE_CTX> check{X509_STORE_CTX_new(), X509_STORE_CTX_free};
    const auto shown = read(node);
    if (shown.size() != 1) return false;
    X509_STORE_CTX_init(check.get(), store.get(), shown[0].get(), nullptr);
    X509_STORE_CTX_set_purpose(check.get(), purpose);
    if (X509_verify_cert(check.get()) != 1) return false;
  }
  return true;
}

void require_private(const fs::path& path) {
  struct stat state {};
  CAPTURE(path);
  REQUIRE(::stat(path.c_str(), &state) == 0);
  REQUIRE((state.st_mode & 0777) == 0600);
}

}  // namespace

TEST_CASE("a node's certificate is for its name and addresses, and trusted both ways") {
  temporary_folder folder;
  const auto ca = folder.path() / "ca", out = folder.path() / "out";
  REQUIRE(init(ca, "nairobi").empty());
  REQUIRE(issue(ca, {"node-1", {"10.0.0.11", "::1", "node-1.example.org"}, out}).empty());
  CHECK(is_trusted(out / "node-1.pem", out / "ca.pem"));
  const auto kept = read(out / "node-1.pem");
  auto* shown = kept.at(0).get();
  const auto is_host = [&](const char* name) {
    return X509_check_host(shown, name, 0, X509_CHECK_FLAG_NEVER_CHECK_SUBJECT, nullptr) == 1;
  };
  CHECK(is_host("node-1"));
  CHECK(is_host("node-1.example.org"));
  CHECK_FALSE(is_host("node-2"));
  CHECK(X509_check_ip_asc(shown, "10.0.0.11", 0) == 1);
  CHECK(X509_check_ip_asc(shown, "::1", 0) == 1);
  CHECK(X509_check_ip_asc(shown, "10.0.0.12", 0) == 0);
  CHECK(X509_check_ca(shown) == 0);
  for (const auto& file :
       {ca / "ca.pem", ca / "ca.key", out / "ca.pem", out / "node-1.pem", out / "node-1.key"})
    require_private(file);
  // Nothing half-written is left behind.
  CHECK(std::distance(fs::directory_iterator{out}, fs::directory_iterator{}) == 3);
}

TEST_CASE("an authority is never overwritten") {
  temporary_folder folder;
  REQUIRE(init(folder.path(), "nairobi").empty());
  const auto before = content(folder.path() / "ca.key");
  CHECK(init(folder.path(), "nairobi").find("exists") != std::string::npos);
  CHECK(content(folder.path() / "ca.key") == before);
}

TEST_CASE("rotation trusts both authorities until it is finished") {
  temporary_folder folder;
  const auto ca = folder.path() / "ca", out = folder.path() / "out";
  REQUIRE(init(ca, "nairobi").empty());
  REQUIRE(issue(ca, {"old", {}, out}).empty());
  REQUIRE(rotate(ca).empty());
  REQUIRE(read(ca / "ca.pem").size() == 2);
  REQUIRE(issue(ca, {"new", {}, out}).empty());
  CHECK(is_trusted(out / "old.pem", ca / "ca.pem"));
  CHECK(is_trusted(out / "new.pem", ca / "ca.pem"));
  REQUIRE(finish(ca).empty());
  CHECK_FALSE(is_trusted(out / "old.pem", ca / "ca.pem"));
  CHECK(is_trusted(out / "new.pem", ca / "ca.pem"));
  CHECK(finish(ca).empty());
  CHECK(read(ca / "ca.pem").size() == 1);
}

TEST_CASE("a rotation that died after its first file goes on working") {
  temporary_folder folder;
  const auto ca = folder.path() / "ca", out = folder.path() / "out";
  REQUIRE(init(ca, "nairobi").empty());
  const auto key = content(ca / "ca.key");
  REQUIRE(rotate(ca).empty());
  std::ofstream{ca / "ca.key", std::ios::trunc} << key;  // ca.pem is new, ca.key was not written
  REQUIRE(issue(ca, {"node-1", {}, out}).empty());
  CHECK(is_trusted(out / "node-1.pem", ca / "ca.pem"));
}

TEST_CASE("another cluster's authority does not trust our nodes") {
  temporary_folder folder;
  const auto ours = folder.path() / "ours", theirs = folder.path() / "theirs";
  REQUIRE(init(ours, "nairobi").empty());
  REQUIRE(init(theirs, "nairobi").empty());
  REQUIRE(issue(ours, {"node-1", {}, ours}).empty());
  CHECK_FALSE(is_trusted(ours / "node-1.pem", theirs / "ca.pem"));
}

TEST_CASE("names and addresses that mean something else are refused") {
  temporary_folder folder;
  REQUIRE(init(folder.path(), "nairobi").empty());
  CHECK_FALSE(init(folder.path() / "b", "two words").empty());
  for (const std::string name : {"", "Node", "a.b", "a,DNS:b", "-a", "*", "ca", "../a"}) {
    CAPTURE(name);
    CHECK_FALSE(issue(folder.path(), {name, {}, folder.path()}).empty());
  }
  for (const std::string address : {"", "*.example.org", "a,IP:1.2.3.4", "a..b", "1.2.3.4/8"}) {
    CAPTURE(address);
    CHECK_FALSE(issue(folder.path(), {"node-1", {address}, folder.path()}).empty());
  }
  CHECK_FALSE(issue(folder.path(), {"node-1", {}, folder.path(), 0}).empty());
  CHECK_FALSE(issue(folder.path() / "none", {"node-1", {}, folder.path()}).empty());
  CHECK_FALSE(fs::exists(folder.path() / "node-1.pem"));
}

TEST_CASE("the commands make an authority, a node and a rotation") {
  temporary_folder folder;
  const auto ca = (folder.path() / "ca").string();
  const auto run = [](std::vector<std::string> words) {
    CLI::App app;
    int exit_code = -1;
    add_commands(app, exit_code);
    std::reverse(words.begin(), words.end());
    app.parse(words);
    return exit_code;
  };
  CHECK(run({"certs", "init", "--dir", ca, "--cluster", "nairobi"}) == 0);
  CHECK(run({"certs", "init", "--dir", ca}) == 1);
  CHECK(run({"certs", "issue", "--dir", ca, "--name", "node-1", "--address", "127.0.0.1"}) == 0);
  CHECK(run({"certs", "rotate", "--dir", ca}) == 0);
  CHECK(is_trusted(folder.path() / "ca" / "node-1.pem", folder.path() / "ca" / "ca.pem"));
  CHECK(run({"certs", "rotate", "--dir", ca, "--finish"}) == 0);
  CHECK_FALSE(is_trusted(folder.path() / "ca" / "node-1.pem", folder.path() / "ca" / "ca.pem"));
}
