#include "harness.hpp"

#include <cstdlib>
#include <stdexcept>

#include "actors/table_void.hpp"

namespace baraza::test {

using namespace actors;

std::uint64_t sim_seed() {
  if (const char* text = std::getenv("SIM_SEED")) return std::strtoull(text, nullptr, 10);
  return std::random_device{}();
}

class world_context final : public context {
 public:
  world_context(world& w, const entity_id& id, std::uint64_t activation)
      : world_{w}, id_{id}, activation_{activation} {}
  millis now() const override { return world_.now_; }
  std::uint64_t head() const override { return world_.live_.at(id_).head; }
  std::uint64_t epoch() const override { return 7; }
  millis reachable_since() const override { return world_.reachable_since; }
  void commit(change what) override { world_.commit(id_, activation_, std::move(what)); }
  void reply(const reply_to& to, answer what) override {
    if (to.edge != 0) {
      world_.answers_[to.request].push_back(std::move(what));
    } else if (to.entity) {
      if (world_.chance(world_.fault.lose) || (world_.lose_answer && world_.lose_answer(what)))
        return;
      world_.later(world_.delay(),
                   [w = &world_, number = to.request, what] { w->resolve(number, what); });
    }
  }
  void ask(const entity_id& to, request what, std::uint64_t correlation, millis deadline) override {
    const auto number = world_.next_ask_++;
    world_.asks_[number] = {id_, to, activation_, correlation, std::move(what), deadline};
    world_.try_ask(number);
  }
  void tell(const entity_id& to, request what) override { world_.route(to, what, {}, true); }
  void push(actors::push what) override {
    // An edge's session is answered by the push that it caused.
    if (const auto* events = std::get_if<table_events>(&what))
      for (const auto& cause : events->causes)
        world_.answers_[cause.request].push_back(accepted{events->seq});
    world_.pushes.push_back(std::move(what));
  }
  void push_to(std::uint32_t edge, actors::push what) override {
    world_.pushes_to.emplace_back(edge, std::move(what));
  }
  void set_timer(millis at) override {
    auto& own = world_.live_.at(id_);
    own.timer_at = at;
    if (at == 0) return;
    world_.schedule(std::max(at, world_.now_), [w = &world_, id = id_, a = activation_, at] {
      const auto found = w->live_.find(id);
      if (found == w->live_.end() || found->second.activation != a || found->second.timer_at != at)
        return;
      found->second.timer_at = 0;
      w->step(id, a, [](entity& e, context& c) { e.timer(c); });
    });
  }
  void read_balances(std::vector<storage::account_id> accounts,
                     std::uint64_t correlation) override {
    world_.later(world_.delay(), [w = &world_, id = id_, a = activation_, accounts, correlation] {
      const auto rows = w->store.balances(accounts);
      w->step(id, a, [&](entity& e, context& c) { e.balances_read(correlation, rows, c); });
    });
  }
  void read_transfers(const storage::account_id& account, const uuid& reference,
                      std::uint64_t correlation) override {
    world_.later(
        world_.delay(), [w = &world_, id = id_, a = activation_, account, reference, correlation] {
          const auto rows = w->store.transfers_of(account, reference);
          w->step(id, a, [&](entity& e, context& c) { e.transfers_read(correlation, rows, c); });
        });
  }
  void set_idle(bool idle) override { world_.live_.at(id_).idle = idle; }

