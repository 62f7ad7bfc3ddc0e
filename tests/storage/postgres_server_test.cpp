// The PostgreSQL store against the troubles of a real server: restarts, a full disk, a pooler in
// front, other writers.
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <random>
#include <thread>

#include "storage/identity.hpp"
#include "tests/storage/postgres_world.hpp"

namespace baraza::tests {
namespace {

using storage::errc;

/// Grants 1 to a player again and again through one writer, and knows at any time what was
/// acknowledged.
class steady_payer {
 public:
  steady_payer(postgres_world& world, std::uint16_t index) : world_{world}, index_{index} {
    const auto first = world.grant(player, 0, 1, true);
    auto writer = world.writer(index);
    REQUIRE(writer->apply({{world.node.incarnation, index, 1}, {&first}}).members.at(0).code ==
            errc::none);
    thread_ = std::thread{[this, own = std::move(writer)] { run(*own); }};
  }
  ~steady_payer() { stop(); }
  void stop() {
    stop_ = true;
    if (thread_.joinable()) thread_.join();
  }
  const uuid player = uuid::v4();
  std::atomic<std::uint64_t> acknowledged = 1;
  std::atomic<bool> failed = false;

 private:
  void run(storage::writer& writer) {
    std::uint64_t number = 1;
    while (!stop_ && !failed) {
      auto next = world_.grant(player, acknowledged, 1);
      const storage::batch batch{{world_.node.incarnation, index_, ++number}, {&next}};
      auto answer = writer.apply(batch);
      while (answer.code == errc::unknown)
        answer = writer.resolve(batch);  // bounded by the server's return, which the test sees to
      if (answer.code == errc::fenced || answer.code == errc::invalid) failed = true;
      if (answer.code != errc::none)
        continue;  // unavailable: the same commit again under a new number
      if (answer.members[0].code == errc::none)
        ++acknowledged;
      else if (answer.members[0].code != errc::unavailable)
        failed = true;
    }
  }
  postgres_world& world_;
  std::uint16_t index_;
  std::atomic<bool> stop_ = false;
  std::thread thread_;
};

void wait_for_progress(const steady_payer& payer) {
  const auto before = payer.acknowledged.load();
  for (int i = 0; i < 6000 && payer.acknowledged < before + 20 && !payer.failed; ++i)
    std::this_thread::sleep_for(std::chrono::milliseconds{5});  // polls: at most 30 s
  REQUIRE(payer.acknowledged >= before + 20);
}

/// A small file system of its own, if this process may mount one.
class small_disk {
 public:
  small_disk() {
    struct stat owner {};
    mounted = stat(folder.path().c_str(), &owner) == 0 &&
              mount("tmpfs", folder.path().c_str(), "tmpfs", 0, "size=48m") == 0 &&
              chown(folder.path().c_str(), owner.st_uid, owner.st_gid) == 0;
  }
  ~small_disk() {
    if (mounted) umount2(folder.path().c_str(), MNT_DETACH);
  }
  server_folder folder;
  bool mounted = false;
};

}  // namespace

TEST_CASE("a server that restarts and crashes under load loses nothing acknowledged",
          "[postgres]") {
  postgres_server server;  // of its own: the other tests' connections stay alone
  postgres_world world{server};
  steady_payer one{world, 0}, two{world, 1};
  for (int round = 0; round < 4; ++round) {
    wait_for_progress(one);
    wait_for_progress(two);
    if (round % 2 == 0) {
      server.restart();
    } else {
      server.kill9();
      server.start();
    }
  }
  wait_for_progress(one);
  wait_for_progress(two);
  for (auto* payer : {&one, &two}) {
    payer->stop();
    CHECK_FALSE(payer->failed);
    CHECK(world.events_of({entity_kind::wallet, payer->player}) ==
          static_cast<int>(payer->acknowledged));
    CHECK(world.balance_of(payer->player) == static_cast<std::int64_t>(payer->acknowledged));
  }
  world.require_clean();
}

TEST_CASE("a full disk refuses commits whole, and they go on when space returns", "[postgres]") {
  small_disk disk;
  if (!disk.mounted) SKIP("needs the right to mount a small tmpfs");
  auto& server = postgres_server::shared();
  server.sql("postgres", "create tablespace small location '" + disk.folder.path().string() + "'");
  server.sql("postgres", "create database on_small tablespace small");
  {
    postgres_world world{server, "on_small"};
    auto writer = world.writer();
    const auto player = uuid::v4();
    const auto first = world.grant(player, 0, 1, true);
    REQUIRE(writer->apply({world.next_id(), {&first}}).members.at(0).code == errc::none);
    // Connected before the disk is full: a new connection may need to write a file of its own.
    auto opened = world.store->open_reader();
    REQUIRE(opened);
    auto& reader = **opened;
    REQUIRE(reader.now());
    std::uint64_t head = 1;
    errc code = errc::none;
    for (int i = 0; i < 4000 && code == errc::none; ++i) {
      auto next = world.grant(player, head, 1);
      next.events[0].assign(200'000, static_cast<char>('a' + i % 26));
      const storage::batch batch{world.next_id(), {&next}};
      auto answer = writer->apply(batch);
      code = answer.code;
      if (code == errc::none) {
        REQUIRE(answer.members.at(0).code == errc::none);
        ++head;
      }
    }
    REQUIRE(code == errc::unavailable);
    const auto account = storage::player_account(player, storage::currency::demo);
    const auto stored = reader.activate(std::span{&first.entity, 1});
    REQUIRE(stored);
    CHECK(stored->at(0).head == head);
    const auto held = reader.balances(std::span{&account, 1});
    REQUIRE(held);
    CHECK(held->at(0).amount == static_cast<std::int64_t>(head));
    CHECK(mount("tmpfs", disk.folder.path().c_str(), "tmpfs", MS_REMOUNT, "size=96m") == 0);
    const auto again = world.grant(player, head, 1);
    REQUIRE(writer->apply({world.next_id(), {&again}}).members.at(0).code == errc::none);
    CHECK(world.events_of(first.entity) == static_cast<int>(head) + 1);
    world.require_clean();
  }
  server.sql("postgres", "drop tablespace small");
}

TEST_CASE("readers and identities work through PgBouncer in transaction mode", "[postgres]") {
  postgres_world world;
  auto writer = world.writer();
  std::vector<uuid> players;
  for (int i = 0; i < 20; ++i) {
    players.push_back(uuid::v4());
    const auto first = world.grant(players.back(), 0, 100 + i, true);
    REQUIRE(writer->apply({world.next_id(), {&first}}).members.at(0).code == errc::none);
  }
  pgbouncer bouncer{world.server};
  auto pooled = postgres_world::open(bouncer.url(world.database));
  std::atomic<int> wrong = 0, right = 0;
  std::vector<std::thread> threads;
  for (unsigned t = 0; t < 8;
       ++t)  // more clients than the pooler has connections: statements hop between them
    threads.emplace_back([&, t] {
      auto reader = pooled->open_reader();
      if (!reader) {
        ++wrong;
        return;
      }
      for (std::size_t i = 0; i < 40; ++i) {
        const auto n = (i + t) % players.size();
        const entity_id entity{entity_kind::wallet, players[n]};
        const auto account = storage::player_account(players[n], storage::currency::demo);
        const auto active = (*reader)->activate({&entity, 1});
        const auto balances = (*reader)->balances({&account, 1});
        const auto history =
            (*reader)->history(players[n], storage::currency::demo, std::nullopt, 10);
        const bool same = active && active->at(0).head == 1 && active->at(0).events.size() == 1 &&
                          balances &&
                          balances->at(0).amount == static_cast<std::int64_t>(100 + n) && history &&
                          history->size() == 1 && history->at(0).credit && (*reader)->now();
        ++(same ? right : wrong);
      }
    });
  for (auto& thread : threads) thread.join();
  CHECK(wrong == 0);
  CHECK(right == 8 * 40);
  auto people = pooled->open_identity();
  storage::login_session login;
  login.id = uuid::v4();
  login.player = players[0];
  login.access.fill(1);
  login.refresh.fill(2);
  REQUIRE(people->create(
      {.player = players[0], .name = "a@b.c", .display = "A", .password_hash = ""}, login));
  CHECK(people->by_name("a@b.c"));
  CHECK(people->by_access(login.access));
}

TEST_CASE("strikes are counted on one connection, and on another when that is gone", "[postgres]") {
  postgres_world world;
  const entity_id who{entity_kind::table, uuid::v4()};
  const auto count = [&] {
    return static_cast<bool>(world.store->count_attempt({&who, 1}, storage::strike::load));
  };
  const auto pids = [&] {
    return world.server.sql(world.database,
                            "select string_agg(pid::text, ' ') from pg_stat_activity where datname "
                            "= current_database() and application_name = 'baraza-attempts'");
  };
  REQUIRE(count());
  const auto first = pids();
  REQUIRE(first.find_first_of("0123456789") == 0);
  REQUIRE(count());
  CHECK(pids() == first);
  world.server.sql(world.database, "select pg_terminate_backend(" + first + ", 5000)");
  CHECK(count());
  CHECK(pids() != first);
}

TEST_CASE("a writer refuses a server that may lose commits, unless loss is allowed", "[postgres]") {
  postgres_server server{{{"synchronous_commit", "off"}}};
  postgres_world world{server};
  const auto refused = world.store->open_writer(world.node, 0);
  REQUIRE_FALSE(refused);
  CHECK(refused.why().code == errc::incompatible);
  auto careless = storage::postgres::open(server.url(world.database), {.allow_loss = true});
  REQUIRE(careless);
  CHECK((*careless)->open_writer(world.node, 0));
}

TEST_CASE("a writer stops when the store has gone back in time", "[postgres]") {
  postgres_world world;
  auto writer = world.writer();
  const auto player = uuid::v4();
  const auto first = world.grant(player, 0, 5, true);
  REQUIRE(writer->apply({world.next_id(), {&first}}).members.at(0).code == errc::none);
  // As after a failover to a standby that had not received it: the acknowledged rows are gone, the
  // connection too.
  world.server.sql(world.database,
                   "delete from journal where entity = '" + player.to_string() + "'");
  world.server.sql(
      world.database,
      "select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() "
      "and application_name like 'baraza-%-w0'");
  const auto next = world.grant(player, 1, 5);
  auto answer = writer->apply({world.next_id(), {&next}});
  if (answer.code == errc::unknown) answer = writer->resolve({world.next_id(), {&next}});
  CHECK(answer.code == errc::rolled_back);
  CHECK(answer.detail.find("back in time") != std::string::npos);
}

TEST_CASE("writers that share hot accounts and closings neither deadlock nor lose a cent",
          "[postgres]") {
  const auto seed = test_seed();
  CAPTURE(seed);
  postgres_world world;
  constexpr int batches = 150, members = 20;
  // Shared by both writers: a few escrows that one of them may close at any time, and ids that both
  // try to use.
  std::vector<uuid> matches;
  auto setup = world.writer();
  for (int i = 0; i < 12; ++i) {
    const auto id = uuid::v7(wall_clock());
    matches.push_back(id);
    storage::commit c;
    c.entity = {entity_kind::table, id};
    c.shard = shard_of(c.entity, 64);
    c.epoch = world.node.epoch;
    c.events = {"opened"};
    c.opens = {{storage::escrow_account(id, storage::currency::demo), storage::account_kind::escrow,
                storage::currency::demo, id}};
    c.wake = storage::commit::wake_change::set;
    REQUIRE(setup->apply({world.next_id(), {&c}}).members.at(0).code == errc::none);
  }
  setup.reset();
  std::atomic<int> broken = 0, refused = 0, applied = 0;
  const auto run = [&](std::uint16_t index) {
    std::mt19937_64 random{seed + index};
    auto opened = world.store->open_writer(world.node, index);
    if (!opened) {
      ++broken;
      return;
    }
    for (int b = 1; b <= batches; ++b) {
      std::vector<storage::commit> commits(members);
      storage::batch batch{{world.node.incarnation, index, 1'000u + static_cast<std::uint64_t>(b)},
                           {}};
      std::vector<uuid> used;
      for (auto& c : commits) {
        c.entity = {entity_kind::wallet, uuid::v4()};
        c.shard = shard_of(c.entity, 64);
        c.epoch = world.node.epoch;
        c.events = {"e"};
        const auto& match = matches[random() % matches.size()];
        const auto escrow = storage::escrow_account(match, storage::currency::demo);
        const auto house_account = storage::system_account(storage::account_kind::rake,
                                                           storage::currency::demo, random() % 2);
        const auto id = uuid::v8(match, "t" + std::to_string(random() % 2000));
        const bool out = random() % 2 == 0;
        if (random() % 20 == 0) {
          c.closes = {escrow};
        } else if (std::ranges::find(used, id) == used.end()) {
          used.push_back(id);
          c.transfers = {{id, out ? escrow : house_account, out ? house_account : escrow,
                          1 + static_cast<std::int64_t>(random() % 5), storage::currency::demo,
                          storage::transfer_kind::buy_in, match}};
        }
        batch.members.push_back(&c);
      }
      const auto answer = (*opened)->apply(batch);
      if (answer.code != errc::none) {
        ++broken;
        UNSCOPED_INFO(answer.detail);
        continue;
      }
      for (const auto& member : answer.members) {
        if (member.code == errc::unavailable || member.code == errc::invalid) ++broken;
        ++(member.code == errc::none ? applied : refused);
      }
    }
  };
  std::thread other{[&] { run(1); }};
  run(0);
  other.join();
  CHECK(broken == 0);
  CHECK(applied > 0);
  CHECK(refused > 0);
  CHECK(world.server.sql(
            world.database,
            "select deadlocks from pg_stat_database where datname = current_database()") == "0");
  CHECK(world.server.sql(world.database,
                         "select count(*) from account where closed and balance <> 0") == "0");
  world.require_clean();
}

}  // namespace baraza::tests
