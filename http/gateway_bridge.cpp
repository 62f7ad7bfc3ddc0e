#include "http/gateway_bridge.hpp"

#include <algorithm>
#include <caf/actor_system.hpp>
#include <caf/event_based_actor.hpp>
#include <caf/send.hpp>
#include <mutex>
#include <unordered_map>

#include "actors/games/game.hpp"
#include "actors/lobby.hpp"
#include "cluster/messages.hpp"
#include "cluster/services.hpp"
#include "http/gateway_frames.hpp"
#include "http/limits.hpp"
#include "http/subscriptions.hpp"

namespace baraza::http {
namespace {

using actors::refused;
using cluster::cluster_clock;

// Requests that the edge itself sends for a session carry this bit, so that they never meet a
// client's id (at most 2^53-1).
constexpr std::uint64_t own_request = 1ull << 63;
constexpr std::uint64_t renewal_session =
    ~0ull;  // answers to renewals; `request` is the low half of the table's id
constexpr std::size_t watched_tables_max = 16;  // per session; beyond: `too_many_tables`
constexpr std::size_t tickets_per_session_max = 4;
constexpr std::size_t asks_max =
    10'000;  // HTTP requests waiting for an entity; beyond: `overloaded`
constexpr millis lost_tickets_ms = 15'000;  // longer than the lobby's grace time

std::uint64_t low_half(const uuid& id) {
  std::uint64_t half;
  std::memcpy(&half, id.bytes.data() + 8, 8);
  return half;
}

struct pending {
  std::uint64_t id = 0;
  millis deadline = 0;    // steady
  uuid table;             // of a watch; else nil
  std::uint64_t seq = 0;  // the seq a watch asked after
  uuid ticket;            // of a lobby.join
};
struct lobby_ticket {
  uuid ticket;
  entity_id lobby;
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

/// State behind one mutex: held for microseconds by session threads and by the gateway, never
/// across a send that could block.
class hub final : public std::enable_shared_from_this<hub> {
 public:
  hub(std::shared_ptr<cluster::node_services> node, const bridge_options& options)
      : node_{std::move(node)}, options_{options} {}

  session_number attach(const uuid& player, const uuid& login, std::string display,
                        std::weak_ptr<session_sink> sink) {
    const std::lock_guard lock{mutex_};
    const auto number = ++last_session_;
    auto& added = sessions_[number];
    added.player = player;
    added.login = login;
    added.display = std::move(display);
    added.sink = std::move(sink);
    players_[player].push_back(number);
    if (const auto lost = lost_.find(player);
        lost != lost_.end()) {  // back within the grace time: the place in the queue is kept
      for (auto& [what, until] : lost->second) {
        send(what.lobby, actors::lobby_back{what.ticket, player}, {});
        added.tickets.push_back(what);
      }
      lost_.erase(lost);
    }
    return number;
  }

  void detach(session_number number) {
    const std::lock_guard lock{mutex_};
    const auto known = sessions_.find(number);
    if (known == sessions_.end()) return;
    auto gone = std::move(known->second);
    sessions_.erase(known);
    auto& others = players_[gone.player];
    std::erase(others, number);
    if (others.empty()) players_.erase(gone.player);
    for (const auto& table : gone.tables) leave(table, number);
    for (auto& ticket : gone.tickets) {
      send(ticket.lobby, actors::lobby_leave{ticket.ticket, gone.player, true}, {});
      lost_[gone.player].push_back({ticket, cluster_clock::steady() + lost_tickets_ms});
    }
  }

  void handle(session_number number, wire::client_frame frame) {
    const std::lock_guard lock{mutex_};
    const auto known = sessions_.find(number);
    if (known == sessions_.end()) return;
    auto& from = known->second;
    const auto id = frame.id;
    if (closing_)
      return tell(from, error(id, "going_away", "this edge is going away; connect again"));
    std::size_t theirs = 0;
    for (const auto& p : from.waiting) {
      if (p.id == id)
        return tell(from, error(id, "duplicate_id",
                                "this id belongs to a request that is not answered yet"));
      theirs += (p.id & own_request) == 0;
    }
    if (theirs >= limits::session_inflight_max)
      return tell(from, error(id, "too_many_requests", "eight requests are not answered yet"));
    std::visit([&](auto& body) { ask_entity(number, from, id, body); }, frame.body);
  }

