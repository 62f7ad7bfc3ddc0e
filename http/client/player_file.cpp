#include "http/client/player_file.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <utility>

#include "http/client/fields.hpp"
#include "http/msgpack.hpp"
#include "http/wire.hpp"

namespace baraza::client {
namespace {

namespace pack = baraza::http::pack;
namespace wire = baraza::http::wire;

constexpr std::size_t file_bytes_max = 1 << 20;
constexpr std::size_t entries_max = 200;  // beyond, the one met first is forgotten

std::string state_folder() {
  if (const char* base = std::getenv("XDG_STATE_HOME"); base && *base == '/')
    return std::string{base} + "/baraza";
  const char* home = std::getenv("HOME");
  return std::string{home ? home : "."} + "/.local/state/baraza";
}

/// Letters, digits, '-' and '_' stay; everything else could be a path.
std::string file_name_of(std::string_view key) {
  std::string out;
  for (const char c : key) {
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                       c == '-' || c == '_';
    out += plain ? c : '+';
  }
  return out.substr(0, 120);
}

/// The whole file as MessagePack; an empty map if there is none or it cannot be read.
std::string read_all(const std::string& path) {
  std::ifstream in{path, std::ios::binary};
  std::string text{std::istreambuf_iterator<char>{in}, {}};
  if (text.empty() || text.size() > file_bytes_max) return "\x80";
  return wire::from_json(text).value_or("\x80");
}

void put_pair(std::string& out, std::string_view key, std::string_view value) {
  pack::put_text(out, key);
  pack::put_text(out, value);
}

std::string packed(const remembered& what) {
  std::string out;
  pack::put_map(out, 6);
  put_pair(out, "player", what.who.player.to_string());
  put_pair(out, "display", what.who.display);
  put_pair(out, "access", what.who.access);
  put_pair(out, "refresh", what.who.refresh);
  put_pair(out, "match", what.match.is_nil() ? "" : what.match.to_string());
  put_pair(out, "commit", what.commit);
  return out;
}

/// An open descriptor with an exclusive lock, or -1.
int locked(const std::string& path, bool wait) {
  const int fd = ::open(path.c_str(), O_CREAT | O_RDWR | O_CLOEXEC, 0600);
  if (fd < 0) return -1;
  if (::flock(fd, wait ? LOCK_EX : LOCK_EX | LOCK_NB) == 0) return fd;
  const int why = errno;
  ::close(fd);
  errno = why;
  return -1;
}

}  // namespace

player_file::player_file(std::string folder)
    : folder_{folder.empty() ? state_folder() : std::move(folder)} {
  std::error_code why;
  std::filesystem::create_directories(folder_, why);
  if (why) error_ = folder_ + ": " + why.message();
}

player_file::~player_file() { release(); }

void player_file::release() {
  if (claim_ >= 0)
    ::close(std::exchange(claim_, -1));  // the lock goes with it; the empty file stays
}

bool player_file::claim(std::string_view server, std::string_view name) {
  release();
  name_ = name;
  key_ = std::string{name} + "@" + std::string{server};
  claim_ = locked(folder_ + "/" + file_name_of(key_) + ".lock", false);
  if (claim_ < 0)
    error_ = errno == EWOULDBLOCK ? "another window plays as " + name_
                                  : folder_ + ": " + std::strerror(errno);
  return claim_ >= 0;
}

bool player_file::claim_free(std::string_view server, std::string_view name) {
  if (claim(server, name)) return true;
  for (int i = 2; i <= 9 && errno == EWOULDBLOCK; ++i) {
    if (claim(server, std::string{name} + "-" + std::to_string(i))) return true;
  }
  return false;
}

std::optional<remembered> player_file::load() {
  const std::string all = read_all(path());
  const std::string_view entry = fields::find(all, key_);
  if (entry.empty()) return std::nullopt;
  const auto text = [&](std::string_view field) {
    return std::string{fields::text(fields::find(entry, field))};
  };
  remembered out{
      {fields::id(fields::find(entry, "player")), text("display"), text("access"), text("refresh")},
      fields::id(fields::find(entry, "match")),
      text("commit")};
  if (out.who.access.empty() && out.who.refresh.empty()) return std::nullopt;
  return out;
}

bool player_file::save(const remembered& what) {
  const int lock =
      locked(path() + ".lock", true);  // other windows write other entries of the same file
  if (lock < 0) {
    error_ = path() + ": " + std::strerror(errno);
    return false;
  }
  const std::string all = read_all(path());
  std::string pairs;
  std::uint32_t count = 1;
  fields::pairs(all, [&](std::string_view key, std::string_view value) {
    if (key == key_ || count >= entries_max) return;
    pack::put_text(pairs, key);
    pairs += value;
    ++count;
  });
  std::string map;
  pack::put_map(map, count);
  pack::put_text(map, key_);
  map += packed(what) + pairs;
  const std::string text = wire::to_json(map) + "\n";
  const std::string aside = path() + ".new";
  const int fd = ::open(aside.c_str(), O_CREAT | O_TRUNC | O_WRONLY | O_CLOEXEC, 0600);
  bool ok = fd >= 0 && ::fchmod(fd, 0600) == 0 &&
            ::write(fd, text.data(), text.size()) == static_cast<ssize_t>(text.size()) &&
            ::fsync(fd) == 0;
  if (fd >= 0) ok = ::close(fd) == 0 && ok;
  ok = ok && ::rename(aside.c_str(), path().c_str()) == 0;
  if (!ok) error_ = path() + ": " + std::strerror(errno);
  ::close(lock);
  return ok;
}

}  // namespace baraza::client
