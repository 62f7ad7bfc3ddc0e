#include "storage/postgres/writer.hpp"

#include <algorithm>
#include <iterator>

#include "storage/checks.hpp"
#include "storage/postgres/connect.hpp"
#include "storage/postgres/gather.hpp"

namespace baraza::storage::postgres {
namespace {

using std::chrono::milliseconds;

/// A failed statement's class (rule A5). A lost connection is not a failure: its outcome is
/// unknown.
bool is_transient(std::string_view state) { return state == "40001" || state == "40P01"; }
/// Lost a race that the next round's checks will see: a key or a floor taken since this statement's
/// snapshot, or its own refusal.
bool is_race(std::string_view state) {
  return state == "23505" || state == "23514" || state == "BZ001";
}
/// Lock or statement time-outs, out of space or memory, read-only after a failover, shutting down:
/// nothing was applied.
bool is_store_trouble(std::string_view state) {
  return state == "55P03" || state == "57014" || state == "25006" || state.starts_with("53") ||
         state.starts_with("57P") || state.starts_with("58");
}

bool ends_node(errc code) { return code == errc::fenced || code == errc::rolled_back; }

batch_result whole(errc code, std::string detail) { return {code, std::move(detail), {}}; }

}  // namespace

pg_writer::pg_writer(std::string url, const writer_key& key, bool allow_loss, const timing& times,
                     std::shared_ptr<server_memory> server)
    : url_{limited(url,
                   "baraza-" + std::to_string(key.incarnation) + "-w" + std::to_string(key.index))},
      key_{key},
      allow_loss_{allow_loss},
      times_{times},
      server_{std::move(server)} {}

batch_result pg_writer::apply(const batch& work) {
  if (auto why = batch_fault(work)) return whole(why->code, why->message);
  if (work.id.incarnation != key_.incarnation || work.id.writer != key_.index)
    return whole(errc::invalid, "the batch id names another writer");
  if (!session_.alive())
    if (auto ready = start(); !ready)
      return whole(ends_node(ready.why().code) ? ready.why().code : errc::unavailable,
                   ready.why().message);
  progress so_far;
  so_far.results.resize(work.members.size());
  const bool doubtful = refuse_faulty(work, so_far);
  return work_off(work, so_far, doubtful);
}

bool pg_writer::refuse_faulty(const batch& work, progress& so_far) {
  bool reloaded = false, reread = false, doubtful = false;
  for (std::size_t i = 0; i < work.members.size(); ++i) {
    const auto& member = *work.members[i];
    auto& answer = so_far.results[i];
    if (auto why = member_fault(member)) {
      answer.code = why->code;
      answer.detail = why->message;
      continue;
    }
    const auto* misfit = partitions_.misfit(member);
    if (misfit != nullptr && !reloaded) {  // attached since this connection began?
      reloaded = true;
      if (partitions_.load(session_, times_.statement).empty()) misfit = partitions_.misfit(member);
    }
    if (misfit != nullptr) {
      answer.code = errc::no_partition;
      answer.detail = "no partition is attached for the time of " + misfit->to_string();
      continue;
    }
    if (!holds(member) && !reread) {
      reread = true;
      read_epochs();  // should this fail, the members are looked at more closely below
    }
    doubtful = doubtful || !holds(member);
    so_far.open_members.push_back(i);
  }
  return doubtful;
}

bool pg_writer::holds(const commit& member) const {
  return member.shard < epochs_.size() && epochs_[member.shard] == member.epoch &&
         member.epoch != 0;
}

// Epochs are compared here, not in the statement: a shard leaves its owner only in a transaction
// that closes or locks the owner's fence rows (rules B1, B4), so the fence already stands for them,
// and a look-up per member would cost 2 us each.
status pg_writer::read_epochs() {
  const auto rows = session_.query("select id, epoch from shard where owner = $1 order by id",
                                   {bigint(key_.incarnation)}, times_.statement);
  if (!rows) return failure(rows, "shards");
  epochs_.clear();
  for (int i = 0; i < rows.size(); ++i) {
    const auto id = std::stoul(std::string{rows.text(i, 0)});
    if (id >= shards_max) return error{errc::corrupt, "a shard's number is out of range"};
    epochs_.resize(id + 1);
    epochs_[id] = std::stoull(std::string{rows.text(i, 1)});
  }
  return done{};
}

batch_result pg_writer::work_off(const batch& work, progress& so_far, bool doubtful) {
  // Members that go in one statement. Only a failure that no check explains ever splits them (rule
  // A5).
  std::vector<std::vector<std::size_t>> pieces{std::move(so_far.open_members)};
  const auto rounds_most = rounds_max + 2 * work.members.size();
  bool anything_applied = false, examined = false;
  std::size_t attempts = 0;
  step last{verdict::unavailable, "too many rounds"};
  for (std::size_t rounds = 0; !pieces.empty() && rounds < rounds_most; ++rounds) {
    so_far.open_members = std::move(pieces.back());
    pieces.pop_back();
    if (so_far.open_members.empty()) continue;
    last = doubtful ? step{verdict::examine, {}} : round(work, so_far, examined);
    doubtful = false;
    if (last.what == verdict::examine) last = look_closer(work, so_far, attempts, examined);
    switch (last.what) {
      case verdict::done:
        acknowledge(work, so_far.open_members);
        anything_applied = true;
        examined = false;
        attempts = 0;
        continue;
      case verdict::again:
      case verdict::examine:
        pieces.push_back(so_far.open_members);
        if (++attempts <= transient_retries_max) continue;
        last = {verdict::unavailable, "refused again and again: " + last.detail};
        break;
      case verdict::broken:
        divide(so_far, pieces, last.detail);
        attempts = 0;
        continue;
      case verdict::fenced:
        return whole(errc::fenced, last.detail);
      case verdict::unknown:
        session_.close();
        return whole(errc::unknown, last.detail);
      case verdict::unavailable:
        pieces.push_back(so_far.open_members);
        break;
    }
    break;
  }
  if (!pieces.empty() && !anything_applied) return whole(errc::unavailable, last.detail);
  for (const auto& piece : pieces)
    for (const auto index : piece) so_far.results[index] = {errc::unavailable, last.detail, {}, {}};
  read_balances(work, so_far);
  return {errc::none, {}, std::move(so_far.results)};
}

pg_writer::step pg_writer::round(const batch& work, progress& so_far, bool examined) {
  if (!parameters_.build(work, so_far, key_, heads_, examined))
    return examined ? step{verdict::broken, "the sums of a batch leave 64 bits"}
                    : step{verdict::examine, {}};
  const auto answer = session_.run(commit_names[parameters_.is_full() ? 1 : 0],
                                   parameters_.values(), times_.commit_deadline);
  if (answer.what == reply::outcome::lost) return {verdict::unknown, answer.message};
  if (answer.warned) return {verdict::unknown, "the server warned at commit"};
  if (answer.what == reply::outcome::failed) return judge(answer);
  const auto outcome = parameters_.read(answer, so_far);
  if (outcome.fenced) {
    auto seen = look_at_fence();
    const bool all_hold = std::ranges::all_of(
        so_far.open_members, [&](std::size_t index) { return holds(*work.members[index]); });
    if (seen.what == verdict::examine && all_hold) seen.what = verdict::again;
    return seen;
  }
  return {outcome.applied ? verdict::done : verdict::examine, "culprits in the batch"};
}

pg_writer::step pg_writer::look_at_fence() {
  // Nothing was written: the row is closed for good, or a release of this node has raised its
  // generation, and with it ended all that was still on its way (rule B4). Then shards may be gone.
  const auto row =
      session_.query("select generation from fence where incarnation = $1 and writer = $2 and open",
                     {bigint(key_.incarnation), std::to_string(key_.index)}, times_.statement);
  if (!row) return {verdict::unavailable, "fence row: " + row.message};
  if (row.size() == 0) return {verdict::fenced, "this incarnation is fenced off"};
  key_.generation = std::stoull(std::string{row.text(0, 0)});
  if (auto read = read_epochs(); !read) return {verdict::unavailable, read.why().message};
  return {verdict::examine, "the node has released a shard"};
}

pg_writer::step pg_writer::judge(const reply& answer) {
  const auto detail = answer.sqlstate + " " + answer.message;
  if (is_transient(answer.sqlstate)) return {verdict::again, detail};
  if (is_store_trouble(answer.sqlstate)) return {verdict::unavailable, detail};
  return {is_race(answer.sqlstate) ? verdict::examine : verdict::broken, detail};
}

pg_writer::step pg_writer::look_closer(const batch& work, progress& so_far, std::size_t& attempts,
                                       bool& examined) {
  facts known;
  if (const auto why =
          gather(session_, work, so_far.open_members, key_.incarnation, times_.statement, known);
      !why.empty()) {
    if (!session_.alive()) session_.close();
    return {verdict::unavailable,
            why};  // only a read was lost: nothing of these members is in flight
  }
  if (examine(work, known, so_far) > 0) attempts = 0;
  examined = true;
  return {verdict::again, "an unexplained refusal"};
}

void pg_writer::divide(progress& so_far, std::vector<std::vector<std::size_t>>& pieces,
                       const std::string& why) {
  const auto& members = so_far.open_members;
  if (members.size() == 1) {
    so_far.results[members.front()].code = errc::invalid;
    so_far.results[members.front()].detail = why;
    return;
  }
  const auto middle = members.begin() + static_cast<std::ptrdiff_t>(members.size() / 2);
  pieces.emplace_back(middle, members.end());
  pieces.emplace_back(members.begin(), middle);
}

void pg_writer::acknowledge(const batch& work, const std::vector<std::size_t>& applied) {
  for (const auto index : applied) {
    const auto& done = *work.members[index];
    heads_.learn(done.entity, done.expected_seq + done.events.size());
  }
  const auto& member = *work.members[applied.front()];
  last_ = acknowledged{member.entity, member.expected_seq + 1, work.id};
}

void pg_writer::read_balances(const batch& work, progress& so_far) {
  // Applied members whose accounts the statement did not touch, or not all: repeats.
  std::vector<std::size_t> indexes = so_far.reread;
  const bool repeats = so_far.repeats() > 0;
  for (std::size_t i = 0; i < work.members.size(); ++i) {
    auto& answer = so_far.results[i];
    if (answer.code != errc::none) continue;
    const auto& member = *work.members[i];
    const auto there = [&](const transfer& t) { return so_far.transfers_there.contains(t.id); };
    answer.existing_transfers = repeats ? std::ranges::count_if(member.transfers, there) : 0;
    const auto opened = [&](const account_open& o) { return so_far.accounts_there.contains(o.id); };
    const auto closed = [&](const account_id& id) { return so_far.closed_there.contains(id); };
    if (repeats && (*answer.existing_transfers > 0 || std::ranges::any_of(member.opens, opened) ||
                    std::ranges::any_of(member.closes, closed)))
      indexes.push_back(i);
  }
  if (indexes.empty()) return;
  facts known;
  // Applied is applied: should this read fail, the members go without balances and their owners
  // read the rows themselves.
  if (!gather_accounts(session_, work, indexes, times_.statement, known).empty()) return;
  for (const auto index : indexes) {
    auto& balances = so_far.results[index].balances;
    balances.clear();
    for (const auto& id : accounts_of(*work.members[index]))
      if (const auto row = known.accounts.find(id);
          row != known.accounts.end() && has_floor(row->second.kind))
        balances.push_back({id, row->second.amount, row->second.version, row->second.closed});
  }
}

batch_result pg_writer::resolve(const batch& work) {
  session_.close();
  if (auto ready = start(); !ready) {
    const auto code = ready.why().code;
    return whole(ends_node(code) ? code : errc::unknown, ready.why().message);
  }
  progress so_far;
  so_far.results.resize(work.members.size());
  for (std::size_t i = 0; i < work.members.size(); ++i) so_far.open_members.push_back(i);
  facts known;
  if (const auto why = gather_heads(session_, work, so_far.open_members, times_.statement, known);
      !why.empty())
    return whole(errc::unknown, why);
  for (const auto index : so_far.open_members) {
    const auto& member = *work.members[index];
    const auto head = known.heads.find(member.entity);
    if (head != known.heads.end() && head->second.next_row == work.id) {
      so_far.reread.push_back(index);
      last_ = acknowledged{member.entity, member.expected_seq + 1, work.id};
    } else {
      so_far.results[index].code = errc::unavailable;
      so_far.results[index].detail = "not applied";
    }
  }
  read_balances(work, so_far);
  return {errc::none, {}, std::move(so_far.results)};
}

}  // namespace baraza::storage::postgres
