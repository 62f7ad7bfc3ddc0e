#include "storage/embedded/overlay.hpp"

#include <utility>

#include "storage/embedded/sqlite.hpp"

namespace baraza::storage::embedded {

void overlay::freeze() {
  auto next = generation::sized_like(*current_);
  frozen_ = std::exchange(current_, std::move(next));
}

std::unique_ptr<generation> overlay::drop_frozen() {
  return std::exchange(merged_, std::move(frozen_));
}

template <class Look>
void overlay::each(Look&& look) const {
  if (frozen_) look(*frozen_);
  look(*current_);
}

const account_state* overlay::account(const account_id& id) const {
  const account_state* found = nullptr;
  each([&](const generation& g) {
    if (const auto* row = g.find_account(id); row != nullptr && row->known) found = &row->state;
  });
  return found;
}

const account_state* overlay::account_or_cached(const account_id& id) const {
  if (const auto* found = account(id)) return found;
  const auto* row = merged_ ? merged_->find_account(id) : nullptr;
  return row != nullptr && row->known ? &row->state : nullptr;
}

const generation::transfer_row* overlay::transfer(const uuid& id) const {
  const auto* found = current_->find_transfer(id);
  return found == nullptr && frozen_ ? frozen_->find_transfer(id) : found;
}

std::optional<overlay::range> overlay::seqs(const entity_id& entity) const {
  std::optional<range> found;
  each([&](const generation& g) {
    const auto* chain = g.find_chain(entity);
    if (chain == nullptr) return;
    if (!found) found = range{chain->first_seq, chain->head};
    found->head = chain->head;
  });
  return found;
}

std::optional<std::uint64_t> overlay::head_or_cached(const entity_id& entity) const {
  for (const auto* g : {current_.get(), frozen_.get(), merged_.get()})
    if (const auto* chain = g != nullptr ? g->find_chain(entity) : nullptr) return chain->head;
  return std::nullopt;
}

std::optional<batch_id> overlay::batch_of(const entity_id& entity, std::uint64_t seq) const {
  std::optional<batch_id> found;
  each([&](const generation& g) {
    const auto* chain = g.find_chain(entity);
    if (chain == nullptr || seq < chain->first_seq || seq > chain->head) return;
    auto at = chain->first;
    while (g.event(at).seq != seq) at = g.event(at).next;
    found = g.origin_of(g.event(at)).batch;
  });
  return found;
}

void overlay::events(const entity_id& entity, std::uint64_t after,
                     std::vector<journal_event>& to) const {
  each([&](const generation& g) {
    const auto* chain = g.find_chain(entity);
    if (chain == nullptr || chain->head <= after) return;
    for (auto at = chain->first; at != generation::none; at = g.event(at).next)
      if (const auto& e = g.event(at); e.seq > after)
        to.push_back({e.seq, g.origin_of(e).at, std::string{e.payload}});
  });
}

void overlay::transfers_of(const account_id& account,
                           std::vector<const generation::transfer_row*>& to) const {
  each([&](const generation& g) {
    const auto* row = g.find_account(account);
    auto at = row == nullptr ? generation::none : row->newest_transfer;
    while (at != generation::none) {
      const auto& t = g.transfer_at(at);
      to.push_back(&t);
      at = t.what.debit == account ? t.older_of_debit : t.older_of_credit;
    }
  });
}

std::uint64_t catch_up(connection& db, overlay& into) {
  statement oldest{db.handle(), "SELECT min(position) FROM log"};
  oldest.run().step();
  const auto first = oldest.number(0);  // 0 for NULL: no rows
  if (!into.empty() && into.current().first_log() != first) into = {};
  statement rows{db.handle(), "SELECT position,body FROM log WHERE position>? ORDER BY position"};
  rows.run(into.current().last_log());
  while (rows.step()) into.add(rows.number(0), rows.text(1));
  return into.current().last_log();
}

}  // namespace baraza::storage::embedded
