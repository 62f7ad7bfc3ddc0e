#include "cluster/local/settings_file.hpp"

#include <fcntl.h>
#include <sys/random.h>
#include <unistd.h>

#include <array>
#include <cstdio>

#include "cluster/local/failure.hpp"

namespace baraza::cluster::local {
namespace {

std::string quoted(const std::string& text) {
  std::string out = "\"";
  for (const char c : text) {
    if (static_cast<unsigned char>(c) < 0x20) {
      char code[8];
      std::snprintf(code, sizeof code, "\\u%04x", static_cast<unsigned>(c));
      out += code;
      continue;
    }
    if (c == '"' || c == '\\') out += '\\';
    out += c;
  }
  return out + '"';
}

std::string quoted(const std::vector<std::string>& list) {
  std::string out = "[";
  for (const auto& each : list) out += (out.size() > 1 ? ", " : "") + quoted(each);
  return out + "]";
}

}  // namespace

std::string settings_text(const node_settings& s) {
  return "[node]\nname = " + quoted(s.name) + "\nroles = " + quoted(s.roles) +
         "\nzone = " + quoted(s.zone) + "\ndata_dir = " + quoted(s.data_dir) +
         "\n[storage]\nurl = " + quoted(s.store_url) +
         "\n[http]\nlisten = " + quoted(s.http_listen) + "\nhosts = " + quoted(s.hosts) +
         "\n[admin]\nlisten = " + quoted(s.admin_listen) +
         "\n[cluster]\nname = \"local\"\nlisten = " + quoted(s.link_listen) +
         "\nadvertise = " + quoted(s.link_advertise) + "\nkey_file = " + quoted(s.key_file) +
         "\nca_file = " + quoted(s.ca_file) + "\ncertificate_file = " + quoted(s.certificate_file) +
         "\nprivate_key_file = " + quoted(s.private_key_file) +
         "\n[game]\nhouse_bot = " + (s.house_bot ? "true" : "false") + "\n";
}

void make_key(const std::filesystem::path& path) {
  std::array<char, 32> key{};
  const int file = ::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  const bool whole = file >= 0 &&
                     ::getrandom(key.data(), key.size(), 0) == static_cast<ssize_t>(key.size()) &&
                     ::write(file, key.data(), key.size()) == static_cast<ssize_t>(key.size());
  if (file >= 0) ::close(file);
  if (!whole) throw failure{"cannot write " + path.string()};
}

}  // namespace baraza::cluster::local
