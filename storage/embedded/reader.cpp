// Reads on a connection of its own: under WAL they neither wait for the writer nor hold it up. What
// is not merged yet comes from the log: copied first, under a lock; then the tables are asked.
#include <algorithm>
#include <map>

#include "storage/embedded/shared.hpp"
#include "storage/limits.hpp"

namespace baraza::storage::embedded {
namespace {

transfer read_transfer(const statement& s) {
  return {s.key(0),
          s.key(1),
          s.key(2),
          s.integer(3),
          static_cast<currency>(s.integer(4)),
          static_cast<transfer_kind>(s.integer(5)),
          s.key(6)};
}

error too_many() { return {errc::invalid, "too many keys in one call"}; }

class embedded_reader final : public reader {
 public:
  /// @param live of the writing process; null: this one only reads
  embedded_reader(std::shared_ptr<shared> common, std::shared_ptr<commit_log> live)
      : common_{std::move(common)},
        live_{std::move(live)},
        db_{common_->file, access::read, false},
        newest_{db_.handle(), "SELECT max(position) FROM log"},
        snapshot_{db_.handle(), "SELECT seq,payload FROM snapshot WHERE entity=?"},
        events_{db_.handle(),
                "SELECT seq,at,payload FROM journal WHERE entity=? AND seq>? ORDER BY seq LIMIT ?"},
        balance_{db_.handle(), "SELECT balance,version,closed FROM account WHERE id=?"},
        transfer_{db_.handle(),
                  "SELECT id,debit,credit,amount,currency,kind,reference FROM transfer WHERE id=?"},
        transfers_of_{
            db_.handle(),
            "SELECT id,debit,credit,amount,currency,kind,reference FROM transfer"
            " WHERE id>=?1 AND id<=?2 AND reference=?3 AND (debit=?4 OR credit=?4) ORDER BY id"},
        history_{db_.handle(),
                 "SELECT t.id,t.debit,t.credit,t.amount,t.currency,t.kind,t.reference,t.at"
                 " FROM history h JOIN transfer t ON t.position=h.position"
                 " WHERE h.account=?1 AND h.id<?2 ORDER BY h.id DESC LIMIT ?3"},
        wakes_{db_.handle(),
               "SELECT w.entity,w.at,coalesce(a.loads+a.holds,0) FROM wake w"
               " LEFT JOIN attempt a ON a.entity=w.entity"
               " WHERE w.at<=? AND w.shard BETWEEN ? AND ? AND (w.at,w.entity)>(?,?)"
               " ORDER BY w.at,w.entity LIMIT ?"},
        attempts_{db_.handle(), "SELECT loads+holds FROM attempt WHERE entity=?"},
        incidents_{db_.handle(),
                   "SELECT id,at,entity,kind,detail FROM incident WHERE (at,id)<(?,?)"
                   " ORDER BY at DESC,id DESC LIMIT ?"},
        answers_{db_.handle(), "SELECT epoch FROM store"} {}

  result<std::vector<activation>> activate(std::span<const entity_id> entities) override {
    if (entities.size() > read_keys_max) return too_many();
    return guarded<std::vector<activation>>([&] {
      std::vector<std::vector<journal_event>> logged(entities.size());
      auto moment = now_in_log();
      for (std::size_t i = 0; i < entities.size(); ++i)
        moment.log().events(entities[i], 0, logged[i]);
      moment.release();
      std::vector<activation> found;
      found.reserve(entities.size());
      for (std::size_t i = 0; i < entities.size(); ++i)
        found.push_back(activate_one(entities[i], std::move(logged[i])));
      return found;
    });
  }

  result<std::vector<journal_event>> events(const entity_id& entity, std::uint64_t after,
                                            std::uint32_t limit) override {
    return guarded<std::vector<journal_event>>([&] {
      std::vector<journal_event> found;
      if (after > INT64_MAX) return found;
      std::vector<journal_event> logged;
      auto moment = now_in_log();
      moment.log().events(entity, after, logged);
      moment.release();
      read_events(entity, after, std::min(limit, events_page_max), std::move(logged), found);
      return found;
    });
  }

