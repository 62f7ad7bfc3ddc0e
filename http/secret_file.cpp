#include "http/secret_file.hpp"

#include <fcntl.h>
#include <sodium.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace baraza::http {

std::string read_secret(const std::string& path, std::size_t bytes_max, std::string& text) {
  text.clear();
  const int file = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (file < 0) return std::string{"cannot be read: "} + std::strerror(errno);
  struct stat about {};
  ssize_t size = -1;
  text.resize(bytes_max + 1);
  if (::fstat(file, &about) == 0 && S_ISREG(about.st_mode))
    size = ::read(file, text.data(), text.size());
  ::close(file);
  std::string wrong;
  if (size < 0)
    wrong = "is no regular file that can be read";
  else if ((about.st_mode & S_IROTH) != 0)
    wrong = "may be read by everybody: chmod 600";
  else if (static_cast<std::size_t>(size) > bytes_max)
    wrong = "is longer than " + std::to_string(bytes_max) + " bytes";
  if (!wrong.empty()) {
    sodium_memzero(text.data(), text.size());
    size = 0;
  }
  text.resize(static_cast<std::size_t>(size));
  return wrong;
}

}  // namespace baraza::http
