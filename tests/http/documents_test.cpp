// docs/openapi.yaml and docs/asyncapi.yaml against the running server: what they list exists, and
// nothing else does.
#include <catch2/catch_test_macros.hpp>

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <fstream>
#include <map>
#include <set>
#include <sstream>

#include "http/routes.hpp"
#include "tests/http/edge_fixture.hpp"

using namespace baraza;
using namespace baraza::http;
using namespace baraza::http::tests;

namespace {

std::vector<std::string> lines_of(const std::string& path) {
  std::ifstream file{path};
  REQUIRE(file);
  std::vector<std::string> out;
  for (std::string line; std::getline(file, line);) out.push_back(line);
  return out;
}
std::size_t indent_of(const std::string& line) { return line.find_first_not_of(' '); }
std::string trimmed(std::string line) {
  line.erase(0, indent_of(line));
  return line;
}

struct operation {
  std::set<int> statuses;
  bool needs_token = false;
};
/// "POST /v1/auth/guest" → what the document says of it. Reads the layout this document is written
/// in.
std::map<std::string, operation> operations() {
  std::map<std::string, operation> out;
  std::string path, method;
  bool in_paths = false;
  for (const auto& line : lines_of(BARAZA_DOCS_DIR "/openapi.yaml")) {
    if (line.empty() || indent_of(line) == 0) in_paths = line == "paths:";
    if (!in_paths || line == "paths:") continue;
    const auto text = trimmed(line);
    if (indent_of(line) == 2) path = text.substr(0, text.size() - 1);
    if (indent_of(line) == 4) {
      method = text.substr(0, text.size() - 1);
      for (auto& c : method) c = static_cast<char>(std::toupper(c));
      out[method + " " + path] = {};
    }
    if (indent_of(line) == 6 && text.starts_with("security:"))
      out[method + " " + path].needs_token = true;
    if (indent_of(line) == 8 && text.starts_with("'"))
      out[method + " " + path].statuses.insert(std::stoi(text.substr(1, 3)));
  }
  return out;
}

/// Message type → its required fields, of those with "id" (client) or without (server).
std::map<std::string, std::string> messages(bool of_client) {
  std::map<std::string, std::string> out;
  std::string name;
  bool inside = false;
  for (const auto& line : lines_of(BARAZA_DOCS_DIR "/asyncapi.yaml")) {
    if (line == "  messages:") inside = true;
    if (!inside || line == "  messages:") continue;
    const auto text = trimmed(line);
    if (indent_of(line) == 4) name = text.substr(0, text.size() - 1);
    if (text.starts_with("required: [")) {
      const bool has_id = text.find(" id") != std::string::npos;
      if (has_id == of_client) out[name] = text;
    }
  }
  return out;
}

std::string text_of(const boost::json::value& v) {
  return {v.as_string().data(), v.as_string().size()};
}

std::string instance(std::string path) {
  if (const auto at = path.find("{id}"); at != std::string::npos)
    path.replace(at, 4, "0190a000-0000-7000-8000-000000000001");
  return path;
}

}  // namespace

TEST_CASE("the routes of the server are those of openapi.yaml", "[edge][documents]") {
  const server s;
  edge_shared shared{server::quick()};
  std::vector<route> table;
  add_auth_routes(table, shared);
  add_player_routes(table, shared, *s.reads, {});
  std::set<std::string> real, listed;
  for (const auto& one : table)
    real.insert(std::string{one.method} + " " + std::string{one.pattern});
  for (const auto& [name, what] : operations()) listed.insert(name);
  CHECK(real == listed);
  for (const auto& one : table) {
    const auto name = std::string{one.method} + " " + std::string{one.pattern};
    CAPTURE(name);
    CHECK(operations()[name].needs_token == one.needs_token);
  }
}

TEST_CASE("every route answers with a status that openapi.yaml lists", "[edge][documents]") {
  const server s;
  for (const auto& [name, what] : operations()) {
    CAPTURE(name);
    const auto space = name.find(' ');
    const auto method = name.substr(0, space), path = instance(name.substr(space + 1));
    const auto request = [&](const std::string& token) {
      std::string out = method + " " + path + " HTTP/1.1\r\nHost: localhost\r\n";
      if (!token.empty()) out += "Authorization: Bearer " + token + "\r\n";
      return out + (method == "POST" ? "Content-Length: 0\r\n\r\n" : "\r\n");
    };
    const auto bare = s.ask(request("")).status;
    if (what.needs_token) CHECK(bare == 401);
    CHECK(what.statuses.contains(bare));
    const auto known = s.ask(request(s.guest())).status;
    CHECK(what.statuses.contains(known));
    if (what.needs_token) CHECK(known != 401);
  }
}

TEST_CASE("asyncapi.yaml lists exactly the messages that are decoded, with the fields they need",
          "[wire][documents]") {
  const auto documented = messages(true);
  std::set<std::string> golden;
  std::ifstream file{BARAZA_GOLDEN_DIR "/wire.json"};
  std::stringstream text;
  text << file.rdbuf();
  const auto entries = boost::json::parse(text.str());
  for (const auto& one : entries.as_array()) {
    const auto& entry = one.as_object();
    const auto& message = entry.at("json").as_object();
    const auto type = text_of(message.at("t"));
    if (entry.at("from") != "client") {
      CHECK(messages(false).contains(type));
      continue;
    }
    golden.insert(type);
    CAPTURE(type);
    REQUIRE(documented.contains(type));
    for (const auto& [field, value] :
         message) {  // each documented as required is: without it the message is refused
      if (field == "t" || field == "id") continue;
      auto without = message;
      without.erase(field);
      const bool refused = std::holds_alternative<wire::wire_error>(
          wire::decode(wire::encoding::json, boost::json::serialize(without)));
      CAPTURE(std::string{field.data(), field.size()});
      CHECK(refused == (documented.at(type).find(" " + std::string{field.data(), field.size()}) !=
                        std::string::npos));
    }
  }
  std::set<std::string> listed;
  for (const auto& [type, required] : documented) listed.insert(type);
  CHECK(listed == golden);
  CHECK(listed.size() == std::variant_size_v<wire::client_message>);
}
