// One port: accepts, counts, hands sockets to the socket threads in turn. (Not SO_REUSEPORT: a
// second server on the port must fail.)
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "http/edge_shared.hpp"

namespace baraza::http {

class tls_certificate;

class listener {
 public:
  /// @param tls may be null: plain
  listener(edge_shared& shared, std::vector<io_thread*> threads, service& routes,
           const tls_certificate* tls, bool websockets);
  ~listener();
  /// Binds and listens; nothing is accepted before accept(). @returns what is wrong, or empty
  std::string bind(const std::string& address, std::uint16_t port);
  void accept();  // starts accepting; then from any thread:
  void stop();
  void release();  // once the threads have stopped: nothing of theirs is kept
  [[nodiscard]] std::uint16_t port() const { return port_; }

 private:
  struct state;
  std::shared_ptr<state> state_;
  std::uint16_t port_ = 0;
};

}  // namespace baraza::http
