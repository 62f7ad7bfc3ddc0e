// The log: one line an event whatever is logged, nothing secret in it, never more waiting than
// allowed.
#include <sys/stat.h>

#include <fcntl.h>
#include <unistd.h>
#include <catch2/catch_test_macros.hpp>
#include <chrono>
#include <fstream>
#include <sstream>
#include <thread>
#include <vector>

#include "config/log.hpp"
#include "storage/ids.hpp"
#include "temporary_file.hpp"

using namespace baraza;

namespace {

constexpr std::int64_t at = 1700000000123;  // 2023-11-14T22:13:20.123Z

std::string json(std::string_view what, std::initializer_list<log::field> fields) {
  return log::format(true, at, log::level::info, what, {}, fields);
}
std::string text(std::string_view what, std::initializer_list<log::field> fields) {
  return log::format(false, at, log::level::info, what, {}, fields);
}
std::vector<std::string> lines_of(const std::string& path) {
  std::ifstream file{path};
  std::vector<std::string> lines;
  for (std::string line; std::getline(file, line);) lines.push_back(line);
  return lines;
}

}  // namespace

TEST_CASE("a JSON line is one object with time, level, message, correlation and fields") {
  const auto id = *uuid::parse("01234567-89ab-7def-8123-456789abcdef");
  const entity_id wallet{entity_kind::wallet, id};
  CHECK(
      log::format(true, at, log::level::warn, "wallet.buy_in", "c-1",
                  {{"match", id},
                   {"wallet", wallet},
                   {"amount", -5},
                   {"big", ~0ull},
                   {"ok", true},
                   {"share", 0.5}}) ==
      R"({"ts":"2023-11-14T22:13:20.123Z","level":"warn","msg":"wallet.buy_in","correlation":"c-1",)"
      R"("match":"01234567-89ab-7def-8123-456789abcdef","wallet":"wallet/01234567-89ab-7def-8123-456789abcdef",)"
      R"("amount":-5,"big":18446744073709551615,"ok":true,"share":0.5})");
  CHECK(json("start", {{"rate", 0.0 / 0.0}}) ==
        R"({"ts":"2023-11-14T22:13:20.123Z","level":"info","msg":"start","rate":"nan"})");
}

TEST_CASE("a text line is for people") {
  CHECK(log::format(false, at, log::level::info, "wallet.buy_in", "c-1",
                    {{"amount", 5}, {"why", "two words"}, {"none", ""}}) ==
        "2023-11-14T22:13:20.123Z info wallet.buy_in correlation=c-1 amount=5 why=\"two words\" "
        "none=\"\"");
}

TEST_CASE("what a client sends cannot forge a line or a field") {
  struct row {
    std::string_view raw, escaped;
  };
  const row rows[] = {
      {"a\nb", "\"a\\u000ab\""},
      {"a\r\nINFO forged", "\"a\\u000d\\u000aINFO forged\""},
      {"\",\"level\":\"error", "\"\\\",\\\"level\\\":\\\"error\""},
      {"back\\slash", "\"back\\\\slash\""},
      {"\x1b[31mred", "\"\\u001b[31mred\""},
      {std::string_view{"nul\0l", 5}, "\"nul\\u0000l\""},
      {"del\x7f", "\"del\\u007f\""},
      {"c1 \xc2\x9b", "\"c1 \\u009b\""},
      {"line separator \xe2\x80\xa8", "\"line separator \\u2028\""},
      {"right to left \xe2\x80\xae", "\"right to left \\u202e\""},
      {"isolate \xe2\x81\xa6", "\"isolate \\u2066\""},
      {"jambo \xc3\xa9 \xe2\x99\xa0 \xf0\x9f\x82\xa1",
       "\"jambo \xc3\xa9 \xe2\x99\xa0 \xf0\x9f\x82\xa1\""},
      {"bad \xff", "\"bad \\ufffd\""},
      {"overlong \xc0\xaf", "\"overlong \\ufffd\\ufffd\""},
      {"surrogate \xed\xa0\x80", "\"surrogate \\ufffd\\ufffd\\ufffd\""},
      {"cut \xe2\x99", "\"cut \\ufffd\\ufffd\""},
      {"beyond \xf4\x90\x80\x80", "\"beyond \\ufffd\\ufffd\\ufffd\\ufffd\""},
  };
  for (const auto& r : rows) {
    CAPTURE(r.raw);
    const auto escaped = std::string{r.escaped};
    CHECK(json("m", {{"k", r.raw}}) ==
          R"({"ts":"2023-11-14T22:13:20.123Z","level":"info","msg":"m","k":)" + escaped + "}");
    CHECK(json(r.raw, {}).find("\"msg\":" + escaped) != std::string::npos);
    CHECK(text("m", {{"k", r.raw}}).find('\n') == std::string::npos);
  }
  CHECK(text("m", {{"k", "a=b c"}}) == "2023-11-14T22:13:20.123Z info m k=\"a=b c\"");
}