  void ask(const entity_id& to, actors::request what, std::chrono::milliseconds deadline,
           std::function<void(const actors::answer&)> answered) {
    std::unique_lock lock{mutex_};
    if (asks_.size() >= asks_max) {
      lock.unlock();
      return answered(refused{"overloaded", "too many requests wait for an answer", 1000});
    }
    const auto number = ++last_ask_;
    asks_.emplace(number,
                  std::pair{cluster_clock::steady() + deadline.count(), std::move(answered)});
    lock.unlock();
    send(to, std::move(what), {options_.edge, 0, number, std::nullopt}, deadline.count());
  }

  void end_sessions(const uuid& player, const uuid* login) {
    const std::lock_guard lock{mutex_};
    const auto theirs = players_.find(player);
    if (theirs == players_.end()) return;
    for (const auto number : theirs->second) {
      const auto& s = sessions_.at(number);
      if (login != nullptr && s.login != *login) continue;
      if (const auto sink = s.sink.lock()) sink->close(1008, "logged out");
    }
  }

  void go_away(std::uint32_t retry_ms) {
    const std::lock_guard lock{mutex_};
    closing_ = true;
    std::string fields;
    fields.append("\xA8retry_ms")
        .append({static_cast<char>(0xCE), static_cast<char>(retry_ms >> 24),
                 static_cast<char>(retry_ms >> 16), static_cast<char>(retry_ms >> 8),
                 static_cast<char>(retry_ms)});
    const auto frame =
        std::make_shared<const std::string>(wire::push_frame("going_away", 1, fields));
    for (auto& [number, s] : sessions_) tell(s, frame);
  }

  std::size_t count() const {
    const std::lock_guard lock{mutex_};
    return sessions_.size();
  }

  // ---- from the gateway
  // -----------------------------------------------------------------------------------------------------------

  void on_answer(cluster::edge_answer& m) {
    std::unique_lock lock{mutex_};
    if (m.session == 0) {
      const auto known = asks_.find(m.request);
      if (known == asks_.end()) return;
      const auto answered = std::move(known->second.second);
      asks_.erase(known);
      lock.unlock();
      return answered(m.what);
    }
    if (m.session == renewal_session) return catch_up(m.request);
    const auto known = sessions_.find(m.session);
    if (known == sessions_.end()) return;
    auto& to = known->second;
    const auto asked = std::find_if(to.waiting.begin(), to.waiting.end(),
                                    [&](const pending& p) { return p.id == m.request; });
    if (asked == to.waiting.end()) return;  // timed out before; the client knows it as unknown
    const auto what = *asked;
    to.waiting.erase(asked);
    if (const auto* view = std::get_if<actors::table_view>(&m.what))
      return on_view(m.session, to, what, *view);
    if (std::holds_alternative<refused>(m.what)) {
      if (!what.ticket.is_nil())
        std::erase_if(to.tickets, [&](const lobby_ticket& t) { return t.ticket == what.ticket; });
      if (!what.table.is_nil()) forget_table(m.session, to, what.table);
    }
    if ((what.id & own_request) == 0)
      tell(to, answer_frame(what.id, m.what));
    else if (!what.table.is_nil())
      tell_gone(to, what.table, m.what);
  }

  void on_push(const actors::push& what) {
    const std::lock_guard lock{mutex_};
    if (const auto* events = std::get_if<actors::table_events>(&what))
      on_events(*events);
    else if (const auto* one = std::get_if<actors::player_push>(&what))
      on_player(*one);
    else if (const auto* again = std::get_if<actors::table_restarted>(&what))
      catch_up(low_half(again->table));
  }

