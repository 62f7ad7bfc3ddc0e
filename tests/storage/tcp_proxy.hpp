// A TCP proxy that loses a connection at a chosen point of one commit.
#pragma once

#include <atomic>
#include <cstdint>
#include <string>
#include <thread>
#include <vector>

namespace baraza::tests {

class tcp_proxy {
 public:
  /// What happens to the next request whose bytes contain the trigger; everything else passes.
  enum class fault {
    none,
    lose_request,  // the server never sees it
    lose_answer,   // the server answers, the client does not hear it
    half_open,     // the server gets it and keeps its connection; the client's is cut at once
    hold_request,  // the client's connection is cut; the server gets the request when deliver() is
                   // called
  };

  /// Forwards 127.0.0.1:port() to 127.0.0.1:`target`.
  tcp_proxy(int target, std::string trigger);
  ~tcp_proxy();
  tcp_proxy(const tcp_proxy&) = delete;
  tcp_proxy& operator=(const tcp_proxy&) = delete;

  [[nodiscard]] int port() const { return port_; }
  void arm(fault what) { armed_ = what; }
  /// Sends what hold_request kept to the server, over the connection it was meant for.
  void deliver() { deliver_ = true; }
  /// Whether the armed fault has struck.
  [[nodiscard]] bool has_struck() const { return armed_ == fault::none; }

 private:
  void accept_all();
  void forward(int client);

  int target_;
  std::string trigger_;
  int listener_ = -1, port_ = 0;
  std::atomic<fault> armed_ = fault::none;
  std::atomic<bool> deliver_ = false, stop_ = false;
  std::vector<std::thread> forwarders_;
  std::thread acceptor_;
};

}  // namespace baraza::tests
