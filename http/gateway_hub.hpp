// What an edge knows of its sessions: who they are, what they wait for, what they watch (rule E1).
#pragma once

#include <mutex>
#include <unordered_map>

#include "cluster/messages.hpp"
#include "cluster/services.hpp"
#include "http/adaptive_mutex.hpp"
#include "http/gateway_bridge.hpp"
#include "http/gateway_frames.hpp"
#include "http/subscriptions.hpp"

namespace baraza::http {

std::uint64_t low_half(const uuid& id);

/// State behind one mutex: held for microseconds by session threads and by the gateway actor, never
/// across a send that could block. Frames leave after it is let go, those of the gateway actor
/// together: a socket thread that is woken for each would meet it at every lock on the way.
class gateway_hub {
 public:
  gateway_hub(std::shared_ptr<cluster::node_services> node, const bridge_options& options)
      : node_{std::move(node)}, options_{options} {}

  // ---- from the sessions and routes; the contracts are those of bridge
  session_number attach(const uuid& player, const uuid& login, std::string display,
                        std::weak_ptr<session_sink> sink);
  void detach(session_number number);
  void handle(session_number number, wire::client_frame frame);
  void ask(const entity_id& to, actors::request what, std::string_view request_id,
           std::chrono::milliseconds deadline, std::function<void(const actors::answer&)> answered);
  void end_sessions(const uuid& player, const uuid* login);
  void hear_ended(bridge::ended_elsewhere hears);
  void go_away(std::uint32_t retry_ms);
  std::size_t count() const;

  // ---- from the gateway actor; what they tell leaves with the next flush()
  void on_answer(cluster::edge_answer& m);
  void on_push(const actors::push& what);
  /// Their tables, wallets and lobbies are somewhere else, or out of reach for longer than a
  /// moment.
  void on_shards(const cluster::shards_changed& m);
  /// How far tables are that were pushed here: whoever is behind has lost the last push (rule E1).
  void on_heads(const cluster::wire::digest& m);
  /// Logins were ended on another edge.
  void on_ended(const cluster::wire::logins_ended& m);
  /// Once a second: requests whose answer is late, subscriptions to renew, tickets nobody came back
  /// for.
  void sweep();
  void flush();

 private:
  struct pending {
    std::uint64_t id = 0;
    millis deadline = 0;         // steady
    uuid table;                  // of a watch; else nil
    std::uint64_t seq = 0;       // the seq a watch asked after
    uuid ticket;                 // of a lobby.join
    cluster::envelope_ptr sent;  // sent again, with the same command id, when its shard moves
  };
  struct lobby_ticket {
    uuid ticket;
    entity_id lobby;
    cluster::envelope_ptr join;  // a lobby that moves forgets its queue: entered again (rule E2)
  };
  struct ask_waiting {
    millis deadline = 0;  // steady
    std::function<void(const actors::answer&)> answered;
    cluster::envelope_ptr sent;
  };
  struct session {
    uuid player, login;
    std::string display;
    std::weak_ptr<session_sink> sink;
    std::vector<pending> waiting;
    std::vector<lobby_ticket> tickets;
    std::vector<uuid> tables;
  };
  struct lost_ticket {
    lobby_ticket what;
    millis until = 0;
  };

  struct letter {
    std::shared_ptr<session_sink> to;
    shared_frame frame;
  };
  /// Holds the mutex. What a session's thread tells meanwhile leaves after it; what the gateway
  /// actor tells, it alone delivers, so that a session never gets two pushes in the wrong order.
  class turn {
   public:
    enum class of : std::uint8_t { session, gateway };
    explicit turn(gateway_hub& hub, of whom = of::session) : lock_{hub.mutex_} {
      hub.telling_ = whom == of::session ? &told_ : &hub.kept_;
    }
    ~turn() {
      lock_.unlock();
      deliver(told_);
    }
    turn(const turn&) = delete;
    turn& operator=(const turn&) = delete;