  void sweep() {
    std::vector<std::function<void(const actors::answer&)>> late;
    {
      const std::lock_guard lock{mutex_};
      const auto now = cluster_clock::steady();
      for (auto& [number, s] : sessions_) time_out(number, s, now);
      for (auto ask = asks_.begin(); ask != asks_.end();) {
        if (ask->second.first > now) {
          ++ask;
          continue;
        }
        late.push_back(std::move(ask->second.second));
        ask = asks_.erase(ask);
      }
      tables_.each([&](const uuid& id, subscriptions::table& t) {
        if (t.renew_at > now) return;
        t.renew_at = now + options_.renew_every.count();
        if (t.seq != 0)
          send({entity_kind::table, id}, actors::table_renew{t.seq},
               {options_.edge, renewal_session, low_half(id), std::nullopt});
      });
      for (auto lost = lost_.begin(); lost != lost_.end();) {
        std::erase_if(lost->second, [&](const lost_ticket& l) { return l.until < now; });
        lost = lost->second.empty() ? lost_.erase(lost) : std::next(lost);
      }
    }
    for (auto& answered : late)
      answered(refused{"timeout", "no answer in time: the outcome is unknown", 0});
  }

 private:
  static shared_frame error(std::uint64_t id, std::string_view code, std::string_view message,
                            std::uint32_t retry_ms = 0) {
    return std::make_shared<const std::string>(wire::error_frame(id, code, message, retry_ms));
  }
  static void tell(const session& to, shared_frame frame) {
    if (const auto sink = to.sink.lock()) sink->deliver(std::move(frame));
  }
  void send(const entity_id& to, actors::request what, actors::reply_to from, millis within = 0) {
    auto request = std::make_shared<cluster::envelope>();
    request->to = to;
    request->from = std::move(from);
    request->what = std::move(what);
    if (within != 0) request->deadline = node_->clock.now() + within;
    caf::anon_send(node_->region, cluster::deliver{std::move(request)});
  }
  pending& expect(session& from, std::uint64_t id) {
    from.waiting.push_back(
        {id, cluster_clock::steady() + options_.request_deadline.count(), {}, 0, {}});
    return from.waiting.back();
  }
  void request(session_number number, session& from, std::uint64_t id, const entity_id& to,
               actors::request what) {
    expect(from, id);
    send(to, std::move(what), {options_.edge, number, id, std::nullopt},
         options_.request_deadline.count());
  }

  // ---- one overload a message
  // -----------------------------------------------------------------------------------------------------

  void ask_entity(session_number, session& from, std::uint64_t id, wire::hello&) {
    tell(from,
         error(id, "already_authenticated", "hello is the first message of a connection, once"));
  }
  void ask_entity(session_number, session& from, std::uint64_t id, wire::ping&) {
    tell(from, answer_frame(id, actors::accepted{}));
  }

  void ask_entity(session_number number, session& from, std::uint64_t id, wire::lobby_join& m) {
    const auto* rules = games::find(m.game);
    if (rules == nullptr)
      return tell(from, error(id, "unknown_game", "no game of this name is played here"));
    auto checked = rules->check_options(m.options);
    if (const auto* why = std::get_if<games::refusal>(&checked))
      return tell(from, error(id, why->code, why->sentence));
    if (from.tickets.size() >= tickets_per_session_max)
      return tell(from,
                  error(id, "too_many_tickets", "this connection already waits in four lobbies"));
    auto& options = std::get<std::string>(checked);
    const entity_id lobby{entity_kind::lobby, actors::lobby_key(m.game, options, m.stake, m.money)};
    const auto ticket = uuid::v4();
    request(number, from, id, lobby,
            actors::lobby_join{ticket, from.player, from.login, from.display, m.game, options,
                               m.stake, m.money});
    from.waiting.back().ticket = ticket;
    from.tickets.push_back({ticket, lobby});
  }
  void ask_entity(session_number, session& from, std::uint64_t id, wire::lobby_leave&) {
    for (const auto& ticket : from.tickets)
      send(ticket.lobby, actors::lobby_leave{ticket.ticket, from.player, false}, {});
    from.tickets.clear();
    tell(from, answer_frame(id, actors::accepted{}));
  }

