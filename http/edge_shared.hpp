// What all sessions of one edge share; private to http/.
#pragma once

#include <atomic>
#include <memory>
#include <vector>

#include "http/action_class.hpp"
#include "http/edge.hpp"
#include "http/io_thread.hpp"
#include "http/messages.hpp"
#include "http/rate_limiter.hpp"

namespace boost::asio::ssl {
class context;
}

namespace baraza::http {

inline nanos steady_nanos() { return std::chrono::steady_clock::now().time_since_epoch().count(); }

struct edge_shared {
  explicit edge_shared(edge_options o) : options{std::move(o)} {}
  edge_options options;
  std::vector<address_range> trusted;
  bridge* to = nullptr;
  auth_service* accounts = nullptr;
  key_counter sockets_by_address;
  std::atomic<std::size_t> sockets{0};
  rate_limiter accepts{options.accept_rate, limits::address_keys_max};
  rate_limiter requests{options.http_rate, limits::address_keys_max};
  rate_limiter guests{options.guest_rate, limits::address_keys_max};
  rate_limiter account_messages{options.account_rate, limits::address_keys_max};
  rate_limiter account_joins{within(options.join_rate, limits::joins_per_s_max),
                             limits::address_keys_max};
  rate_limiter account_stakes{within(options.stake_rate, limits::stakes_per_s_max),
                              limits::address_keys_max};
  rate_limiter address_messages{options.address_rate, limits::address_keys_max};
  std::atomic<bool> stopping{false};
  [[nodiscard]] bool is_exempt(const address& a) const {
    return options.exempt_loopback && a.is_loopback();
  }
};

/// A place among the sockets of the edge and of its address; given back when the connection ends.
class socket_place {
 public:
  socket_place(edge_shared& shared, io_counters& counters, const address& peer)
      : shared_{&shared}, counters_{&counters}, peer_{peer} {}
  socket_place(socket_place&& other) noexcept
      : shared_{std::exchange(other.shared_, nullptr)},
        counters_{other.counters_},
        peer_{other.peer_} {}
  socket_place& operator=(socket_place&&) = delete;
  ~socket_place() {
    if (shared_ == nullptr) return;
    counters_->sockets_open.sub();
    shared_->sockets.fetch_sub(1, std::memory_order_relaxed);
    if (!shared_->is_exempt(peer_)) shared_->sockets_by_address.leave(peer_.bytes);
  }
  [[nodiscard]] const address& peer() const { return peer_; }

 private:
  edge_shared* shared_;
  io_counters* counters_;
  address peer_;
};

/// Starts an HTTP session on an accepted socket. `websockets`: whether /v1/play may be opened here
/// (not on the admin port).
struct session_origin {
  edge_shared& shared;
  io_thread& thread;
  service& routes;
  bool websockets = true;
};
void start_plain_session(const session_origin& from, plain_socket socket, socket_place place);
void start_tls_session(const session_origin& from, plain_socket socket, socket_place place,
                       boost::asio::ssl::context& tls);

}  // namespace baraza::http
