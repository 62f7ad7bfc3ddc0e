#include "storage/baseline.hpp"

#include <stdlib.h>

#include <chrono>
#include <filesystem>
#include <random>

#include "storage/limits.hpp"

#if BARAZA_POSTGRES
#include "storage/postgres/naive_bench.hpp"
#endif

namespace baraza::storage {
namespace {

constexpr std::uint32_t open_batch = commit_accounts_max;

commit opening(std::vector<account_id>& accounts, std::uint32_t count) {
  commit work;
  work.entity = {entity_kind::wallet, uuid::v4()};
  work.events = {"opened"};
  for (std::uint32_t i = 0; i < count; ++i) {
    const auto player = uuid::v4();
    accounts.push_back(player_account(player, currency::demo));
    work.opens.push_back({accounts.back(), account_kind::player, currency::demo, player});
    work.transfers.push_back(
        {uuid::v7(1'700'000'000'000), system_account(account_kind::bonus, currency::demo, 0),
         accounts.back(), 1'000'000, currency::demo, transfer_kind::grant, player});
  }
  return work;
}

/// One transaction per transfer on an embedded store of its own beside the one measured, on the
/// same disk.
result<baseline_rates> embedded_baseline(const std::string& path, std::uint32_t accounts,
                                         int seconds) {
  auto name = (std::filesystem::absolute(path).parent_path() / "baraza-baseline-XXXXXX").string();
  if (::mkdtemp(name.data()) == nullptr)
    return error{errc::unavailable, "cannot make a folder for the baseline: " + name};
  const std::filesystem::path folder{name};
  struct cleaner {
    std::filesystem::path at;
    ~cleaner() { std::filesystem::remove_all(at); }
  } clean{folder};
  auto opened = open("sqlite:" + (folder / "baraza.db").string());
  if (!opened) return opened.why();
  auto& store = **opened;
  if (auto made = store.migrate(schema_newest); !made) return made.why();
  auto grant = store.join({"baseline", "", "game", 1, 1024});
  if (!grant) return grant.why();
  auto writer = store.open_writer(*grant, 0);
  if (!writer) return writer.why();
  std::vector<account_id> ids;
  std::uint64_t number = 0;
  const auto apply = [&](commit work) {
    work.epoch = grant->epoch;
    const auto answer = (*writer)->apply({{grant->incarnation, 0, ++number}, {&work}});
    return answer.code == errc::none && answer.members[0].code == errc::none;
  };
  while (ids.size() < accounts)
    if (!apply(opening(ids, std::min<std::uint32_t>(
                                open_batch, accounts - static_cast<std::uint32_t>(ids.size())))))
      return error{errc::unavailable, "the baseline could not open its accounts"};
  std::minstd_rand random{7};
  const auto start = std::chrono::steady_clock::now();
  std::uint64_t transfers = 0;
  std::chrono::duration<double> took{};
  do {
    commit work;
    work.entity = {entity_kind::wallet, uuid::v4()};
    work.events = {"paid"};
    const auto from = random() % ids.size();
    work.transfers.push_back({uuid::v7(1'700'000'000'000), ids[from],
                              ids[(from + 1 + random() % (ids.size() - 1)) % ids.size()], 1,
                              currency::demo, transfer_kind::buy_in, uuid{}});
    if (!apply(work)) return error{errc::unavailable, "the baseline could not commit"};
    ++transfers;
    took = std::chrono::steady_clock::now() - start;
  } while (took.count() < seconds);
  return baseline_rates{static_cast<double>(transfers) / took.count(), 0};
}

}  // namespace

result<baseline_rates> measure_baseline(std::string_view url, std::uint32_t accounts, int seconds) {
  constexpr std::string_view sqlite = "sqlite:";
  if (url.starts_with(sqlite))
    return embedded_baseline(std::string{url.substr(sqlite.size())}, accounts, seconds);
#if BARAZA_POSTGRES
  constexpr int connections[] = {8, 16, 32};
  const auto rates = postgres::run_naive(std::string{url}, accounts, seconds, connections);
  if (!rates) return rates.why();
  return baseline_rates{rates->naive_per_s, rates->single_statement_per_s};
#else
  return error{errc::invalid, "this binary was built without PostgreSQL"};
#endif
}

}  // namespace baraza::storage
