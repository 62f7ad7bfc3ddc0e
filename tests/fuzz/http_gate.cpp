// libFuzzer target: any bytes as the header of an HTTP request. What the gate passes must be what
// every reader of HTTP/1.1 reads the same way, checked here by a second, naive reading.
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

#include "http/request_gate.hpp"

namespace {

void expect(bool holds) {
  if (!holds) std::abort();
}

bool equal_ignoring_case(std::string_view a, std::string_view b) {
  if (a.size() != b.size()) return false;
  for (std::size_t i = 0; i < a.size(); ++i)
    if ((a[i] | 0x20) != (b[i] | 0x20)) return false;
  return true;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view header{reinterpret_cast<const char*>(data), size};
  static const std::vector<std::string> hosts{"localhost", "127.0.0.1", "play.example.org"};
  const auto strict = baraza::http::check_request(header, hosts);
  const auto open = baraza::http::check_request(header, {});
  expect(strict.ok || !strict.reason.empty());
  expect(!strict.ok || open.ok);  // naming hosts only refuses more
  if (!open.ok) return 0;

  expect(header.ends_with("\r\n\r\n"));
  int host = 0, length = 0, encoding = 0;
  auto rest = header.substr(0, header.size() - 2);
  for (bool first = true; !rest.empty(); first = false) {
    const auto end = rest.find("\r\n");
    expect(end != std::string_view::npos && end > 0);  // no second request behind a blank line
    const auto line = rest.substr(0, end);
    rest.remove_prefix(end + 2);
    for (const char c : line) expect(static_cast<unsigned char>(c) >= 0x20 || c == '\t');
    if (first) {
      expect(line.ends_with(" HTTP/1.1") || line.ends_with(" HTTP/1.0"));
      const auto target = line.find(' ');
      expect(target != std::string_view::npos && line[target + 1] == '/');
      continue;
    }
    expect(line.front() != ' ' && line.front() != '\t');  // no folded line
    const auto name = line.substr(0, line.find(':'));
    expect(name.size() < line.size() && name.find_first_of(" \t") == std::string_view::npos);
    host += equal_ignoring_case(name, "host") ? 1 : 0;
    length += equal_ignoring_case(name, "content-length") ? 1 : 0;
    encoding += equal_ignoring_case(name, "transfer-encoding") ? 1 : 0;
  }
  expect(host == 1);
  expect(length <= 1 && encoding <= 1 && length + encoding <= 1);
  return 0;
}
