// A TCP proxy between two nodes that loses one direction or both, without closing anything: what a
// partition looks like.
#pragma once

#include <atomic>
#include <cstdint>
#include <list>
#include <thread>

namespace baraza::cluster::tests {

class lossy_proxy {
 public:
  /// Forwards 127.0.0.1:port() to 127.0.0.1:`target`.
  explicit lossy_proxy(std::uint16_t target);
  ~lossy_proxy();
  lossy_proxy(const lossy_proxy&) = delete;
  lossy_proxy& operator=(const lossy_proxy&) = delete;

  [[nodiscard]] std::uint16_t port() const { return port_; }
  std::atomic<bool> lose_to_target{false}, lose_from_target{false};

 private:
  void accept_all();
  void forward(int client);
  std::uint16_t target_, port_ = 0;
  int listener_ = -1;
  std::atomic<bool> stop_{false};
  std::list<std::thread> forwarders_;
  std::thread acceptor_;
};

}  // namespace baraza::cluster::tests
