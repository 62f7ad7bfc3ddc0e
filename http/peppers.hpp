// Keys that are mixed into passwords before they are hashed, and kept apart from the store: whoever
// steals the store alone cannot even begin to guess.
#pragma once

#include <array>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace baraza::http {

struct pepper {
  std::string id;     // names the key in stored hashes
  std::string check;  // eight digits that another key under the same id does not have
  std::array<unsigned char, 32> key{};

  /// What is hashed in the password's place: HMAC-SHA-256.
  [[nodiscard]] std::array<unsigned char, 32> mixed_with(std::string_view password) const;
};

class peppers {
 public:
  peppers() = default;
  peppers(peppers&&) = default;
  peppers& operator=(peppers&&) = default;
  peppers(const peppers&) = delete;
  peppers& operator=(const peppers&) = delete;
  ~peppers();

  /// One key a line, "ID HEX": an id of 1 to 32 letters, digits or -_, and 64 hexadecimal digits.
  /// The first one is for new hashes; those behind it are accepted. "none" as the first line: new
  /// hashes get no key, yet. Empty lines and those that begin with # are skipped.
  /// @returns what is wrong, in one line; nothing of a key is in it
  static std::variant<peppers, std::string> read(const std::string& path);

  /// Of new hashes; null: none.
  [[nodiscard]] const pepper* current() const { return has_current_ ? &keys_.front() : nullptr; }
  /// Null: no such key is listed.
  [[nodiscard]] const pepper* find(std::string_view id, std::string_view check) const;

 private:
  /// Empty, or what is wrong with the line.
  std::string add(std::string_view line);
  std::vector<pepper> keys_;
  bool has_current_ = false;
};

}  // namespace baraza::http
