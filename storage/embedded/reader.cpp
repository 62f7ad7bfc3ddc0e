// Reads on a connection of its own: under WAL they neither wait for the writer nor hold it up.
#include <algorithm>

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
  explicit embedded_reader(std::shared_ptr<shared> common)
      : common_{std::move(common)},
        db_{common_->file, access::read, false},
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
                 "SELECT id,debit,credit,amount,currency,kind,reference,at FROM transfer"
                 " WHERE credit=?1 AND kind IN (2, 4, 5, 6) AND id<?2"
                 " UNION ALL SELECT id,debit,credit,amount,currency,kind,reference,at FROM transfer"
                 " WHERE debit=?1 AND kind IN (1, 7) AND id<?2 ORDER BY 1 DESC LIMIT ?3"},
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
      transaction one_snapshot{db_, access::read};
      std::vector<activation> found;
      found.reserve(entities.size());
      for (const auto& entity : entities) found.push_back(activate_one(entity));
      return found;
    });
  }

  result<std::vector<journal_event>> events(const entity_id& entity, std::uint64_t after,
                                            std::uint32_t limit) override {
    return guarded<std::vector<journal_event>>([&] {
      std::vector<journal_event> found;
      if (after <= INT64_MAX) read_events(entity, after, std::min(limit, events_page_max), found);
      return found;
    });
  }

  result<std::vector<balance>> balances(std::span<const account_id> accounts) override {
    if (accounts.size() > read_keys_max) return too_many();
    return guarded<std::vector<balance>>([&] {
      transaction one_snapshot{db_, access::read};
      std::vector<balance> found;
      for (const auto& id : accounts) {
        reading use{balance_};
        if (balance_.run(id).step())
          found.push_back({id, balance_.integer(0), balance_.number(1), balance_.integer(2) != 0});
      }
      return found;
    });
  }

  result<std::vector<transfer>> transfers(std::span<const uuid> ids) override {
    if (ids.size() > read_keys_max) return too_many();
    return guarded<std::vector<transfer>>([&] {
      transaction one_snapshot{db_, access::read};
      std::vector<transfer> found;
      for (const auto& id : ids) {
        reading use{transfer_};
        if (transfer_.run(id).step()) found.push_back(read_transfer(transfer_));
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
      std::vector<transfer> found;
      reading use{transfers_of_};
      transfers_of_.run(first, last, reference, account);
      while (transfers_of_.step()) found.push_back(read_transfer(transfers_of_));
      return found;
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
      std::vector<history_row> found;
      reading use{history_};
      history_.run(account, upper, std::min(limit, history_page_max));
      while (history_.step()) {
        auto what = read_transfer(history_);
        const bool credit = what.credit == account;
        found.push_back({std::move(what), history_.integer(7), credit});
      }
      return found;
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
      incidents_.run(before != nullptr ? before->at : INT64_MAX,
                     before != nullptr ? before->id : uuid{},
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
  void read_events(const entity_id& entity, std::uint64_t after, std::uint32_t limit,
                   std::vector<journal_event>& into) {
    const entity_key key{entity};
    reading use{events_};
    events_.run(std::string_view{key}, after, limit);
    while (events_.step()) into.push_back({events_.number(0), events_.integer(1), events_.text(2)});
  }

  activation activate_one(const entity_id& entity) {
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
    read_events(entity, found.snapshot_seq, UINT32_MAX, found.events);
    found.head = found.snapshot_seq;
    // A gap is for the owner to find: refused here it would keep the rest of the call from loading.
    if (!found.events.empty()) found.head = found.events.back().seq;
    return found;
  }

  std::shared_ptr<shared> common_;
  connection db_;
  statement snapshot_, events_, balance_, transfer_, transfers_of_, history_, wakes_, attempts_,
      incidents_, answers_;
};

}  // namespace

std::unique_ptr<reader> make_reader(std::shared_ptr<shared> common) {
  {
    connection probe{common->file, access::read, false};
    require_schema(probe);
  }
  return std::make_unique<embedded_reader>(std::move(common));
}

}  // namespace baraza::storage::embedded
