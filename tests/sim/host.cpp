#include "tests/sim/host.hpp"

#include "actors/table_events.hpp"
#include "tests/sim/node.hpp"

namespace baraza::sim {

using namespace actors;
using storage::errc;

namespace {
constexpr millis ask_again_ms = 300;
constexpr millis timer_again_ms = 20;
constexpr std::size_t held_max = 64;
constexpr millis leaves_after_ms = 2;  // as when the gate's writer is busy: moves may join
}  // namespace

class host_context final : public context {
 public:
  host_context(host& h, const entity_id& id, std::uint64_t activation)
      : host_{h}, id_{id}, activation_{activation} {}
  millis now() const override {
    auto& own = host_.live_.at(id_);
    return own.clock = std::max(own.clock, host_.node_.cluster_now());
  }
  std::uint64_t head() const override { return host_.live_.at(id_).head; }
  std::uint64_t epoch() const override { return host_.live_.at(id_).epoch; }
  millis reachable_since() const override {
    return host_.world_.options.with == bug::clock_runs_while_down ? 0 : host_.node_.reach.since();
  }
  void commit(change what) override { host_.commit(id_, activation_, std::move(what)); }
  void reply(const reply_to& to, answer what) override { host_.node_.answer(to, what); }
  void ask(const entity_id& to, request what, std::uint64_t correlation, millis deadline) override {
    const auto number = host_.next_ask_++;
    host_.asks_[number] = {id_, to, activation_, correlation, std::move(what), deadline};
    host_.try_ask(number);
  }
  void tell(const entity_id& to, request what) override {
    host_.node_.route({.to = to, .what = std::move(what)});
  }
  void push(actors::push what) override { host_.node_.push(what, host_.live_.at(id_).watchers); }
  void push_to(std::uint32_t edge, actors::push what) override { host_.node_.push_to(edge, what); }
  void set_timer(millis at) override {
    host_.live_.at(id_).timer_at = at;
    if (at == 0) return;
    const auto in = std::max<millis>(at - now(), 0);
    host_.world_.later(in + 1, host_.node_.id,
                       [h = &host_, id = id_, a = activation_, at] { h->fire(id, a, at); });
  }
  void read_balances(std::vector<storage::account_id> accounts,
                     std::uint64_t correlation) override {
    auto rows = std::make_shared<std::vector<storage::balance>>();
    auto* w = &host_.world_;
    w->ask_store(
        host_.node_.id, [w, accounts, rows] { *rows = w->store.ledger.balances(accounts); },
        [h = &host_, id = id_, a = activation_, correlation, rows] {
          h->step(id, a, [&](entity& e, context& c) { e.balances_read(correlation, *rows, c); });
        },
        [h = &host_, id = id_, a = activation_, accounts, correlation] {
          if (const auto found = h->live_.find(id);
              found != h->live_.end() && found->second.activation == a)
            found->second.context->read_balances(accounts, correlation);
        });
  }
  void read_transfers(const storage::account_id& account, const uuid& reference,
                      std::uint64_t correlation) override {
    auto rows = std::make_shared<std::vector<storage::transfer>>();
    auto* w = &host_.world_;
    w->ask_store(
        host_.node_.id,
        [w, account, reference, rows] { *rows = w->store.ledger.transfers_of(account, reference); },
        [h = &host_, id = id_, a = activation_, correlation, rows] {
          h->step(id, a, [&](entity& e, context& c) { e.transfers_read(correlation, *rows, c); });
        },
        [h = &host_, id = id_, a = activation_, account, reference, correlation] {
          if (const auto found = h->live_.find(id);
              found != h->live_.end() && found->second.activation == a)
            found->second.context->read_transfers(account, reference, correlation);
        });
  }
  void set_idle(bool) override {}

