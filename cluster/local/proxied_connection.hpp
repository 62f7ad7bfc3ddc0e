// One connection through a proxy: two sockets and two directions. Runs on the proxy's thread.
#pragma once

#include <array>
#include <boost/asio/ip/tcp.hpp>
#include <functional>
#include <memory>

#include "cluster/local/limits.hpp"
#include "cluster/local/proxy.hpp"

namespace baraza::cluster::local {

/// What a connection asks of its proxy.
class connection_host {
 public:
  virtual ~connection_host() = default;
  [[nodiscard]] virtual road road_of(party from, party to) const = 0;
  /// The last that is heard of it.
  virtual void gone(const std::shared_ptr<class proxied_connection>& which) = 0;
};

class proxied_connection : public std::enable_shared_from_this<proxied_connection> {
 public:
  using tcp = boost::asio::ip::tcp;
  /// @param target_ended called when the target refused the connection, or ended it first
  proxied_connection(connection_host& host, tcp::socket dialler, tcp::endpoint target, party from,
                     party to, std::function<void()> target_ended);

  /// Call after making it and whenever a road has changed.
  void look_at_roads();
  /// Ends both sides without a farewell.
  void reset();

 private:
  struct direction {
    party source, sink;
    tcp::socket *in, *out;
    std::array<char, proxied_bytes> bytes{};
    std::size_t held = 0;    // bytes read and not yet written
    bool is_busy = false;    // a read or write is on its way
    bool has_ended = false;  // the source said its last
    bool is_broken = false;  // … by a reset
    bool is_told = false;    // … and the sink knows
    bool is_deaf = false;    // the sink is gone, which its source may not know yet
  };

  void dial();
  void advance(direction& d);
  void read(direction& d);
  void write(direction& d);
  void tell_end(direction& d);
  [[nodiscard]] road road_of(const direction& d) const;
  [[nodiscard]] bool are_open() const;

  connection_host& host_;
  tcp::socket dialler_, target_;
  const tcp::endpoint where_;
  direction request_, answer_;
  std::function<void()> target_ended_;
  enum class phase : std::uint8_t { waiting, dialling, carrying, gone } phase_ = phase::waiting;
};

}  // namespace baraza::cluster::local
