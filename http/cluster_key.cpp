#include "http/cluster_key.hpp"

#include <fcntl.h>
#include <sodium.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <filesystem>

namespace baraza::http {
namespace {

/// A new file is there after a power cut only if its folder was synced, too.
bool sync_folder(const std::filesystem::path& of) {
  const auto folder = of.has_parent_path() ? of.parent_path() : std::filesystem::path{"."};
  const int at = ::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (at < 0) return false;
  const bool done = ::fsync(at) == 0;
  ::close(at);
  return done;
}

std::string make_key(const std::string& path, actors::cluster_key& key) {
  std::error_code ignored;
  std::filesystem::create_directories(std::filesystem::path{path}.parent_path(), ignored);
  const int file = ::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  if (file < 0) return "cannot write the cluster key " + path + ": " + std::strerror(errno);
  randombytes_buf(key.data(), key.size());
  const bool whole = ::write(file, key.data(), key.size()) == static_cast<ssize_t>(key.size()) &&
                     ::fsync(file) == 0;
  ::close(file);
  return whole && sync_folder(path) ? std::string{} : "cannot write the cluster key " + path;
}

/// Sixteen bytes of a hash with a purpose of its own, as hex: nothing of the key shows.
std::string fingerprint(const actors::cluster_key& key) {
  constexpr std::string_view purpose = "baraza cluster key";
  std::array<unsigned char, crypto_hash_sha256_BYTES> hash{};
  crypto_hash_sha256_state state;
  crypto_hash_sha256_init(&state);
  crypto_hash_sha256_update(&state, reinterpret_cast<const unsigned char*>(purpose.data()),
                            purpose.size());
  crypto_hash_sha256_update(&state, reinterpret_cast<const unsigned char*>(key.data()), key.size());
  crypto_hash_sha256_final(&state, hash.data());
  constexpr std::size_t bytes = 16;
  std::array<char, 2 * bytes + 1> text{};
  return sodium_bin2hex(text.data(), text.size(), hash.data(), bytes);
}

}  // namespace

std::string load_cluster_key(const std::string& path, actors::cluster_key& key, bool& made) {
  made = false;
  const int file = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (file < 0 && errno == ENOENT) {
    auto wrong = make_key(path, key);
    made = wrong.empty();
    return wrong;
  }
  if (file < 0) return "cannot read the cluster key " + path + ": " + std::strerror(errno);
  struct stat about {};
  ::fstat(file, &about);
  const bool whole = about.st_size == static_cast<off_t>(key.size()) &&
                     ::read(file, key.data(), key.size()) == about.st_size;
  ::close(file);
  if (!whole) return "the cluster key " + path + " must be exactly 32 bytes";
  if ((about.st_mode & 077) != 0)
    return "the cluster key " + path + " may be read by others: chmod 600";
  return {};
}

std::string claim_cluster_key(storage::store& store, const actors::cluster_key& key,
                              const std::string& path, bool made) {
  const auto claimed = store.claim_key(fingerprint(key));
  if (claimed) return {};
  if (claimed.why().code != storage::errc::incompatible) return claimed.why().message;
  std::error_code ignored;
  if (made) std::filesystem::remove(path, ignored);
  return "this store's matches are sealed with another cluster key than " + path +
         (made ? ", which did not exist" : "") +
         ": name the file of its first start (cluster.key_file, or cluster.key in its data folder)";
}

}  // namespace baraza::http