  void ask_entity(session_number number, session& from, std::uint64_t id, wire::table_watch& m) {
    if (!plausible(m.table)) return tell(from, error(id, "unknown_table", "no table has this id"));
    const bool known =
        std::find(from.tables.begin(), from.tables.end(), m.table) != from.tables.end();
    if (!known && from.tables.size() >= watched_tables_max)
      return tell(from,
                  error(id, "too_many_tables", "a connection watches at most sixteen tables"));
    watch(number, from, id, m.table, m.seq);
  }
  void ask_entity(session_number number, session& from, std::uint64_t id, wire::table_unwatch& m) {
    forget_table(number, from, m.table);
    tell(from, answer_frame(id, actors::accepted{}));
  }
  void ask_entity(session_number number, session& from, std::uint64_t id, wire::table_ready& m) {
    ask_table(number, from, id, m.table, actors::table_ready{from.player, m.hash});
  }
  void ask_entity(session_number number, session& from, std::uint64_t id, wire::table_open& m) {
    ask_table(number, from, id, m.table,
              actors::table_open{from.player, std::move(m.seed), m.salt});
  }
  void ask_entity(session_number number, session& from, std::uint64_t id, wire::table_act& m) {
    ask_table(number, from, id, m.table,
              actors::table_act{from.player, m.command, std::move(m.action)});
  }
  void ask_entity(session_number number, session& from, std::uint64_t id, wire::table_concede& m) {
    ask_table(number, from, id, m.table, actors::table_concede{from.player, m.command});
  }
  void ask_entity(session_number number, session& from, std::uint64_t id, wire::wallet_get& m) {
    request(number, from, id, {entity_kind::wallet, from.player}, actors::wallet_get{m.money});
  }
  void ask_table(session_number number, session& from, std::uint64_t id, const uuid& table,
                 actors::request what) {
    if (!plausible(table)) return tell(from, error(id, "unknown_table", "no table has this id"));
    request(number, from, id, {entity_kind::table, table}, std::move(what));
  }
  /// Match ids are UUIDv7 of the past: anything else would only wake an empty entity.
  bool plausible(const uuid& table) const {
    return (table.bytes[6] >> 4) == 7 && table.time() <= node_->clock.now() + 60'000;
  }

  // ---- subscriptions
  // --------------------------------------------------------------------------------------------------------------

  void watch(session_number number, session& from, std::uint64_t id, const uuid& table,
             std::uint64_t seq) {
    if (std::find(from.tables.begin(), from.tables.end(), table) == from.tables.end())
      from.tables.push_back(table);
    tables_.watch(table, number);
    auto& t = *tables_.find(table);
    if (t.renew_at == 0) t.renew_at = cluster_clock::steady() + options_.renew_every.count();
    auto& asked = expect(from, id);
    asked.table = table;
    asked.seq = seq;
    send({entity_kind::table, table}, actors::table_watch{from.player, seq, t.epoch},
         {options_.edge, number, id, std::nullopt}, options_.request_deadline.count());
  }
  void watch_again(session_number number, const uuid& table, std::uint64_t seq) {
    if (const auto known = sessions_.find(number); known != sessions_.end())
      watch(number, known->second, own_request | ++last_own_, table, seq);
  }
  void leave(const uuid& table, session_number number) {
    if (tables_.unwatch(table, number))
      send({entity_kind::table, table}, actors::table_unwatch{},
           {options_.edge, 0, 0, std::nullopt});
  }
  void forget_table(session_number number, session& from, const uuid& table) {
    std::erase(from.tables, table);
    leave(table, number);
  }

  void on_view(session_number number, session& to, const pending& asked,
               const actors::table_view& view) {
    const auto re = (asked.id & own_request) == 0 ? asked.id : 0;
    auto* watcher = tables_.find(asked.table, number);
    if (watcher == nullptr) {
      if (re != 0) tell(to, view_frame(asked.table, asked.seq, re, view));
      return;
    }
    const bool news = !view.events_only || view.seq > asked.seq || re != 0;
    watcher->seat = view.seat == 0xFF ? watcher->seat : view.seat;
    watcher->seq = view.seq;
    watcher->caught_up = true;
    auto& t = *tables_.find(asked.table);
    t.epoch = std::max(t.epoch, view.epoch);
    t.seq = std::max(t.seq, view.seq);
    if (news) tell(to, view_frame(asked.table, asked.seq, re, view));
  }