TEST_CASE("long values and many fields are cut, and the line says so") {
  const std::string value(100000, 'x'), worst(100000, '\n');
  for (const auto* v : {&value, &worst}) {
    const auto line = json("m", {{"k", *v}});
    CHECK(line.size() < log::value_bytes_max + 200);
    CHECK(line.ends_with("…\"}"));
    const auto many = json(
        *v,
        {{"a", *v}, {"b", *v}, {"c", *v}, {"d", *v}, {"e", *v}, {"f", *v}, {"g", *v}, {"h", *v}});
    CHECK(many.size() < log::line_bytes_max + 200);
    CHECK(many.find("\"fields_left_out\":") != std::string::npos);
  }
}

TEST_CASE("phones, addresses and secrets are masked") {
  CHECK(log::mask_phone("+254712345678") == "**********678");
  CHECK(log::mask_phone("123") == "***");
  CHECK(log::mask_phone("").empty());
  CHECK(log::mask_email("jane@example.org") == "j***@example.org");
  CHECK(log::mask_email("\xc3\xa9milie@example.org") == "\xc3\xa9***@example.org");
  CHECK(log::mask_email("@example.org") == "***");
  CHECK(log::mask_email("\"a@b\"@example.org") == "\"***@example.org");
  CHECK(log::mask_name("jane@example.org") == "j***@example.org");
  CHECK(log::mask_name("+254712345678") == "**********678");
  for (const auto* key :
       {"token", "refresh_token", "password", "server_seed", "authorization", "cookie"}) {
    CHECK(json("m", {{key, "hunter2"}}).find("hunter2") == std::string::npos);
    CHECK(text("m", {{key, "hunter2"}}).find("hunter2") == std::string::npos);
  }
}

TEST_CASE("events below the level cost nothing and vanish; the others arrive in order") {
  const temporary_folder folder;
  const auto file = (folder.path / "baraza.log").string();
  config::settings s;
  s.log = {"info", "json", file, 8192};
  REQUIRE(log::start(config::log_options(s)).empty());
  CHECK(log::enabled(log::level::info));
  CHECK_FALSE(log::enabled(log::level::debug));
  CHECK_FALSE(log::enabled(log::level::off));
  for (int i = 0; i < 1000; ++i) {
    log::event(log::level::debug, "hidden");
    log::event(log::level::info, "count", {{"i", i}});
  }
  log::event(log::level::error, "last", "c-7", {{"two", "line\nbreak"}});
  CHECK(log::dropped() == 0);
  log::stop();
  const auto lines = lines_of(file);
  REQUIRE(lines.size() == 1001);
  for (int i = 0; i < 1000; ++i)
    CHECK(lines[std::size_t(i)].ends_with("\"msg\":\"count\",\"i\":" + std::to_string(i) + "}"));
  CHECK(lines.back().ends_with(
      R"("level":"error","msg":"last","correlation":"c-7","two":"line\u000abreak"})"));
  log::event(log::level::error, "after stop");
  CHECK(lines_of(file).size() == 1001);
}

TEST_CASE("a log whose reader stands still loses and counts lines, but holds nobody up") {
  const temporary_folder folder;
  const auto pipe = (folder.path / "pipe").string();
  REQUIRE(mkfifo(pipe.c_str(), 0600) == 0);
  const int reader = open(pipe.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC);
  REQUIRE(reader >= 0);
  REQUIRE(log::start({log::level::info, false, pipe, 64}).empty());
  const auto begin = std::chrono::steady_clock::now();
  const std::string padding(900, 'x');
  for (int i = 0; i < 2000; ++i) log::event(log::level::info, "flood", {{"padding", padding}});
  CHECK(std::chrono::steady_clock::now() - begin < std::chrono::seconds{5});
  const auto lost = log::dropped();
  CHECK(lost > 1000);
  CHECK(lost < 2000);
  // Now somebody reads, so that the writer can end.
  std::string all;
  std::thread drain{[&] {
    std::vector<char> buffer(65536);
    for (;;) {
      const auto got = read(reader, buffer.data(), buffer.size());
      if (got > 0) all.append(buffer.data(), std::size_t(got));
      if (got == 0) break;
      if (got < 0) std::this_thread::yield();
    }
  }};
  log::stop();
  drain.join();
  close(reader);
  CHECK(all.find("log.dropped lines=") != std::string::npos);
}

TEST_CASE("a log file that cannot be opened is reported") {
  CHECK(log::start({log::level::info, false, "/dev/null/none", 64}).find("/dev/null/none") !=
        std::string::npos);
  CHECK_FALSE(log::enabled(log::level::error));
}
