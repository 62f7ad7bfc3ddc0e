// Rule A6 where the accounts' order gives nothing: two writers that meet only in transfer ids.
#include <algorithm>
#include <atomic>
#include <barrier>
#include <random>
#include <thread>

#include "tests/storage/postgres_world.hpp"

namespace baraza::tests {

using storage::errc;

TEST_CASE("writers that want the same transfer ids for other accounts do not deadlock",
          "[postgres]") {
  const auto seed = test_seed();
  CAPTURE(seed);
  postgres_world world;
  constexpr int batches = 40, members = 40;
  std::atomic<int> broken = 0, applied = 0, refused = 0;
  std::barrier together{2};
  const auto run = [&](std::uint16_t index, storage::writer& writer) {
    std::mt19937_64 random{seed + index};
    const auto match = uuid::v7(wall_clock());
    const auto slot = [&](std::uint32_t i) {
      return storage::system_account(storage::account_kind::rake, storage::currency::demo,
                                     2u * index + i);
    };
    for (int b = 1; b <= batches; ++b) {
      std::vector<uuid> ids;
      for (int i = 0; i < members; ++i)
        ids.push_back(uuid::v8(world.node.node, std::to_string(b) + "/" + std::to_string(i)));
      std::ranges::shuffle(ids, random);
      std::vector<storage::commit> commits(ids.size());
      storage::batch batch{{world.node.incarnation, index, 1'000u + static_cast<std::uint64_t>(b)},
                           {}};
      for (std::size_t i = 0; i < ids.size(); ++i) {
        auto& c = commits[i];
        c.entity = {entity_kind::wallet, uuid::v4()};
        c.shard = shard_of(c.entity, 64);
        c.epoch = world.node.epoch;
        c.events = {"e"};
        c.transfers = {{ids[i], slot(0), slot(1), 1, storage::currency::demo,
                        storage::transfer_kind::rake, match}};
        batch.members.push_back(&c);
      }
      together.arrive_and_wait();
      const auto answer = writer.apply(batch);
      if (answer.code != errc::none) ++broken;
      for (const auto& member : answer.members)
        ++(member.code == errc::none                ? applied
           : member.code == errc::transfer_conflict ? refused
                                                    : broken);
    }
  };
  const auto first = world.writer(0), second = world.writer(1);
  std::thread other{[&] { run(1, *second); }};
  run(0, *first);
  other.join();
  CHECK(broken == 0);
  CHECK(applied == batches * members);  // each id once, whoever came first
  CHECK(refused == batches * members);
  CHECK(world.server.sql(
            world.database,
            "select deadlocks from pg_stat_database where datname = current_database()") == "0");
  world.require_clean();
}

}  // namespace baraza::tests
