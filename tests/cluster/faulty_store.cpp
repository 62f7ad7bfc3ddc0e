#include "tests/cluster/faulty_store.hpp"

#include <algorithm>

namespace baraza::testing {
namespace {

using namespace storage;

class faulty_reader final : public reader {
 public:
  faulty_reader(std::unique_ptr<reader> inner, std::shared_ptr<read_faults> faults)
      : inner_{std::move(inner)}, faults_{std::move(faults)} {}

  result<std::vector<activation>> activate(std::span<const entity_id> entities) override {
    if (faults_->activations_away) return refuse(errc::unavailable);
    if (faults_->touches_unreadable(entities)) return refuse(errc::corrupt);
    return inner_->activate(entities);
  }
  result<std::vector<journal_event>> events(const entity_id& entity, std::uint64_t after,
                                            std::uint32_t limit) override {
    if (faults_->events_away) return refuse(errc::unavailable);
    ++faults_->event_pages;
    return inner_->events(entity, after, std::min(limit, faults_->events_page_max.load()));
  }
  result<std::vector<balance>> balances(std::span<const account_id> accounts) override {
    return inner_->balances(accounts);
  }
  result<std::vector<transfer>> transfers(std::span<const uuid> ids) override {
    return inner_->transfers(ids);
  }
  result<std::vector<transfer>> transfers_of(const account_id& account,
                                             const uuid& reference) override {
    return inner_->transfers_of(account, reference);
  }
  result<std::vector<history_row>> history(const uuid& player, currency money,
                                           std::optional<uuid> before,
                                           std::uint32_t limit) override {
    return inner_->history(player, money, before, limit);
  }
  result<std::vector<wake_row>> wakes(std::uint32_t first, std::uint32_t last, millis until,
                                      std::uint32_t limit, const wake_row* after) override {
    return inner_->wakes(first, last, until, limit, after);
  }
  result<std::vector<incident>> incidents(std::uint32_t limit, const incident* before) override {
    return inner_->incidents(limit, before);
  }
  result<millis> now() override { return inner_->now(); }

 private:
  error refuse(errc code) {
    ++faults_->refused;
    return {code, "as told"};
  }
  std::unique_ptr<reader> inner_;
  std::shared_ptr<read_faults> faults_;
};

class faulty_store final : public store {
 public:
  faulty_store(std::unique_ptr<store> inner, std::shared_ptr<read_faults> faults)
      : inner_{std::move(inner)}, faults_{std::move(faults)} {}

  result<std::unique_ptr<writer>> open_writer(const node_grant& node,
                                              std::uint16_t index) override {
    return inner_->open_writer(node, index);
  }
  result<std::unique_ptr<reader>> open_reader() override {
    auto opened = inner_->open_reader();
    if (!opened) return opened.why();
    return std::unique_ptr<reader>{std::make_unique<faulty_reader>(std::move(*opened), faults_)};
  }
  std::unique_ptr<identity_store> open_identity() override { return inner_->open_identity(); }
  result<std::unique_ptr<membership_store>> open_membership() override {
    return inner_->open_membership();
  }
  result<node_grant> join(const node_registration& node) override { return inner_->join(node); }
  status claim_key(std::string_view fingerprint) override { return inner_->claim_key(fingerprint); }
  status fence(std::uint64_t incarnation) override { return inner_->fence(incarnation); }
  status record_incident(const incident& what) override { return inner_->record_incident(what); }
  status count_attempt(std::span<const entity_id> entities, strike what) override {
    return inner_->count_attempt(entities, what);
  }
  status forget_attempts(std::span<const entity_id> entities, strike up_to) override {
    return inner_->forget_attempts(entities, up_to);
  }
  status maintain(millis now) override { return inner_->maintain(now); }
  result<migration_state> migrations() override { return inner_->migrations(); }
  status migrate(int target) override { return inner_->migrate(target); }
  result<verify_report> verify() override { return inner_->verify(); }

 private:
  std::unique_ptr<store> inner_;
  std::shared_ptr<read_faults> faults_;
};

}  // namespace

void read_faults::make_unreadable(const entity_id& who) {
  const std::lock_guard lock{mutex_};
  unreadable_.insert(who);
}

bool read_faults::touches_unreadable(std::span<const entity_id> who) const {
  const std::lock_guard lock{mutex_};
  return std::ranges::any_of(who,
                             [&](const entity_id& each) { return unreadable_.contains(each); });
}

std::unique_ptr<store> make_faulty(std::unique_ptr<store> inner,
                                   std::shared_ptr<read_faults> faults) {
  return std::make_unique<faulty_store>(std::move(inner), std::move(faults));
}

}  // namespace baraza::testing
