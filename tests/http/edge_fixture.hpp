// A real edge on free loopback ports, with the embedded store in a folder of its own and a bridge
// that records and can be told to stay silent. Cheap argon2id parameters keep the suite quick; one
// test uses the real ones.
#pragma once

#include <atomic>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "cluster/read_pool.hpp"
#include "http/edge.hpp"
#include "tests/http/raw_client.hpp"
#include "tests/storage/temporary_folder.hpp"

namespace baraza::http::tests {

/// Stands in for the actors: answers each request with ok, except while it is told to keep silent.
class recording_bridge final : public bridge {
 public:
  session_number attach(const uuid& player, const uuid& login, std::string display,
                        std::weak_ptr<session_sink> sink) override;
  void detach(session_number session) override;
  void handle(session_number session, wire::client_frame frame) override;
  void ask(const entity_id& to, actors::request what, std::string_view request_id,
           std::chrono::milliseconds deadline,
           std::function<void(const actors::answer&)> answered) override;
  void end_sessions(const uuid& player, const uuid* login) override;
  void hear_ended(ended_elsewhere hears) override;
  void go_away(std::uint32_t retry_ms) override;
  [[nodiscard]] std::size_t sessions() const override;
  [[nodiscard]] session_number attached_ever() const;

  /// As if another edge had ended them.
  void tell_ended(const uuid& player, const uuid* login);
  /// Frames to every session, as a broadcast of a table would send them.
  void push_to_all(std::shared_ptr<const std::string> frame, int times = 1);
  std::vector<wire::client_frame> handled() const;
  std::atomic<bool> is_silent{false};

 private:
  struct attached {
    uuid player, login;
    std::weak_ptr<session_sink> sink;
  };
  mutable std::mutex mutex_;
  std::map<session_number, attached> sessions_;
  std::vector<wire::client_frame> handled_;
  session_number next_ = 0;
  ended_elsewhere hears_;
};

struct server {
  explicit server(edge_options options = {}, edge_callbacks callbacks = {});
  ~server();
  static edge_options quick();  // free ports, cheap passwords

  raw_client connect(int receive_buffer = 0) const {
    return raw_client{at->port(), receive_buffer};
  }
  raw_client connect_admin() const { return raw_client{at->admin_port()}; }
  http_answer ask(std::string_view bytes) const { return connect().ask(bytes); }
  /// Access token of a new guest.
  std::string guest() const;
  /// A guest's session, open and attached.
  raw_client play(std::string_view subprotocol = "baraza.v1.json") const;
  std::uint64_t metric(std::string_view line) const;  // "baraza_edge_sessions", labels included
  std::vector<std::string> log_lines() const;

  baraza::tests::temporary_folder folder;
  std::atomic<millis> skew{0};  // added to the clock
  recording_bridge actors;
  std::unique_ptr<storage::store> store;
  std::unique_ptr<storage::identity_store> identities;
  std::unique_ptr<cluster::read_pool> reads;
  mutable std::mutex log_mutex;
  std::vector<std::string> log;
  std::unique_ptr<edge> at;
};

}  // namespace baraza::http::tests