  /// The table is ahead, or began a new life: every watcher asks for what it missed.
  void catch_up(std::uint64_t half) {
    std::vector<std::tuple<session_number, uuid, std::uint64_t>> behind;
    tables_.each([&](const uuid& id, subscriptions::table& t) {
      if (low_half(id) != half) return;
      for (auto& w : t.watchers) {
        w.caught_up = false;
        behind.emplace_back(w.session, id, w.seq);
      }
    });
    for (const auto& [number, table, seq] : behind) watch_again(number, table, seq);
  }

  void on_events(const actors::table_events& m) {
    auto* t = tables_.find(m.table);
    bool cause_told = m.cause.edge != options_.edge;
    if (t != nullptr && m.epoch >= t->epoch) {
      t->epoch = m.epoch;
      t->seq = std::max(t->seq, m.seq);
      std::vector<std::tuple<session_number, std::uint64_t>> gaps;
      std::vector<std::string> fields(m.bodies.size());
      std::vector<shared_frame> plain(m.bodies.size());
      for (auto& w : t->watchers) {
        if (!w.caught_up || m.seq <= w.seq) continue;
        if (m.prev > w.seq) {
          w.caught_up = false;
          gaps.emplace_back(w.session, w.seq);
          continue;
        }
        w.seq = m.seq;
        const auto body = body_for(m, w.seat);
        const auto known = sessions_.find(w.session);
        if (body == m.bodies.size() || known == sessions_.end()) continue;
        if (fields[body].empty())
          fields[body] = events_fields(m.table, m.epoch, m.prev, m.seq, m.bodies[body].body);
        if (!cause_told && w.session == m.cause.session) {
          cause_told = true;
          std::erase_if(known->second.waiting,
                        [&](const pending& p) { return p.id == m.cause.request; });
          tell(known->second,
               std::make_shared<const std::string>(wire::push_frame_re(
                   "table.events", m.cause.request, events_field_count, fields[body])));
          continue;
        }
        if (!plain[body])
          plain[body] = std::make_shared<const std::string>(
              wire::push_frame("table.events", events_field_count, fields[body]));
        tell(known->second, plain[body]);
      }
      for (const auto& [number, seq] : gaps) watch_again(number, m.table, seq);
    }
    if (!cause_told) answer_cause(m);
  }

  /// The one who caused the events does not watch, or is behind: it gets a plain answer.
  void answer_cause(const actors::table_events& m) {
    const auto known = sessions_.find(m.cause.session);
    if (known == sessions_.end()) return;
    if (std::erase_if(known->second.waiting,
                      [&](const pending& p) { return p.id == m.cause.request; }) != 0)
      tell(known->second, answer_frame(m.cause.request, actors::accepted{m.seq}));
  }

  static std::size_t body_for(const actors::table_events& m, std::uint8_t seat) {
    const std::uint32_t bit = seat >= 31 ? 1u << 31 : 1u << seat;
    for (std::size_t i = 0; i < m.bodies.size(); ++i)
      if ((m.bodies[i].seats & bit) != 0) return i;
    return m.bodies.size();
  }

  void on_player(const actors::player_push& m) {
    const auto theirs = players_.find(m.player);
    if (theirs == players_.end()) return;
    const auto frame =
        std::make_shared<const std::string>(wire::push_frame(m.type, m.count, m.fields));
    for (const auto number : theirs->second) {
      auto& to = sessions_.at(number);
      tell(to, frame);
      if (m.table.is_nil()) continue;
      to.tickets.clear();  // matched: the other queues must not seat the player twice
      if (to.tables.size() >= watched_tables_max) forget_table(number, to, to.tables.front());
      watch(number, to, own_request | ++last_own_, m.table, 0);
    }
  }

