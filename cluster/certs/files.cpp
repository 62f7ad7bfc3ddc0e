#include "cluster/certs/files.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace baraza::cluster::certs {
namespace {

std::string wrong(const std::filesystem::path& path) {
  return path.string() + ": " + std::strerror(errno);
}

bool write_all(int file, const std::string& content) {
  for (std::size_t done = 0; done < content.size();) {
    const auto n = ::write(file, content.data() + done, content.size() - done);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return false;
    done += static_cast<std::size_t>(n);
  }
  return ::fsync(file) == 0;
}

}  // namespace

std::string write_private(const std::filesystem::path& path, const std::string& content) {
  auto fresh = path.string() + ".XXXXXX";
  const int file = ::mkostemp(fresh.data(), O_CLOEXEC);  // mode 0600
  if (file < 0) return wrong(path);
  std::string why;
  if (!write_all(file, content)) why = wrong(fresh);
  ::close(file);
  if (why.empty() && ::rename(fresh.c_str(), path.c_str()) != 0) why = wrong(path);
  if (!why.empty()) ::unlink(fresh.c_str());
  return why;
}

std::string read_whole(const std::filesystem::path& path, std::string& content) {
  const int file = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (file < 0) return wrong(path);
  content.resize(file_bytes_max + 1);
  std::size_t size = 0;
  std::string why;
  while (size < content.size()) {
    const auto n = ::read(file, content.data() + size, content.size() - size);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) why = wrong(path);
    if (n <= 0) break;
    size += static_cast<std::size_t>(n);
  }
  ::close(file);
  if (why.empty() && size > file_bytes_max) why = path.string() + ": is too large";
  content.resize(size);
  return why;
}

}  // namespace baraza::cluster::certs
