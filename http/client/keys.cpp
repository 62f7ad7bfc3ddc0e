#include "http/client/keys.hpp"

#include <poll.h>
#include <termios.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <thread>

#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>

namespace baraza::client {

namespace {
constexpr int look_every_ms = 100;  // how soon the reader notices that it is to end
}

class keys::impl {
 public:
  impl(boost::asio::io_context& io, std::function<void(char)> pressed)
      : io_{io}, pressed_{std::make_shared<std::function<void(char)>>(std::move(pressed))} {
    if (::isatty(STDIN_FILENO) != 0 && ::tcgetattr(STDIN_FILENO, &before_) == 0) {
      termios raw = before_;
      raw.c_lflag &= ~static_cast<tcflag_t>(ICANON | ECHO);
      raw_ = ::tcsetattr(STDIN_FILENO, TCSANOW, &raw) == 0;
    }
    thread_ = std::thread{[this] { read(); }};
  }
  ~impl() {
    stopping_ = true;
    thread_.join();
    *pressed_ = nullptr;  // keys still on their way are dropped
    if (raw_) ::tcsetattr(STDIN_FILENO, TCSANOW, &before_);
  }

 private:
  void report(char key) {
    boost::asio::post(io_, [pressed = pressed_, key] {
      if (*pressed) (*pressed)(key);
    });
  }

  void read() {
    std::array<char, 64> bytes;
    while (!stopping_) {
      pollfd input{STDIN_FILENO, POLLIN, 0};
      if (::poll(&input, 1, look_every_ms) <= 0) continue;
      const ssize_t got = ::read(STDIN_FILENO, bytes.data(), bytes.size());
      if (got <= 0) return report(0);
      for (ssize_t i = 0; i < got; ++i) report(bytes[static_cast<std::size_t>(i)]);
      // A file or `yes` would fill memory faster than anybody plays.
      if (!raw_) std::this_thread::sleep_for(std::chrono::milliseconds{look_every_ms});
    }
  }

  boost::asio::io_context& io_;
  std::shared_ptr<std::function<void(char)>> pressed_;
  termios before_{};
  bool raw_ = false;
  std::atomic<bool> stopping_{false};
  std::thread thread_;
};

keys::keys(boost::asio::io_context& io, std::function<void(char)> pressed)
    : impl_{std::make_unique<impl>(io, std::move(pressed))} {}
keys::~keys() = default;

}  // namespace baraza::client
