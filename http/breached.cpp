#include "http/breached.hpp"

#include <openssl/evp.h>
#include <sodium.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <memory>

#include "http/limits.hpp"

namespace baraza::http {
namespace {

constexpr std::size_t sha256_digits = 64, sha1_digits = 40;
constexpr std::size_t line_bytes_max = 256;  // what is longer is no password and no hash

std::uint64_t first_bytes(const unsigned char* hash) {
  std::uint64_t out;
  std::memcpy(&out, hash, sizeof out);
  return out;
}
std::uint64_t sha256(std::string_view text) {
  std::array<unsigned char, crypto_hash_sha256_BYTES> hash{};
  crypto_hash_sha256(hash.data(), reinterpret_cast<const unsigned char*>(text.data()), text.size());
  return first_bytes(hash.data());
}
std::uint64_t sha1(std::string_view text) {
  std::array<unsigned char, EVP_MAX_MD_SIZE> hash{};
  unsigned size = 0;
  EVP_Digest(text.data(), text.size(), hash.data(), &size, EVP_sha1(), nullptr);
  return first_bytes(hash.data());
}

bool is_hex(std::string_view text) {
  return text.find_first_not_of("0123456789abcdefABCDEF") == std::string_view::npos;
}
/// Of a hash of so many digits, with or without a count behind it; empty if the line is none.
std::string_view hash_in(std::string_view line, std::size_t digits) {
  if (line.size() < digits || !is_hex(line.substr(0, digits))) return {};
  const auto rest = line.substr(digits);
  const bool is_count = rest.size() > 1 && rest.front() == ':' &&
                        rest.find_first_not_of("0123456789", 1) == std::string_view::npos;
  return rest.empty() || is_count ? line.substr(0, digits) : std::string_view{};
}
std::uint64_t parse(std::string_view hash) {
  std::array<unsigned char, 8> bytes{};
  sodium_hex2bin(bytes.data(), bytes.size(), hash.data(), 2 * bytes.size(), nullptr, nullptr,
                 nullptr);
  return first_bytes(bytes.data());
}

void put_in_order(std::vector<std::uint64_t>& list) {
  std::sort(list.begin(), list.end());
  list.erase(std::unique(list.begin(), list.end()), list.end());
  list.shrink_to_fit();
}

}  // namespace

std::variant<breached_list, std::string> breached_list::read(const std::string& path) {
  const auto wrong = [&](const std::string& what) {
    return "the breached-password file " + path + " " + what;
  };
  std::error_code none;
  if (!std::filesystem::exists(path, none)) return wrong("does not exist");
  if (!std::filesystem::is_regular_file(path, none)) return wrong("is no regular file");
  const std::unique_ptr<std::FILE, int (*)(std::FILE*)> file{std::fopen(path.c_str(), "rb"),
                                                             std::fclose};
  if (!file) return wrong(std::string{"cannot be read: "} + std::strerror(errno));
  breached_list out;
  std::array<char, 64 * 1024> chunk{};
  std::string line;
  const auto end_line = [&] {
    if (!line.empty() && line.back() == '\r') line.pop_back();
    if (line.size() < line_bytes_max) out.add(line);
    line.clear();
  };
  while (const auto size = std::fread(chunk.data(), 1, chunk.size(), file.get())) {
    for (const char c : std::string_view{chunk.data(), size}) {
      if (c == '\n')
        end_line();
      else if (line.size() <= line_bytes_max)
        line += c;
    }
    if (out.size() > limits::breached_passwords_max)
      return wrong("has more than " + std::to_string(limits::breached_passwords_max) + " entries");
  }
  if (std::ferror(file.get()) != 0) return wrong("cannot be read to its end");
  end_line();
  put_in_order(out.sha256_);
  put_in_order(out.sha1_);
  return out;
}

void breached_list::add(std::string_view line) {
  if (const auto hash = hash_in(line, sha256_digits); !hash.empty())
    sha256_.push_back(parse(hash));
  else if (const auto shorter = hash_in(line, sha1_digits); !shorter.empty())
    sha1_.push_back(parse(shorter));
  else if (line.size() >= limits::password_bytes_min && line.size() <= limits::password_bytes_max)
    sha256_.push_back(sha256(line));
}

bool breached_list::contains(std::string_view password) const {
  return std::binary_search(sha256_.begin(), sha256_.end(), sha256(password)) ||
         (!sha1_.empty() && std::binary_search(sha1_.begin(), sha1_.end(), sha1(password)));
}

}  // namespace baraza::http
