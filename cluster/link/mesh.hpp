// What a link is inside: its thread, its peers, its connections. All but the methods marked so run
// on its own thread.
//
// ```
// outgoing:  waiting ──backoff over──▶ dialling ──TCP, TLS──▶ hello said ──welcome──▶ up
//               ▲                         └─late, refused────────┴─late, refused       │
//               └──────────────────────────────────────────────────closed, silent──────┘
// incoming:  stranger ──hello accepted──▶ up ──closed, silent, replaced──▶ gone
//               └──late, refused──▶ gone
// ```
#pragma once

#include <atomic>
#include <boost/asio/steady_timer.hpp>
#include <map>
#include <random>
#include <set>
#include <thread>

#include "cluster/link/connection.hpp"
#include "cluster/link/link.hpp"
#include "cluster/link/outboxes.hpp"

namespace baraza::cluster {

class link::mesh final : public connection_owner {
 public:
  mesh(link_options options, link_events events);
  ~mesh() override;

  // Any thread.
  std::string start();  // empty, or why not
  void stop();
  [[nodiscard]] std::uint16_t port() const { return port_; }
  void set_peers(std::vector<link_peer> peers);
  send_result send(const std::string& name, outboxes::message what);
  std::string reload_certificates();
  [[nodiscard]] std::vector<link_status> status() const;

 private:
  using connection_ptr = std::shared_ptr<connection>;
  struct peer_state {
    link_peer where;
    connection_ptr out;
    std::int64_t backoff_ms = 0, next_dial_ms = 0, round_trip_us = 0, pinged_us = 0;
    bool ping_open = false;
    std::vector<std::string> pages;  // of the message being written, the next one last
    std::uint64_t messages = 0;
    std::string last_error;
  };

  void on_open(connection& c) override;
  void on_frame(connection& c, frame_type type, std::string_view body) override;
  void on_writable(connection& c) override;
  void on_closed(connection& c, const std::string& why) override;

  void take_peers(std::vector<link_peer> peers);
  void accept();
  void dial(peer_state& peer);
  void on_answer(connection& c, frame_type type, std::string_view body);
  void on_verdict(connection& c, peer_state& peer, frame_type type, std::string_view body);
  void on_asked(connection& c, frame_type type, std::string_view body);
  void on_hello(connection& c, std::string_view body);
  void on_data(connection& c, std::string_view body);
  void welcome(connection& c, const hello& from, const verdict& answer);
  void outgoing_closed(connection& c, const std::string& why);
  void incoming_closed(connection& c, const std::string& why);
  void pump(peer_state& peer);
  void tick();
  void look_at_peers(std::int64_t now);
  void look_at_incoming(std::int64_t now);
  void forgive_own_pause(std::int64_t gap);
  void publish_status();
  void begin_stop();
  void tell_lost(const outboxes::owners& whose, link_loss why);
  void say(link_log how, std::string_view event, const std::string& detail);
  std::optional<std::uint64_t> known_incarnation(const std::string& name) const;

  const link_options options_;
  const link_events events_;
  boost::asio::io_context io_{1};
  boost::asio::ip::tcp::acceptor acceptor_{io_};
  boost::asio::steady_timer ticker_{io_};
  connection::context_ptr tls_;
  std::map<std::string, peer_state> peers_;
  std::map<std::string, connection_ptr> incoming_;  // greeted
  std::set<connection_ptr> strangers_, ending_;     // not yet greeted; refused or replaced
  outboxes outboxes_;
  std::map<std::string, std::int64_t, std::less<>> said_;  // sentence → when
  std::minstd_rand random_{std::random_device{}()};
  std::int64_t ticked_ms_ = 0, stop_by_ms_ = 0;
  bool accepting_ = false;
  std::uint16_t port_ = 0;
  mutable std::mutex status_mutex_;
  std::vector<link_status> status_;
  std::atomic<bool> stopped_{false};
  std::thread thread_;
};

}  // namespace baraza::cluster