 private:
  host& host_;
  entity_id id_;
  std::uint64_t activation_;
};

// Clocks stand while players could not act (rule C); the timer looks again.
void host::fire(const entity_id& id, std::uint64_t activation, millis at) {
  const auto found = live_.find(id);
  if (found == live_.end() || found->second.activation != activation ||
      found->second.timer_at != at)
    return;
  const bool stands = world_.options.with != bug::clock_runs_while_down &&
                      node_.reach.clocks_stand(node_.cluster_now());
  if (found->second.committing || stands)
    return world_.later(timer_again_ms, node_.id,
                        [this, id, activation, at] { fire(id, activation, at); });
  found->second.timer_at = 0;
  step(id, activation, [](entity& e, context& c) { e.timer(c); });
}

shard_id host::shard(const entity_id& id) const { return shard_of(id, world_.options.shards); }

// ---- life -------------------------------------------------------------------------------------

host::one* host::activate(const entity_id& id) {
  if (const auto found = live_.find(id); found != live_.end()) return &found->second;
  if (ending_.contains(id)) return nullptr;
  // A new life reads only after the flight of the old one has ended (rule B5).
  if (const auto flight = flying_.find(id); flight != flying_.end()) return nullptr;
  const auto epoch = node_.member.shards().epoch_of(shard(id));
  if (epoch == 0) return nullptr;
  auto& own = live_[id];
  own.activation = next_activation_++;
  own.epoch = epoch;
  load(id, own.activation);
  return &own;
}

void host::load(const entity_id& id, std::uint64_t activation) {
  auto stored = std::make_shared<storage::activation>();
  const bool whole = world_.options.with == bug::forgets_commands;
  world_.ask_store(
      node_.id, [this, id, stored, whole] { *stored = world_.store.ledger.read(id, !whole); },
      [this, id, activation, stored] {
        const auto found = live_.find(id);
        if (found == live_.end() || found->second.activation != activation) return;
        restore(id, found->second, *stored);
      },
      [this, id, activation] {
        const auto found = live_.find(id);
        if (found != live_.end() && found->second.activation == activation) load(id, activation);
      });
}

void host::restore(const entity_id& id, one& own, const storage::activation& stored) {
  own.what = id.kind == entity_kind::wallet ? make_wallet(id, world_.wallet_options)
                                            : make_table(id, world_.table_options);
  own.context = std::make_unique<host_context>(*this, id, own.activation);
  own.head = stored.head;
  own.began = world_.now();
  const bool forgets =
      world_.options.with == bug::forgets_commands && id.kind == entity_kind::table;
  try {
    if (stored.snapshot) own.what->restore(*stored.snapshot);
    for (const auto& event : stored.events) {
      auto payload = event.payload;
      if (forgets) {
        auto read = table_event::decode(event.payload);
        if (auto* g = std::get_if<table_event::game>(&read.what)) {
          g->command = 0;
          payload = table_event::encode(read.at, read.what);
        }
      }
      own.what->fold(event.seq, event.at, payload);
    }
  } catch (const std::exception& why) {
    world_.fail("an entity cannot be folded: " + std::string{why.what()});
    live_.erase(id);
    return;
  }
  own.ready = true;
  const auto activation = own.activation;
  step(id, activation, [&](entity& e, context& c) { e.activated(c, stored.head == 0); });
  pump(id);
}

void host::wake(const entity_id& id) { activate(id); }

void host::crash(const entity_id& id) {
  const auto found = live_.find(id);
  if (found == live_.end()) return;
  ++world_.count.crashes;
  const auto held = std::move(found->second.held);
  live_.erase(found);
  world_.later(5, node_.id, [this, id, held] {
    for (const auto& [what, from] : held) deliver(id, what, from);
    activate(id);
  });
}

bool host::stop(shard_id which, bool at_once) {
  bool empty = true;
  for (auto it = live_.begin(); it != live_.end();) {
    const bool its = shard(it->first) == which;
    if (its && (at_once || !it->second.committing)) {
      it = live_.erase(it);
      continue;
    }
    if (its) empty = false;
    ++it;
  }
  return empty;
}

std::vector<entity_id> host::live() const {
  std::vector<entity_id> out;
  for (const auto& [id, own] : live_)
    if (own.ready) out.push_back(id);
  return out;
}

// ---- messages ---------------------------------------------------------------------------------

void host::deliver(const entity_id& to, const request& what, const reply_to& from) {
  auto* own = activate(to);
  if (own == nullptr || own->held.size() >= held_max) return;  // the asker asks again
  own->held.emplace_back(what, from);
  pump(to);
}

void host::pump(const entity_id& id) {
  for (;;) {
    const auto found = live_.find(id);
    if (found == live_.end()) return;
    auto& own = found->second;
    if (!own.ready || own.held.empty()) return;
    if (own.committing) {
      if (!join(id)) return;
      continue;
    }
    const auto [what, from] = std::move(own.held.front());
    own.held.pop_front();
    const bool watches =
        std::holds_alternative<table_watch>(what) || std::holds_alternative<table_renew>(what);
    if (watches && from.edge != 0 &&
        from.session != static_cast<std::uint64_t>(node::session::look))
      own.watchers.insert(from.edge);
    if (std::holds_alternative<table_unwatch>(what)) own.watchers.erase(from.edge);
    step(id, own.activation, [&](entity& e, context& c) { e.handle(what, from, c); });
  }
}

bool host::join(const entity_id& id) {
  auto& own = live_.at(id);
  if (!own.leaving || world_.options.with == bug::ack_before_commit) return false;
  const auto leaving = own.leaving;
  const auto [what, from] = own.held.front();
  std::optional<change> more;
  step(id, own.activation, [&](entity& e, context& c) {
    more = e.join(what, from, c);
    if (!more) return;
    ++world_.count.joins;
    live_.at(id).held.pop_front();
    add_to(leaving->what, std::move(*more));
  });
  return more.has_value();
}

template <class F>
void host::step(const entity_id& id, std::uint64_t activation, F&& call) {
  const auto found = live_.find(id);
  if (found == live_.end() || found->second.activation != activation) return;
  try {
    call(*found->second.what, *found->second.context);
  } catch (const std::exception&) {
    crash(id);
  }
}

void host::try_ask(std::uint64_t number) {
  const auto found = asks_.find(number);
  if (found == asks_.end()) return;
  const auto& open = found->second;
  if (node_.cluster_now() >= open.deadline) return ended(number, refused{"timeout", "", 0});
  node_.route({.to = open.to, .what = open.what, .from = {0, node_.id, number, open.from}});
  world_.later(ask_again_ms, node_.id, [this, number] { try_ask(number); });
}

void host::answered(std::uint64_t ask, const answer& what) { ended(ask, what); }

void host::ended(std::uint64_t number, const answer& what) {
  const auto found = asks_.find(number);
  if (found == asks_.end()) return;
  const auto open = found->second;
  asks_.erase(found);
  step(open.from, open.activation,
       [&](entity& e, context& c) { e.answered(open.correlation, what, c); });
}

// ---- commits ----------------------------------------------------------------------------------

void host::check_clock(const entity_id& id, const one& own, const change& what) {
  if (id.kind != entity_kind::table) return;
  for (const auto& bytes : what.events) {
    const auto event = table_event::decode(bytes);
    const auto* g = std::get_if<table_event::game>(&event.what);
    if (g == nullptr || g->seat != table_event::no_seat) continue;
    // Rule C: whoever comes back has 10 s; clocks of nodes differ by less than one of them.
    if (world_.now() - own.began < 9'000)
      world_.fail("a clock fired right after its match came back");
    if (world_.now() - node_.impeded_at() < 9'000)
      world_.fail("a clock fired right after its players could not act");
  }
}

void host::commit(const entity_id& id, std::uint64_t activation, change what) {
  auto& own = live_.at(id);
  if (own.committing) throw std::logic_error{"two commits in flight"};
  check_clock(id, own, what);
  own.committing = true;
  ++flying_[id];
  if (world_.options.with == bug::ack_before_commit) tell_early(id, activation, what);
  own.leaving = std::make_shared<sent_commit>(sent_commit{.entity = id,
                                                          .shard = shard(id),
                                                          .epoch = own.epoch,
                                                          .expected_seq = own.head,
                                                          .what = std::move(what)});
  world_.later(leaves_after_ms, node_.id, [this, id, activation, sent = own.leaving] {
    const auto found = live_.find(id);
    if (found != live_.end() && found->second.leaving == sent) found->second.leaving = nullptr;
    const auto events = sent->what.events.size();
    node_.commit(std::move(*sent), [this, id, activation, events](const auto& result) {
      if (--flying_[id] == 0) flying_.erase(id);
      settled(id, activation, events, result);
    });
  });
}

void host::tell_early(const entity_id& id, std::uint64_t activation, const change& what) {
  auto copy = std::make_shared<test::model_store>(world_.store.ledger);
  const auto result = copy->apply(id, live_.at(id).head, what, world_.now());
  world_.later(0, node_.id, [this, id, activation, result, events = what.events.size()] {
    settled(id, activation, events, result);
  });
}

void host::settled(const entity_id& id, std::uint64_t activation, std::size_t events,
                   const storage::member_result& result) {
  const auto found = live_.find(id);
  if (found == live_.end() || found->second.activation != activation) {
    if (found == live_.end() && world_.store.ledger.wakes.contains(id)) activate(id);
    return;
  }
  auto& own = found->second;
  if (!own.committing) return;
  own.committing = false;
  if (result.code == errc::seq_conflict || result.code == errc::stale_epoch ||
      result.code == errc::fenced)
    return crash(id);
  if (result.code == errc::none) own.head += events;
  step(id, activation, [&](entity& e, context& c) { e.committed(result, c); });
  pump(id);
}

}  // namespace baraza::sim