  result<std::vector<balance>> balances(std::span<const account_id> accounts) override {
    if (accounts.size() > read_keys_max) return too_many();
    return guarded<std::vector<balance>>([&] {
      std::vector<std::optional<balance>> logged(accounts.size());
      auto moment = now_in_log();
      for (std::size_t i = 0; i < accounts.size(); ++i)
        if (const auto* a = moment.log().account(accounts[i]))
          logged[i] = balance{accounts[i], a->amount, a->version, a->closed};
      moment.release();
      std::vector<balance> found;
      for (std::size_t i = 0; i < accounts.size(); ++i) {
        if (logged[i]) {
          found.push_back(*logged[i]);
          continue;
        }
        reading use{balance_};
        if (balance_.run(accounts[i]).step())
          found.push_back(
              {accounts[i], balance_.integer(0), balance_.number(1), balance_.integer(2) != 0});
      }
      return found;
    });
  }

  result<std::vector<transfer>> transfers(std::span<const uuid> ids) override {
    if (ids.size() > read_keys_max) return too_many();
    return guarded<std::vector<transfer>>([&] {
      std::vector<std::optional<transfer>> logged(ids.size());
      auto moment = now_in_log();
      for (std::size_t i = 0; i < ids.size(); ++i)
        if (const auto* row = moment.log().transfer(ids[i])) logged[i] = row->what;
      moment.release();
      std::vector<transfer> found;
      for (std::size_t i = 0; i < ids.size(); ++i) {
        if (logged[i]) {
          found.push_back(*logged[i]);
          continue;
        }
        reading use{transfer_};
        if (transfer_.run(ids[i]).step()) found.push_back(read_transfer(transfer_));
      }
      return found;
    });
  }

  /// A transfer's id carries the milliseconds of what it belongs to (rule A1), so the match's
  /// transfers lie side by side.
  result<std::vector<transfer>> transfers_of(const account_id& account,
                                             const uuid& reference) override {
    return guarded<std::vector<transfer>>([&] {
      uuid first, last;
      std::copy_n(reference.bytes.begin(), 6, first.bytes.begin());
      last.bytes.fill(0xFF);
      std::copy_n(reference.bytes.begin(), 6, last.bytes.begin());
      std::map<uuid, transfer> found;  // by id; a row that is being merged is in both places
      auto moment = now_in_log();
      for (auto& row : logged_of(moment.log(), account))
        if (row.what.id >= first && row.what.id <= last && row.what.reference == reference)
          found.emplace(row.what.id, row.what);
      moment.release();
      reading use{transfers_of_};
      transfers_of_.run(first, last, reference, account);
      while (transfers_of_.step())
        found.emplace(transfers_of_.key(0), read_transfer(transfers_of_));
      std::vector<transfer> rows;
      for (const auto& [id, row] : found) rows.push_back(row);
      return rows;
    });
  }

  result<std::vector<history_row>> history(const uuid& player, currency money,
                                           std::optional<uuid> before,
                                           std::uint32_t limit) override {
    return guarded<std::vector<history_row>>([&] {
      const auto account = player_account(player, money);
      std::array<std::uint8_t, 17> bound;  // one byte longer than any id: above all of them
      bound.fill(0xFF);
      if (before) std::ranges::copy(before->bytes, bound.begin());
      const std::span<const std::uint8_t> upper{bound.data(), before ? 16u : 17u};
      const auto page = std::min(limit, history_page_max);
      std::map<uuid, history_row> found;
      auto moment = now_in_log();
      for (auto& row : logged_of(moment.log(), account)) {
        const auto* seen = seen_by(row.what);
        if (seen != nullptr && *seen == account && (!before || row.what.id < *before))
          found.emplace(row.what.id, history_row{row.what, row.at, row.what.credit == account});
      }
      moment.release();
      reading use{history_};
      history_.run(account, upper, page);
      while (history_.step()) {
        auto what = read_transfer(history_);
        const bool credit = what.credit == account;
        found.emplace(what.id, history_row{what, history_.integer(7), credit});
      }
      std::vector<history_row> rows;
      for (auto at = found.rbegin(); at != found.rend() && rows.size() < page; ++at)
        rows.push_back(at->second);
      return rows;
    });
  }

