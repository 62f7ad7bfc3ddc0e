// How the operators' commands reach a node: its admin port, given or found in the folder of a local
// cluster, with the operators' token.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace CLI {
class App;
}

namespace baraza::client {

class http_api;

struct admin_flags {
  std::string admin;       // ADDRESS:PORT or http://ADDRESS:PORT; empty: `dir`, else the default
  std::string dir;         // of a local cluster; empty: none
  std::string token_file;  // empty: no token
  std::string as;          // who asks, for the record; empty: $USER
  bool json = false;

  /// --admin, --token-file, --json
  void add_to(CLI::App& command);
  void add_dir(CLI::App& command);
  void add_as(CLI::App& command);
};

inline constexpr std::string_view default_admin = "127.0.0.1:7778";

/// One node's admin port. Every mistake is one line on standard error, after `command`.
class admin_door {
 public:
  admin_door(std::string command, const admin_flags& given);
  ~admin_door();

  /// 0, 1 if it cannot be reached or refuses, 2 if something was typed wrong.
  int ask(std::string_view verb, const std::string& target, std::string& body);
  /// The same; the answer's JSON as MessagePack.
  int ask_packed(std::string_view verb, const std::string& target, std::string& body,
                 std::string& packed);
  /// A POST to `target` in the name of --as.
  int order(const std::string& target, std::string& body);
  int complain(const std::string& what, int code) const;

 private:
  int open();
  /// Of a node that is ready; empty: complained.
  std::optional<std::string> address() const;

  const std::string command_;
  const admin_flags given_;
  std::string address_, token_;
  std::unique_ptr<http_api> api_;
};

}  // namespace baraza::client
