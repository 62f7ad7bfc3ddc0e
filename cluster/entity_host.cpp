#include "cluster/entity_host.hpp"

#include <algorithm>
#include <caf/actor_ostream.hpp>
#include <caf/sec.hpp>
#include <caf/send.hpp>

#include "actors/games/game.hpp"
#include "cluster/host_context.hpp"
#include "cluster/limits.hpp"

namespace baraza::cluster {

entity_host::entity_host(caf::actor_config& config, std::shared_ptr<node_services> node,
                         entity_id who, activation_number activation, std::uint64_t epoch)
    : caf::event_based_actor{config},
      node_{std::move(node)},
      who_{who},
      activation_{activation},
      epoch_{epoch},
      context_{std::make_unique<host_context>(*this)} {
  ++node_->counters.entities;
  if (who_.kind == entity_kind::table) ++node_->counters.tables;
}

entity_host::~entity_host() {
  --node_->counters.entities;
  if (who_.kind == entity_kind::table) --node_->counters.tables;
}

template <class Step>
void entity_host::guard(Step&& step) {
  if (failed_) return;
  try {
    step();
  } catch (const actors::poisoned& why) {
    crash(why.what(), why.which());
  } catch (const std::exception& why) {
    crash(why.what());
  } catch (...) {
    crash("an exception of no known type");
  }
}

caf::behavior entity_host::make_behavior() {
  return {
      [this](deliver& m) {
        if (failed_) return caf::anon_send(node_->region.get(), std::move(m));  // for the next life
        guard([&] { take(std::move(m.what)); });
      },
      [this](commit_done& m) { guard([&] { on_commit_done(m.ticket); }); },
      [this](answer_in& m) { guard([&] { take(m); }); },
      [this](wheel_due m) { guard([&] { take(m); }); },
      [this](rows_read& m) { guard([&] { take(m); }); },
      [this](past_lives& m) { past_ = std::make_unique<past_lives>(std::move(m)); },
      [this](loaded& m) { guard([&] { load(m); }); },
      [this](leave_shard m) { leave(m.at_once); },
      [this](sleep_now) { failed_ ? quit() : fall_asleep(); },
  };
}

void entity_host::crash(const std::string& why, std::optional<actors::poison> poison) {
  const auto asked = origin_.to_string();
  node_->log(severity::error, "entity.crashed", who_.to_string(),
             asked.empty() ? why : why + " (serving " + asked + ")");
  caf::anon_send(node_->region.get(), host_failed{who_, why, suspected_, was_asked_, poison});
  end_life();
}

/// From here on this host only hands back what reaches it; the region, told before, keeps it for
/// the next life.
void entity_host::end_life() {
  failed_ = true;
  for (auto& item : stash_)
    if (auto* request = std::get_if<envelope_ptr>(&item); request && *request)
      caf::anon_send(node_->region.get(), deliver{std::move(*request)});
  std::vector<stashed>{}.swap(stash_);
}

millis entity_host::now() {
  last_now_ = std::max(last_now_, node_->clock.now());
  return last_now_;
}

// ---- one call at a time

void entity_host::stash(stashed what) {
  // Answers, rows and timers are bounded by what the entity asked for; requests are bounded here.
  if (auto* request = std::get_if<envelope_ptr>(&what);
      request && stash_.size() >= entity_stash_max) {
    ++node_->counters.overloaded;
    context_->reply(
        (*request)->from,
        actors::refused{"overloaded", "this table or wallet has too many requests waiting", 200});
    return;
  }
  stash_.push_back(std::move(what));
}

void entity_host::drain() {
  if (draining_) return;
  draining_ = true;
  std::size_t next = 0;
  while (next < stash_.size()) {
    if (busy()) {  // with a commit of what came before, perhaps: then the next may go with it
      const auto* request = std::get_if<envelope_ptr>(&stash_[next]);
      if (request == nullptr || !*request || !join(**request)) break;
      stash_[next++] = envelope_ptr{};
      continue;
    }
    auto item = std::move(stash_[next]);
    stash_[next++] = envelope_ptr{};
    if (auto* request = std::get_if<envelope_ptr>(&item))
      take(std::move(*request));
    else if (auto* answer = std::get_if<answer_in>(&item))
      take(*answer);
    else if (auto* rows = std::get_if<rows_read>(&item))
      take(*rows);
    else
      take(wheel_due{});
  }
  stash_.erase(stash_.begin(), stash_.begin() + static_cast<std::ptrdiff_t>(next));
  if (stash_.empty() && stash_.capacity() > 8)
    std::vector<stashed>{}.swap(stash_);  // a table at rest stays small
  draining_ = false;
  if (ready_) rearm();
}

void entity_host::take(envelope_ptr what) {
  wants_sleep_ = false;
  if (busy()) {
    if (stash_.empty() && join(*what)) return;  // what waits already was here first
    return stash(std::move(what));
  }
  const auto at = now();
  // Nobody waits any more; the asker reads silence as unknown. But a move counts: it may have been
  // made in time and have waited here, behind a commit that the store held (rule C).
  const bool is_move = std::holds_alternative<actors::table_act>(what->what) ||
                       std::holds_alternative<actors::table_concede>(what->what);
  if (what->deadline != 0 && at > what->deadline && !is_move) return;
  last_active_ = at;
  origin_ = what->origin;
  if (node_->trace) node_->trace(origin_, "entity.request", who_, {});
  // Who watches is the shell's to know: pushes go to edges, and the entity decides only what they
  // say.
  if (const auto edge = what->from.edge; edge != 0 && edge < edges_max) {
    const bool watches = std::holds_alternative<actors::table_watch>(what->what) ||
                         std::holds_alternative<actors::table_renew>(what->what);
    const auto known = std::find(watchers_.begin(), watchers_.end(), edge);
    if (watches && known == watchers_.end()) watchers_.push_back(edge);
    if (std::holds_alternative<actors::table_unwatch>(what->what) && known != watchers_.end())
      watchers_.erase(known);
  }
  {
    const watchdog::scope held{node_->dog, who_, cluster_clock::steady()};
    try {
      entity_->handle(what->what, what->from, *context_);
    } catch (...) {
      answer_failed(what->from);
      throw;
    }
  }
  if (!draining_) rearm();
}

void entity_host::answer_failed(const actors::reply_to& to) {
  was_asked_ = true;
  context_->reply(
      to,
      actors::refused{"internal",
                      "this request could not be handled; the table goes on from its journal", 0});
}

void entity_host::take(answer_in& what) {
  if (busy()) return stash(std::move(what));
  const auto known = std::find_if(questions_.begin(), questions_.end(), [&](const question& q) {
    return q.correlation == what.correlation;
  });
  if (known == questions_.end()) return;  // a repeat's second answer
  origin_ = known->what->origin;
  questions_.erase(known);
  last_active_ = now();
  const watchdog::scope held{node_->dog, who_, cluster_clock::steady()};
  entity_->answered(what.correlation, what.what, *context_);
  if (!draining_) rearm();
}

void entity_host::take(rows_read& what) {
  if (busy()) return stash(std::move(what));
  auto& reads = context_->reads_;
  const auto known = std::find_if(reads.begin(), reads.end(),
                                  [&](const auto& r) { return r.number == what.number; });
  if (known == reads.end()) return;  // answered already, or asked anew
  if (!what.balances &&
      !what.transfers) {  // the store did not answer: ask again with the next tick
    return rearm();
  }
  const auto correlation = known->correlation;
  reads.erase(known);
  const watchdog::scope held{node_->dog, who_, cluster_clock::steady()};
  if (what.balances)
    entity_->balances_read(correlation, *what.balances, *context_);
  else
    entity_->transfers_read(correlation, *what.transfers, *context_);
  if (!draining_) rearm();
}

void entity_host::take(wheel_due) {
  armed_at_ = 0;
  if (busy()) return stash(wheel_due{});
  const auto at = now();
  ask_due_questions(at);
  for (auto& read : context_->reads_) node_->reads.submit(read.job);
  if (timer_at_ != 0 && at >= timer_at_ && !busy() && !node_->reach.clocks_stand(at)) {
    timer_at_ = 0;
    origin_ = {};
    const watchdog::scope held{node_->dog, who_, cluster_clock::steady()};
    entity_->timer(*context_);
  }
  if (!busy() && idle_allowed_ && !wants_sleep_ && at - last_active_ >= node_->passivate_after &&
      questions_.empty()) {
    wants_sleep_ = true;
    caf::anon_send(node_->region.get(), wish_to_sleep{who_, timer_at_});
  }
  if (!draining_) rearm();
}

void entity_host::ask_due_questions(millis at) {
  for (std::size_t i = 0; i < questions_.size();) {
    auto& asked = questions_[i];
    if (asked.what->deadline != 0 && at > asked.what->deadline) {
      const auto correlation = asked.correlation;
      caf::anon_send(
          caf::actor_cast<caf::actor>(this),
          answer_in{who_, correlation,
                    actors::refused{"timeout", "no answer in time: the outcome is unknown", 0}});
      asked.retry_at = at + 3'600'000;
      asked.what->deadline = 0;  // said once
      ++i;
    } else {
      if (at >= asked.retry_at) {
        context_->send(*asked.what);
        asked.retry_at = at + ask_retry.count();
      }
      ++i;
    }
  }
}

void entity_host::rearm() {
  // A clock that stands is looked at again from time to time, not with every tick.
  const bool stands = timer_at_ != 0 && node_->reach.clocks_stand(last_now_);
  auto at = stands ? std::max<millis>(timer_at_, last_now_ + clock_look_again.count()) : timer_at_;
  const auto sooner = [&at](millis other) {
    if (at == 0 || other < at) at = other;
  };
  for (const auto& asked : questions_) sooner(asked.retry_at);
  if (!context_->reads_.empty()) sooner(last_now_ + load_retry.count());
  if (idle_allowed_ && !wants_sleep_) sooner(last_active_ + node_->passivate_after);
  if (at == 0 || (armed_at_ != 0 && armed_at_ <= at)) return;
  armed_at_ = at;
  caf::anon_send(node_->region.get(), arm_timer{who_, at});
}

void entity_host::fall_asleep() {
  if (wants_sleep_ && !busy() && stash_.empty() && questions_.empty() && context_->reads_.empty()) {
    ++node_->counters.passivations;
    return quit();
  }
  wants_sleep_ = false;
  last_active_ = now();
  caf::anon_send(node_->region.get(), stay_awake{who_});
}

/// Its shard goes to another node: the commit in flight is finished, then all that waits goes back
/// to the region, which sends it after the shard. Questions are asked again by the next life.
void entity_host::leave(bool at_once) {
  departing_ = true;
  if (ticket_in_flight_ && !at_once && !failed_) return;
  end_life();
  quit();
}

// ---- activation

void entity_host::load(loaded& what) {
  if (ready_) return;
  if (what.is_condemned) {
    caf::anon_send(node_->region.get(),
                   fold_failed{who_, "it brought its node down again and again"});
    return end_life();
  }
  suspected_ = suspected_ || what.is_suspected;  // the whole journal may be read after the snapshot
  load_counted_ = load_counted_ || what.is_counted;
  had_strikes_ = had_strikes_ || what.what.attempts > 0;
  entity_ = node_->factory.make(who_);
  if (!entity_) throw std::runtime_error{"no entity of this kind is known here"};
  {
    // A strike that was counted for the load is enough if it dies of that, but only of that: what
    // waits is handled after it.
    const watchdog::scope held{node_->dog, who_, cluster_clock::steady(), load_counted_};
    if (!rebuild(what.what)) return;
    ready_ = true;
    ++node_->counters.activations;
    last_active_ = loaded_at_ = now();
    if (past_) entity_->recall(past_->poisons, past_->just_now);
    entity_->activated(*context_, head_ == 0);
  }
  if (!ticket_in_flight_) say_it_stands();
  drain();
}

/// @returns false: it has no state yet and waits for its whole journal, or its life is over
bool entity_host::rebuild(const storage::activation& from) {
  if (from.snapshot) {
    try {
      entity_->restore(*from.snapshot);
    } catch (const std::exception& why) {  // an unreadable snapshot only costs time (rule A9)
      node_->log(severity::warning, "entity.snapshot_ignored", who_.to_string(), why.what());
      entity_.reset();
      read_whole_journal();
      return false;
    }
  }
  auto seq = from.snapshot ? from.snapshot_seq : 0;
  try {
    for (const auto& event : from.events) {
      if (event.seq != ++seq)
        throw games::cannot_fold{"the journal has a gap before seq " + std::to_string(event.seq)};
      last_now_ = std::max(last_now_, event.at);
      entity_->fold(event.seq, event.at, event.payload);
    }
    if (seq != from.head) throw games::cannot_fold{"the journal ends before its head"};
  } catch (const games::cannot_fold&
               why) {  // anything else (a wrong key, a missing game) is no reason to void a match
    node_->log(severity::error, "entity.cannot_fold", who_.to_string(), why.what());
    caf::anon_send(node_->region.get(), fold_failed{who_, why.what()});
    end_life();
    return false;
  }
  head_ = from.head;
  return true;
}

/// It gets on: what it did before was no fault of its state.
void entity_host::forgive() {
  const bool has_proved =
      had_strikes_ && last_now_ - loaded_at_ >= std::chrono::milliseconds{strikes_kept}.count();
  if (!past_ && !has_proved) return;
  caf::anon_send(node_->region.get(), progressed{who_, has_proved});
  if (has_proved) had_strikes_ = false;
  past_.reset();
}

void entity_host::say_it_stands() {
  if (std::exchange(suspected_, false)) caf::anon_send(node_->region.get(), stands{who_});
}

void entity_host::read_whole_journal() {
  auto self = caf::actor_cast<caf::actor>(this);
  auto node = node_;
  const auto who = who_;
  const bool queued = node_->reads.submit([self, node, who](storage::reader& from) {
    loaded all;
    all.what.entity = who;
    for (;;) {
      auto page = from.events(who, all.what.head, 10'000);
      if (!page) return caf::anon_send(node->region.get(), read_ended{{who}});
      if (page->empty()) break;
      all.what.head = page->back().seq;
      std::move(page->begin(), page->end(), std::back_inserter(all.what.events));
    }
    all.at = node->clock.now();
    caf::anon_send(self, std::move(all));
  });
  if (!queued) caf::anon_send(node_->region.get(), read_ended{{who_}});
}

}  // namespace baraza::cluster
