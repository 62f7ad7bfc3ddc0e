#include "cluster/local/keeper_socket.hpp"

#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "cluster/local/failure.hpp"

namespace baraza::cluster::local {
namespace {

constexpr auto socket_name = "keeper.sock";

/// A socket's name has 107 bytes and a folder may have more: so its name goes through a descriptor
/// of the folder.
class socket_address {
 public:
  explicit socket_address(const std::filesystem::path& folder)
      : folder_{open(folder.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC)} {
    name_.sun_family = AF_UNIX;
    const auto path = "/proc/self/fd/" + std::to_string(folder_) + "/" + socket_name;
    std::memcpy(name_.sun_path, path.data(), path.size());
  }
  ~socket_address() {
    if (folder_ >= 0) ::close(folder_);
  }
  socket_address(const socket_address&) = delete;
  socket_address& operator=(const socket_address&) = delete;
  [[nodiscard]] bool is_there() const { return folder_ >= 0; }
  [[nodiscard]] const sockaddr* get() const { return reinterpret_cast<const sockaddr*>(&name_); }
  [[nodiscard]] static socklen_t size() { return sizeof(sockaddr_un); }

 private:
  int folder_;
  sockaddr_un name_{};
};

}  // namespace

int listen_in(const std::filesystem::path& folder) {
  const socket_address at{folder};
  const int made = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const auto mask = ::umask(0177);  // only its owner may give commands
  const bool bound = at.is_there() && made >= 0 && bind(made, at.get(), at.size()) == 0;
  ::umask(mask);
  constexpr int backlog = 16;
  if (!bound || listen(made, backlog) != 0) {
    const std::string why = std::strerror(errno);
    if (made >= 0) ::close(made);
    throw failure{"cannot listen in " + folder.string() + ": " + why};
  }
  return made;
}

int connect_in(const std::filesystem::path& folder) {
  const socket_address at{folder};
  if (!at.is_there()) return -1;
  const int made = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (made >= 0 && connect(made, at.get(), at.size()) == 0) return made;
  if (made >= 0) ::close(made);
  return -1;
}

std::string read_text(int socket, std::size_t bytes_max, std::chrono::milliseconds limit,
                      bool whole) {
  using clock = std::chrono::steady_clock;
  const auto until = clock::now() + limit;
  std::string text;
  for (;;) {
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(until - clock::now());
    pollfd wait{socket, POLLIN, 0};
    if (left.count() <= 0 || poll(&wait, 1, static_cast<int>(left.count())) <= 0) return {};
    char bytes[4096];
    const auto n = ::read(socket, bytes, sizeof bytes);
    if (n < 0) return {};
    if (n == 0) return whole ? text : std::string{};
    text.append(bytes, static_cast<std::size_t>(n));
    if (text.size() > bytes_max) return {};
    if (const auto end = text.find('\n'); !whole && end != std::string::npos)
      return text.substr(0, end);
  }
}

bool write_text(int socket, const std::string& text) {
  for (std::size_t done = 0; done < text.size();) {
    auto n = ::send(socket, text.data() + done, text.size() - done, MSG_NOSIGNAL);
    if (n < 0 && errno == ENOTSOCK) n = ::write(socket, text.data() + done, text.size() - done);
    if (n <= 0) return false;
    done += static_cast<std::size_t>(n);
  }
  return true;
}

}  // namespace baraza::cluster::local
