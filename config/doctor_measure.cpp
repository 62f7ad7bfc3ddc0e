#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/timex.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <ctime>
#include <filesystem>
#include <fstream>
#include <system_error>

#include "config/doctor.hpp"
#include "config/values.hpp"

namespace baraza::config {
namespace {

using clock = std::chrono::steady_clock;

constexpr int syncs_max = 50;
constexpr auto sync_time_max = std::chrono::seconds{5};  // a dying disk must not hold the doctor
constexpr std::size_t sync_bytes = 4096;  // one page: about what a small batch writes

std::string reason(int error) { return std::generic_category().message(error); }

std::optional<std::uint64_t> first_number(const char* path) {
  std::ifstream file{path};
  std::uint64_t n = 0;
  if (file >> n) return n;
  return std::nullopt;  // missing, or "max"
}

std::optional<std::uint64_t> available_memory() {
  std::optional<std::uint64_t> available;
  std::ifstream file{"/proc/meminfo"};
  std::string word;
  std::uint64_t kib = 0;
  while (file >> word)
    if (word == "MemAvailable:" && file >> kib) available = kib * 1024;
  // A container sees the machine's memory in /proc but may use only its group's.
  const auto limit = first_number("/sys/fs/cgroup/memory.max");
  const auto used = first_number("/sys/fs/cgroup/memory.current");
  if (limit && used) {
    const auto left = *limit > *used ? *limit - *used : 0;
    available = available ? std::min(*available, left) : left;
  }
  return available;
}

std::string filesystem_of(const std::string& folder) {
  struct statfs about {};
  if (statfs(folder.c_str(), &about) != 0) return {};
  switch (static_cast<unsigned long>(about.f_type)) {
    case 0x01021994:  // TMPFS_MAGIC
    case 0x858458f6:  // RAMFS_MAGIC
      return "tmpfs";
    case 0x6969:      // NFS_SUPER_MAGIC
    case 0xFF534D42:  // CIFS
    case 0xFE534D42:  // SMB2
    case 0x517B:      // SMB
      return "nfs";
    default:
      return {};
  }
}

/// The data folder, or the nearest folder above it: where serve would create it.
void find_folder(const std::string& data_dir, machine_facts& m) {
  namespace fs = std::filesystem;
  std::error_code error;
  auto path = fs::absolute(data_dir, error);
  m.disk.is_data_dir = fs::is_directory(path, error);
  constexpr int depth_max = 256;
  for (int i = 0; i < depth_max && !fs::is_directory(path, error); ++i) {
    if (fs::exists(path, error)) {
      m.disk.error = path.string() + " is not a folder";
      break;
    }
    if (path == path.parent_path()) break;
    path = path.parent_path();
  }
  m.disk.folder = path.string();
}

/// A file without a name: nothing is left behind, whatever happens. Some filesystems need a name
/// for a moment.
int open_unnamed(const std::string& folder) {
  const int file = ::open(folder.c_str(), O_TMPFILE | O_WRONLY | O_CLOEXEC, 0600);
  if (file >= 0 || (errno != EOPNOTSUPP && errno != EISDIR && errno != ENOENT)) return file;
  auto name = folder + "/.baraza-doctor-XXXXXX";
  const int named = ::mkostemp(name.data(), O_CLOEXEC);
  if (named >= 0) ::unlink(name.c_str());
  return named;
}

void measure_disk(const settings& s, machine_facts& m) {
  find_folder(s.node.data_dir, m);
  if (!m.disk.error.empty()) return;
  m.disk.filesystem = filesystem_of(m.disk.folder);
  struct statvfs space {};
  if (statvfs(m.disk.folder.c_str(), &space) == 0)
    m.disk.free_bytes = std::uint64_t{space.f_bavail} * space.f_frsize;
  const int file = open_unnamed(m.disk.folder);
  if (file < 0) {
    m.disk.error = reason(errno);
    return;
  }
  std::array<char, sync_bytes> page{};
  std::vector<std::int64_t> took;
  const auto begin = clock::now();
  while (took.size() < syncs_max && clock::now() - begin < sync_time_max) {
    const auto at = clock::now();
    const auto offset = static_cast<off_t>(took.size() * page.size());
    if (::pwrite(file, page.data(), page.size(), offset) != static_cast<ssize_t>(page.size()) ||
        ::fsync(file) != 0) {
      m.disk.error = reason(errno);
      break;
    }
    took.push_back(
        std::chrono::duration_cast<std::chrono::microseconds>(clock::now() - at).count());
  }
  ::close(file);
  if (took.empty()) return;
  std::sort(took.begin(), took.end());
  m.disk.syncs = static_cast<int>(took.size());
  m.disk.sync_p50_us = took[took.size() / 2];
  m.disk.sync_p99_us = took[took.size() * 99 / 100];
}

int try_bind(const address& a) {
  const int s = ::socket(a.v6 ? AF_INET6 : AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (s < 0) return errno;
  const int on =
      1;  // as the server does: connections of an earlier run that linger are no obstacle
  ::setsockopt(s, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  int result = 0;
  if (a.v6) {
    sockaddr_in6 to{};
    to.sin6_family = AF_INET6;
    to.sin6_port = htons(static_cast<std::uint16_t>(a.port));
    inet_pton(AF_INET6, a.host.c_str(), &to.sin6_addr);
    result = ::bind(s, reinterpret_cast<const sockaddr*>(&to), sizeof to);
  } else {
    sockaddr_in to{};
    to.sin_family = AF_INET;
    to.sin_port = htons(static_cast<std::uint16_t>(a.port));
    inet_pton(AF_INET, a.host.c_str(), &to.sin_addr);
    result = ::bind(s, reinterpret_cast<const sockaddr*>(&to), sizeof to);
  }
  int error = result == 0 ? 0 : errno;
  if (error == 0 && ::listen(s, 1) != 0)
    error = errno;  // two may bind with SO_REUSEADDR, one listens
  ::close(s);
  return error;
}

void measure_file(const std::string& key, const std::string& path, bool secret, machine_facts& m) {
  if (path.empty()) return;
  machine_facts::file f{key, path, "", secret, false};
  const int file = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  struct stat about {};
  if (file < 0 || ::fstat(file, &about) != 0)
    f.error = reason(errno);
  else if (!S_ISREG(about.st_mode))
    f.error = "it is not a regular file";
  else
    f.others_read = (about.st_mode & (S_IRGRP | S_IROTH)) != 0;
  if (file >= 0) ::close(file);
  m.files.push_back(std::move(f));
}

}  // namespace

machine_facts measure(const settings& s, const store_probe& probe) {
  machine_facts m;
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
    m.descriptors_soft = limit.rlim_cur;
    m.descriptors_hard = limit.rlim_max;
  }
  m.memory_available_bytes = available_memory();
  if (const auto n = first_number("/proc/sys/net/core/somaxconn"))
    m.listen_backlog_max = static_cast<int>(std::min<std::uint64_t>(*n, 1u << 20));
  m.now_s = std::time(nullptr);
  timex state{};
  const int kernel = adjtimex(&state);  // reads only, as no mode is set
  m.clock_synchronised = kernel < 0 || (state.status & STA_UNSYNC) == 0;
  measure_disk(s, m);
  const std::pair<const char*, const std::string&> listens[] = {{"http.listen", s.http.listen},
                                                                {"admin.listen", s.admin.listen}};
  for (const auto& [key, listen] : listens)
    if (const auto a = parse_address(listen)) m.ports.push_back({key, listen, try_bind(*a)});
  measure_file("http.tls_certificate_file", s.http.tls_certificate_file, false, m);
  measure_file("http.tls_key_file", s.http.tls_key_file, true, m);
  measure_file("admin.token_file", s.admin.token_file, true, m);
  // Made at the first start, so that its absence is no fault; and only its owner may read it.
  if (::access(s.cluster.key_file.c_str(), F_OK) == 0)
    measure_file("cluster.key_file", s.cluster.key_file, true, m);
  if (probe) m.store = probe(s.storage.url);
  return m;
}

}  // namespace baraza::config