 private:
  world& world_;
  entity_id id_;
  std::uint64_t activation_;
};

world::world(std::uint64_t seed) : random{seed} {
  table_options.random_bytes = [this](void* out, std::size_t size) {
    for (std::size_t i = 0; i < size; ++i)
      static_cast<std::uint8_t*>(out)[i] = static_cast<std::uint8_t>(random());
  };
  table_options.cluster_key.fill(0x5A);
  scan_wakes();
}
world::~world() = default;

bool world::chance(double p) { return p > 0 && std::uniform_real_distribution<>{0, 1}(random) < p; }
millis world::delay() {
  return fault.delay_max == 0
             ? 0
             : static_cast<millis>(random() % static_cast<std::uint64_t>(fault.delay_max + 1));
}
void world::schedule(millis at, std::function<void()> what) {
  agenda_.emplace(std::pair{at, order_++}, std::move(what));
}
void world::later(millis in, std::function<void()> what) { schedule(now_ + in, std::move(what)); }

void world::scan_wakes() {
  std::vector<entity_id> due;
  for (const auto& [id, at] : store.wakes)
    if (at <= now_) due.push_back(id);
  for (const auto& id : due)
    if (!live_.contains(id)) activate(id);
  later(1'000, [this] { scan_wakes(); });
}

bool world::run_until(const std::function<bool()>& done, millis time) {
  const auto end = now_ + time;
  while (!done()) {
    if (agenda_.empty() || agenda_.begin()->first.first > end) {
      now_ = std::max(now_, end);
      return done();
    }
    auto next = agenda_.extract(agenda_.begin());
    now_ = std::max(now_, next.key().first);
    next.mapped()();
  }
  return true;
}

void world::run_for(millis time) {
  run_until([] { return false; }, time);
}

// ---- messages ---------------------------------------------------------------------------------

std::uint64_t world::send(const entity_id& to, request what, std::uint64_t session) {
  const auto number = next_number_++;
  route(to, what, {1, session, number, std::nullopt}, false);
  return number;
}

std::uint64_t world::send_inside(const entity_id& to, request what) {
  const auto number = next_ask_++;
  asks_[number] = {{}, to, 0, 0, what, 0};
  route(to, what, {0, 0, number, entity_id{entity_kind::house, {}}}, false);
  return number;
}

void world::route(const entity_id& to, const request& what, const reply_to& from, bool lossy) {
  if (lose_message && lose_message(to, what)) return;
  const int copies = !lossy ? 1 : chance(fault.lose) ? 0 : chance(fault.repeat) ? 2 : 1;
  for (int i = 0; i < copies; ++i)
    later(delay(), [this, to, what, from] { deliver(to, what, from); });
}

void world::try_ask(std::uint64_t number) {
  const auto found = asks_.find(number);
  if (found == asks_.end()) return;
  const auto& open = found->second;
  if (now_ >= open.deadline) return resolve(number, refused{"timeout", "", 0});
  route(open.to, open.what, {0, 0, number, open.from}, true);
  schedule(std::min(now_ + 300, open.deadline), [this, number] { try_ask(number); });
}

void world::resolve(std::uint64_t number, const answer& what) {
  const auto found = asks_.find(number);
  if (found == asks_.end()) return;
  const auto open = found->second;
  asks_.erase(found);
  if (open.activation == 0) return answers_[1'000'000 + number].push_back(what);
  step(open.from, open.activation,
       [&](entity& e, context& c) { e.answered(open.correlation, what, c); });
}

void world::deliver(const entity_id& to, const request& what, const reply_to& from) {
  auto found = live_.find(to);
  auto* own = found == live_.end() ? activate(to) : &found->second;
  if (own == nullptr) return;
  own->held.emplace_back(what, from);
  pump(to);
}

void world::pump(const entity_id& id) {
  for (;;) {
    const auto found = live_.find(id);
    if (found == live_.end() || found->second.held.empty()) return;
    if (found->second.committing) {
      if (!join(id)) return;
      continue;
    }
    const auto [what, from] = std::move(found->second.held.front());
    found->second.held.pop_front();
    step(id, found->second.activation, [&](entity& e, context& c) { e.handle(what, from, c); });
  }
}

/// What waits first goes with the commit, if nothing of that has left and the entity wants it to.
bool world::join(const entity_id& id) {
  auto& own = live_.at(id);
  if (!own.changing) return false;
  const auto changing = own.changing;
  const auto [what, from] = own.held.front();
  std::optional<change> more;
  step(id, own.activation, [&](entity& e, context& c) {
    more = e.join(what, from, c);
    if (!more) return;
    ++joins;
    live_.at(id).held.pop_front();
    add_to(*changing, std::move(*more));
  });
  return more.has_value();
}

template <class F>
void world::step(const entity_id& id, std::uint64_t activation, F&& call) {
  const auto found = live_.find(id);
  if (found == live_.end() || found->second.activation != activation) return;
  ++steps;
  try {
    call(*found->second.what, *found->second.context);
  } catch (const poisoned& why) {
    last_crash = why.what();
    poisons_[id].push_back(why.which());
    just_poisoned_.insert(id);
    return crash(id);
  } catch (const std::exception& why) {
    last_crash = why.what();
    return crash(id);
  }
  if (after_step) after_step(id);
  if ((crash_at_step != 0 && --crash_at_step == 0) || chance(fault.crash)) crash(id);
}

// ---- life and death ---------------------------------------------------------------------------

world::live_entity* world::activate(const entity_id& id) {
  auto& own = live_[id];
  own.activation = next_activation_++;
  switch (id.kind) {
    case entity_kind::wallet:
      own.what = make_wallet(id, wallet_options);
      break;
    case entity_kind::lobby:
      own.what = make_lobby(id, lobby_options);
      break;
    default:
      own.what = make_table(id, table_options);
      break;
  }
  own.context = std::make_unique<world_context>(*this, id, own.activation);
  const auto stored = store.read(id);
  own.head = stored.head;
  try {
    if (stored.snapshot) own.what->restore(*stored.snapshot);
    for (const auto& event : stored.events) own.what->fold(event.seq, event.at, event.payload);
  } catch (const games::cannot_fold& why) {
    live_.erase(id);
    const auto plan = plan_void(
        id, stored.head, store.journals[id],
        store.transfers_of(storage::escrow_account(id.key, storage::currency::demo), id.key),
        why.what(), &table_options.cluster_key, now_);
    if (plan) bury(id, *plan);
    return nullptr;
  } catch (const std::exception& why) {
    last_crash = why.what();
    live_.erase(id);
    return nullptr;
  }
  if (const auto known = poisons_.find(id); known != poisons_.end())
    own.what->recall(known->second, just_poisoned_.erase(id) != 0);
  step(id, own.activation, [&](entity& e, context& c) { e.activated(c, stored.head == 0); });
  const auto found = live_.find(id);
  return found == live_.end() ? nullptr : &found->second;
}

void world::bury(const entity_id& id, const void_plan& plan) {
  if (store.apply(id, store.journals[id].size(), plan.what, now_).code == storage::errc::none)
    ++voids;
}

void world::crash(const entity_id& id) {
  const auto found = live_.find(id);
  if (found == live_.end()) return;
  ++crashes;
  const auto flight = std::move(found->second.pending_commit);
  const auto held = std::move(found->second.held);
  live_.erase(found);
  if (flight && chance(0.5)) flight();   // it was on its way already, and nobody hears of it
  for (const auto& [what, from] : held)  // the region's buffer outlives the actor
    later(5 + delay(), [this, id, what, from] { deliver(id, what, from); });
  later(5, [this, id] {
    if (!live_.contains(id)) activate(id);
  });
}

void world::crash_node() {
  std::vector<entity_id> all;
  for (const auto& [id, own] : live_) all.push_back(id);
  for (const auto& id : all) {
    const auto flight = std::move(live_[id].pending_commit);
    live_.erase(id);
    if (flight && chance(0.5)) flight();
  }
  asks_.clear();
  ++crashes;
}

void world::sleep(millis time) {
  crash_node();
  agenda_.clear();
  now_ += time;
  scan_wakes();
}

void world::commit(const entity_id& id, std::uint64_t activation, change what) {
  auto& own = live_.at(id);
  if (own.committing) throw std::logic_error{"two commits in flight"};
  own.committing = true;
  ++commits;
  const auto expected = own.head;
  const auto result = std::make_shared<std::optional<storage::member_result>>();
  const auto changing = std::make_shared<change>(std::move(what));
  own.changing = changing;
  const auto apply = [this, id, expected, changing, result] {
    const auto code = before_commit ? before_commit(id, *changing) : storage::errc::none;
    *result = code == storage::errc::none ? store.apply(id, expected, *changing, now_)
                                          : storage::member_result{code, "told to", {}, {}};
  };
  own.pending_commit = apply;
  const auto held = hold_commit ? hold_commit(id) : 0;
  later(delay() + held, [this, id, activation, apply, result, count = std::size_t{0}] {
    const auto found = live_.find(id);
    if (found == live_.end() || found->second.activation != activation) return;
    found->second.pending_commit = nullptr;
    found->second.changing = nullptr;
    apply();
    later(delay(), [this, id, activation, result] {
      const auto alive = live_.find(id);
      if (alive == live_.end() || alive->second.activation != activation) return;
      alive->second.committing = false;
      alive->second.head = store.journals[id].size();
      step(id, activation, [&](entity& e, context& c) { e.committed(**result, c); });
      pump(id);
    });
  });
}

// ---- looking ----------------------------------------------------------------------------------

const answer& world::answer_of(std::uint64_t number) {
  const auto& all = answers_[number];
  if (all.size() != 1)
    throw std::runtime_error{"expected one answer, have " + std::to_string(all.size())};
  return all.front();
}

answer world::ask(const entity_id& to, request what) {
  const auto number = send(to, std::move(what));
  const bool answered = run_until([&] { return !answers_[number].empty(); }, 5'000);
  return answered ? answer_of(number) : refused{"timeout", "", 0};  // as an edge says it: unknown
}

std::int64_t world::money(const uuid& player) const {
  return store.balance(storage::player_account(player, storage::currency::demo));
}

}  // namespace baraza::test