  result<std::vector<wake_row>> wakes(std::uint32_t shard_first, std::uint32_t shard_last,
                                      millis until, std::uint32_t limit,
                                      const wake_row* after) override {
    return guarded<std::vector<wake_row>>([&] {
      std::vector<wake_row> found;
      reading use{wakes_};
      const entity_key key{after != nullptr ? after->entity : entity_id{}};
      const std::string_view behind = after != nullptr ? std::string_view{key} : std::string_view{};
      wakes_.run(until, shard_first, shard_last, after != nullptr ? after->at : INT64_MIN, behind,
                 std::min(limit, wakes_page_max));
      while (wakes_.step())
        found.push_back({entity_key::parse(wakes_.bytes(0)), wakes_.integer(1),
                         static_cast<std::uint32_t>(wakes_.integer(2))});
      return found;
    });
  }

  result<std::vector<incident>> incidents(std::uint32_t limit, const incident* before) override {
    return guarded<std::vector<incident>>([&] {
      std::vector<incident> found;
      reading use{incidents_};
      const auto id = before != nullptr ? before->id : uuid{};  // bound as it stands, not copied
      incidents_.run(before != nullptr ? before->at : INT64_MAX, id,
                     std::min<std::uint32_t>(limit, read_keys_max));
      while (incidents_.step())
        found.push_back({incidents_.key(0), incidents_.integer(1),
                         entity_key::parse(incidents_.bytes(2)), incidents_.text(3),
                         incidents_.text(4)});
      return found;
    });
  }

  result<millis> now() override {
    return guarded<millis>([&]() -> result<millis> {
      reading use{answers_};
      if (!answers_.run().step()) return error{errc::corrupt, "the store's own row is missing"};
      return common_->now();
    });
  }

 private:
  log_snapshot now_in_log() { return {db_, live_.get(), own_, newest_}; }

  static std::vector<generation::transfer_row> logged_of(const overlay& log,
                                                         const account_id& account) {
    std::vector<const generation::transfer_row*> rows;
    log.transfers_of(account, rows);
    std::vector<generation::transfer_row> copies;
    for (const auto* row : rows) copies.push_back(*row);
    return copies;
  }

  /// @param logged what the log holds after `after`; the tables may hold some of it, too
  void read_events(const entity_id& entity, std::uint64_t after, std::uint32_t limit,
                   std::vector<journal_event> logged, std::vector<journal_event>& into) {
    const entity_key key{entity};
    reading use{events_};
    events_.run(std::string_view{key}, after, limit);
    while (events_.step()) {
      if (!logged.empty() && events_.number(0) >= logged.front().seq) break;
      into.push_back({events_.number(0), events_.integer(1), events_.text(2)});
    }
    for (auto& event : logged)
      if (into.size() < limit) into.push_back(std::move(event));
  }

  activation activate_one(const entity_id& entity, std::vector<journal_event> logged) {
    activation found;
    found.entity = entity;
    const entity_key key{entity};
    {
      reading use{snapshot_};
      if (snapshot_.run(std::string_view{key}).step()) {
        found.snapshot_seq = snapshot_.number(0);
        found.snapshot = snapshot_.text(1);
      }
    }
    {
      reading use{attempts_};
      if (attempts_.run(std::string_view{key}).step())
        found.attempts = static_cast<std::uint32_t>(attempts_.integer(0));
    }
    std::erase_if(logged, [&](const auto& event) { return event.seq <= found.snapshot_seq; });
    read_events(entity, found.snapshot_seq, UINT32_MAX, std::move(logged), found.events);
    found.head = found.snapshot_seq;
    // A gap is for the owner to find: refused here it would keep the rest of the call from loading.
    if (!found.events.empty()) found.head = found.events.back().seq;
    return found;
  }

  std::shared_ptr<shared> common_;
  std::shared_ptr<commit_log> live_;
  connection db_;
  overlay own_;  // without live_
  statement newest_, snapshot_, events_, balance_, transfer_, transfers_of_, history_, wakes_,
      attempts_, incidents_, answers_;
};

}  // namespace

std::unique_ptr<reader> make_reader(std::shared_ptr<shared> common) {
  {
    connection probe{common->file, access::read, false};
    require_schema(probe);
  }
  std::shared_ptr<commit_log> live;
  if (!common->read_only) {
    const std::lock_guard hold{common->write};
    common->open_log();
    live = common->log;
  }
  return std::make_unique<embedded_reader>(std::move(common), std::move(live));
}

}  // namespace baraza::storage::embedded
