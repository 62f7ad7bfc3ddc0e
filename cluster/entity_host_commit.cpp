// An entity's commits: on their way to the gate, joined by moves that come before they leave, and
// what becomes of them.
#include <caf/send.hpp>
#include <exception>
#include <utility>

#include "cluster/entity_host.hpp"
#include "cluster/host_context.hpp"
#include "cluster/limits.hpp"

namespace baraza::cluster {
namespace {

/// Throws if a commit, or two changes of which one joins the other, are more than the gate takes.
struct commit_size {
  std::size_t events = 0, transfers = 0, bytes = 0;

  template <class Change>
  commit_size& add(const Change& what) {
    events += what.events.size();
    transfers += what.transfers.size();
    if (what.snapshot) bytes += what.snapshot->size();
    for (const auto& event : what.events) bytes += event.size();
    return *this;
  }
  void require_fits() const {
    if (events == 0 || events > commit_events_max || transfers > commit_transfers_max)
      throw std::length_error{"a commit needs 1 to 64 events and at most 1,024 transfers"};
    if (bytes > commit_bytes_max) throw std::length_error{"a commit is larger than 1 MiB"};
  }
};

/// The gate does not take a commit that is being changed.
class change_of {
 public:
  explicit change_of(commit_ticket& what) : what_{what} {
    auto as_it_was = commit_ticket::hold::open;
    is_mine_ = what_.held.compare_exchange_strong(as_it_was, commit_ticket::hold::changing,
                                                  std::memory_order_acquire);
  }
  ~change_of() {
    if (is_mine_) what_.held.store(commit_ticket::hold::open, std::memory_order_release);
  }
  change_of(const change_of&) = delete;
  change_of& operator=(const change_of&) = delete;
  explicit operator bool() const { return is_mine_; }

 private:
  commit_ticket& what_;
  bool is_mine_ = false;
};

}  // namespace

/// The caller sees to it that nobody overtakes what came before it.
bool entity_host::join(const envelope& what) {
  if (!ready_ || departing_ || doom_ || !ticket_in_flight_) return false;
  auto& work = ticket_->work;
  if (work.events.size() > commit_events_max / 2) return false;
  const change_of mine{*ticket_};
  if (!mine) return false;
  const auto before = std::exchange(origin_, what.origin);
  const watchdog::scope held{node_->dog, who_, cluster_clock::steady()};
  std::optional<actors::change> more;
  try {
    more = entity_->join(what.what, what.from, *context_);
    if (more) commit_size{}.add(work).add(*more).require_fits();
  } catch (...) {
    // This life is over, but the commit it came behind is another's and sound: that one first. Else
    // who knows a command that fails could take his opponent's moves back.
    doom_ = std::current_exception();
    answer_failed(what.from);
  }
  origin_ = before;
  if (!more || doom_) return doom_ != nullptr;
  if (node_->trace) node_->trace(what.origin, "entity.joins", who_, {});
  last_active_ = now();
  is_progress_ = is_progress_ || more->is_progress;
  actors::add_to(work, std::move(*more));
  return true;
}

void entity_host::commit(actors::change what) {
  if (ticket_in_flight_) throw std::logic_error{"an entity has at most one commit in flight"};
  commit_size{}.add(what).require_fits();
  if (!ticket_ || ticket_.use_count() > 1)
    ticket_ = std::make_shared<commit_ticket>();  // else: nobody else looks at the old one
  auto& work = ticket_->work;
  work.entity = who_;
  work.shard = node_->shard(who_);
  work.epoch = epoch_;
  work.expected_seq = head_;
  work.events = std::move(what.events);
  work.opens = std::move(what.opens);
  work.transfers = std::move(what.transfers);
  work.closes = std::move(what.closes);
  work.snapshot = std::move(what.snapshot);
  work.wake = what.wake;
  work.wake_at = what.wake_at;
  is_progress_ = what.is_progress;
  ticket_->held.store(commit_ticket::hold::open, std::memory_order_relaxed);
  ticket_->host = caf::actor_cast<caf::actor>(this);
  ticket_->activation = activation_;
  ticket_->origin = origin_;
  ticket_->result = {};
  ticket_->refused_by_gate = false;
  ticket_in_flight_ = true;
  caf::anon_send(node_->gate.get(), commit_asked{ticket_});
}

void entity_host::on_commit_done(const ticket_ptr& ticket) {
  if (!ticket_in_flight_ || ticket != ticket_) return;
  using storage::errc;
  ticket->host = nullptr;  // a ticket kept for the next commit must not keep its actor alive
  const auto code = ticket->result.code;
  if (code == errc::unavailable) {  // the gate was full: the commit waits here instead
    ticket->host = caf::actor_cast<caf::actor>(this);
    ticket->result = {};
    return caf::delayed_anon_send(node_->gate.get(), gate_retry, commit_asked{ticket});
  }
  if (doom_) std::rethrow_exception(std::exchange(doom_, nullptr));
  if (ticket->refused_by_gate || code == errc::seq_conflict || code == errc::stale_epoch ||
      code == errc::fenced) {
    // Somebody else wrote this journal, or this life is over: what we hold in memory is not the
    // truth. End and read it again.
    return crash("stale owner: " + std::string{storage::to_string(code)});
  }
  ticket_in_flight_ = false;
  if (code == errc::none) {
    head_ += ticket->work.events.size();
    if (is_progress_) forgive();
  }
  origin_ = ticket->origin;
  last_active_ = now();
  {
    const watchdog::scope held{node_->dog, who_, cluster_clock::steady()};
    entity_->committed(ticket->result, *context_);
  }
  say_it_stands();
  if (departing_) return leave(false);
  drain();
}

}  // namespace baraza::cluster