   private:
    std::unique_lock<adaptive_mutex> lock_;
    std::vector<letter> told_;
  };
  static void deliver(const std::vector<letter>& all) {
    for (const auto& each : all) each.to->deliver(each.frame);
    for (const auto& each : all) each.to->wake();
  }
  void tell(const session& to, shared_frame frame) {
    if (auto sink = to.sink.lock()) telling_->push_back({std::move(sink), std::move(frame)});
  }
  cluster::envelope_ptr send(const entity_id& to, actors::request what, actors::reply_to from,
                             millis within = 0,
                             std::shared_ptr<const std::string> request_id = nullptr);
  pending& expect(session& from, std::uint64_t id);
  void request(session_number number, session& from, std::uint64_t id, const entity_id& to,
               actors::request what);
  void time_out(session_number number, session& s, millis now);
  void answer_ask(const cluster::edge_answer& m);  // of a route, not of a session

  // ---- one overload a message
  void ask_entity(session_number, session& from, std::uint64_t id, wire::hello&);
  void ask_entity(session_number, session& from, std::uint64_t id, wire::ping&);
  void ask_entity(session_number number, session& from, std::uint64_t id, wire::lobby_join& m);
  void ask_entity(session_number, session& from, std::uint64_t id, wire::lobby_leave&);
  void ask_entity(session_number number, session& from, std::uint64_t id, wire::table_watch& m);
  void ask_entity(session_number number, session& from, std::uint64_t id, wire::table_unwatch& m);
  void ask_entity(session_number number, session& from, std::uint64_t id, wire::table_ready& m);
  void ask_entity(session_number number, session& from, std::uint64_t id, wire::table_open& m);
  void ask_entity(session_number number, session& from, std::uint64_t id, wire::table_act& m);
  void ask_entity(session_number number, session& from, std::uint64_t id, wire::table_concede& m);
  void ask_entity(session_number number, session& from, std::uint64_t id, wire::wallet_get& m);
  void ask_table(session_number number, session& from, std::uint64_t id, const uuid& table,
                 actors::request what);
  /// Match ids are UUIDv7 of the past: anything else would only wake an empty entity.
  bool plausible(const uuid& table) const;

  // ---- subscriptions (gateway_tables.cpp)
  void watch(session_number number, session& from, std::uint64_t id, const uuid& table,
             std::uint64_t seq);
  void watch_again(session_number number, const uuid& table, std::uint64_t seq);
  void leave(const uuid& table, session_number number);
  void forget_table(session_number number, session& from, const uuid& table);
  void renew_subscriptions(millis now);
  void on_view(session_number number, session& to, const pending& asked,
               const actors::table_view& view);
  /// The table is ahead, or began a new life: every watcher asks for what it missed.
  void catch_up(std::uint64_t half) {
    catch_up([half](const uuid& id) { return low_half(id) == half; });
  }
  void catch_up(const std::function<bool(const uuid&)>& is_behind);
  void send_again(const std::function<bool(const entity_id&)>& is_theirs);
  void on_events(const actors::table_events& m);
  /// One who caused events does not watch, is behind, or caused several: it gets a plain answer.
  void answer_cause(const actors::reply_to& cause, std::uint64_t seq);
  /// The request that one of this push's causes is, if the session has one that was not told yet.
  static const actors::reply_to* take_cause(std::vector<const actors::reply_to*>& untold,
                                            session_number session);
  void on_player(const actors::player_push& m);
  /// Matched: whatever other queue the player stands in, on any session, must not seat him twice.
  void leave_lobbies(const uuid& player);

  std::shared_ptr<cluster::node_services> node_;
  const bridge_options options_;
  mutable adaptive_mutex mutex_;
  std::mutex hears_mutex_;
  bridge::ended_elsewhere hears_;
  std::vector<letter>* telling_ = nullptr;  // of whoever holds the mutex
  std::vector<letter> kept_;                // until flush()
  std::unordered_map<session_number, session> sessions_;
  std::unordered_map<uuid, std::vector<session_number>> players_;
  std::unordered_map<uuid, std::vector<lost_ticket>> lost_;
  std::unordered_map<std::uint64_t, ask_waiting> asks_;
  subscriptions tables_;
  session_number last_session_ = 0;
  std::uint64_t last_ask_ = 0, last_own_ = 0;
  bool closing_ = false;
};

/// Requests that the edge itself sends for a session carry this bit, so that they never meet a
/// client's id (at most 2^53-1).
inline constexpr std::uint64_t own_request = 1ull << 63;
/// Answers to renewals come back to this session; `request` is the low half of the table's id.
inline constexpr std::uint64_t renewal_session = ~0ull;
}  // namespace baraza::http
