// Passwords that are known to attackers, from a file of the operator's: what stands in it nobody
// may choose (ASVS 5.0, 6.2.4; NIST 800-63B).
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace baraza::http {

/// Kept as the first eight bytes of hashes: of ten million, a password that is not in the list is
/// taken for one that is with a probability of 2^-40.
class breached_list {
 public:
  /// One entry a line: a password as it is typed, the SHA-256 of one in 64 hexadecimal digits, or
  /// the SHA-1 in 40; after a hash, ":COUNT" is ignored (the files of Have I Been Pwned). Empty
  /// lines, and passwords too short or too long to be chosen, are skipped.
  /// @returns what is wrong, in one line, if it cannot be read or is too long
  static std::variant<breached_list, std::string> read(const std::string& path);

  [[nodiscard]] bool contains(std::string_view password) const;
  [[nodiscard]] std::size_t size() const { return sha256_.size() + sha1_.size(); }

 private:
  void add(std::string_view line);
  std::vector<std::uint64_t> sha256_, sha1_;  // sorted
};

}  // namespace baraza::http