  void tell_gone(session& to, const uuid& table, const actors::answer& why) {
    const auto& no = std::get<refused>(why);
    std::string fields;
    fields.append("\xA5table").append({static_cast<char>(0xD9), 36}).append(table.to_string());
    fields
        .append(
            "\xA4"
            "code")
        .append({static_cast<char>(0xD9), static_cast<char>(no.code.size())})
        .append(no.code);
    const auto message = no.message.substr(0, 255);
    fields.append("\xA7message")
        .append({static_cast<char>(0xD9), static_cast<char>(message.size())})
        .append(message);
    tell(to, std::make_shared<const std::string>(wire::push_frame("table.gone", 3, fields)));
  }

  void time_out(session_number number, session& s, millis now) {
    std::vector<pending> late;
    std::erase_if(s.waiting, [&](const pending& p) {
      if (p.deadline > now) return false;
      late.push_back(p);
      return true;
    });
    for (const auto& p : late) {
      if ((p.id & own_request) != 0) {
        if (tables_.find(p.table, number) != nullptr)
          watch(number, s, own_request | ++last_own_, p.table, p.seq);
      } else {
        tell(s,
             error(p.id, "timeout",
                   "no answer in time: the outcome is unknown; repeat with the same command", 500));
      }
    }
  }

  std::shared_ptr<cluster::node_services> node_;
  const bridge_options options_;
  mutable std::mutex mutex_;
  std::unordered_map<session_number, session> sessions_;
  std::unordered_map<uuid, std::vector<session_number>> players_;
  std::unordered_map<uuid, std::vector<lost_ticket>> lost_;
  std::unordered_map<std::uint64_t, std::pair<millis, std::function<void(const actors::answer&)>>>
      asks_;
  subscriptions tables_;
  session_number last_session_ = 0;
  std::uint64_t last_ask_ = 0, last_own_ = 0;
  bool closing_ = false;
};

class gateway_actor final : public caf::event_based_actor {
 public:
  gateway_actor(caf::actor_config& config, std::shared_ptr<hub> to)
      : caf::event_based_actor{config}, hub_{std::move(to)} {}
  const char* name() const override { return "gateway"; }

 private:
  caf::behavior make_behavior() override {
    delayed_send(this, std::chrono::seconds{1}, cluster::edge_sweep{});
    return {
        [this](cluster::edge_answer& m) { hub_->on_answer(m); },
        [this](cluster::edge_push& m) { hub_->on_push(*m.what); },
        [this](cluster::edge_sweep) {
          delayed_send(this, std::chrono::seconds{1}, cluster::edge_sweep{});
          hub_->sweep();
        },
    };
  }
  std::shared_ptr<hub> hub_;
};

class gateway_bridge final : public bridge {
 public:
  gateway_bridge(std::shared_ptr<hub> to, caf::actor gateway)
      : hub_{std::move(to)}, gateway_{std::move(gateway)} {}
  ~gateway_bridge() override { caf::anon_send_exit(gateway_, caf::exit_reason::user_shutdown); }

  session_number attach(const uuid& player, const uuid& login, std::string display,
                        std::weak_ptr<session_sink> sink) override {
    return hub_->attach(player, login, std::move(display), std::move(sink));
  }
  void detach(session_number session) override { hub_->detach(session); }
  void handle(session_number session, wire::client_frame frame) override {
    hub_->handle(session, std::move(frame));
  }
  void ask(const entity_id& to, actors::request what, std::chrono::milliseconds deadline,
           std::function<void(const actors::answer&)> answered) override {
    hub_->ask(to, std::move(what), deadline, std::move(answered));
  }
  void end_sessions(const uuid& player, const uuid* login) override {
    hub_->end_sessions(player, login);
  }
  void go_away(std::uint32_t retry_ms) override { hub_->go_away(retry_ms); }
  std::size_t sessions() const override { return hub_->count(); }

 private:
  std::shared_ptr<hub> hub_;
  caf::actor gateway_;
};

}  // namespace

std::unique_ptr<bridge> make_gateway_bridge(caf::actor_system& system,
                                            std::shared_ptr<cluster::node_services> node,
                                            const bridge_options& options) {
  auto state = std::make_shared<hub>(node, options);
  auto gateway = system.spawn<gateway_actor>(state);
  node->gateways[options.edge] = gateway;
  return std::make_unique<gateway_bridge>(std::move(state), std::move(gateway));
}

}  // namespace baraza::http
