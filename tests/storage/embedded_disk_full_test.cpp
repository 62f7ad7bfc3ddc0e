// A disk that fills up under the embedded store: refused, nothing half written, on again when space
// returns.
#include <sys/mount.h>
#include <sys/resource.h>

#include <catch2/catch_test_macros.hpp>
#include <csignal>
#include <cstring>
#include <fstream>

#include "tests/storage/fixture.hpp"
#include "tests/storage/temporary_folder.hpp"

using namespace baraza;
using namespace baraza::storage;
using namespace baraza::tests;

namespace {

constexpr int commits_max = 4'000;  // of 16 KiB: far more than either limit holds

/// @param merge_at_bytes 0: the disk is full before anything is merged; small: during a merge
fixture_kind in_folder(const std::filesystem::path& folder, std::size_t merge_at_bytes) {
  struct fixed final : store_fixture {
    fixed(std::string u, std::size_t m) : where{std::move(u)}, merge_at{m} {}
    [[nodiscard]] std::string url() const override { return where; }
    [[nodiscard]] capabilities can() const override { return {false, true, false}; }
    [[nodiscard]] open_options options() const override { return {.merge_at_bytes = merge_at}; }
    std::string where;
    std::size_t merge_at;
  };
  const auto url = "sqlite:" + (folder / "data").string();
  return {"embedded", [=] { return std::make_unique<fixed>(url, merge_at_bytes); }};
}

/// While it lives no file of this process grows beyond `bytes`: writes fail with EFBIG.
class file_size_limit {
 public:
  explicit file_size_limit(rlim_t bytes) : old_handler_{std::signal(SIGXFSZ, SIG_IGN)} {
    getrlimit(RLIMIT_FSIZE, &old_);
    rlimit lowered = old_;
    lowered.rlim_cur = bytes;
    setrlimit(RLIMIT_FSIZE, &lowered);
  }
  ~file_size_limit() {
    setrlimit(RLIMIT_FSIZE, &old_);
    std::signal(SIGXFSZ, old_handler_);
  }

 private:
  rlimit old_{};
  void (*old_handler_)(int);
};

class small_disk {
 public:
  small_disk() { mounted_ = ::mount("tmpfs", folder_.path().c_str(), "tmpfs", 0, "size=6m") == 0; }
  ~small_disk() {
    if (mounted_) ::umount2(folder_.path().c_str(), MNT_DETACH);
  }
  [[nodiscard]] bool is_mounted() const { return mounted_; }
  [[nodiscard]] const std::filesystem::path& path() const { return folder_.path(); }

 private:
  temporary_folder folder_;
  bool mounted_ = false;
};

/// Commits one cent and 16 KiB of event each until the store refuses. @returns how many were
/// acknowledged
int fill(world& w, wallet& from, const match& to, batch_result& refused) {
  for (int n = 0; n < commits_max; ++n) {
    auto pay = w.commit_of(from.entity, from.seq);
    pay.events[0].assign(16 * 1024, 'e');
    pay.transfers = {buy_in(from, to, 1)};
    pay.transfers[0].id = uuid::v8(to.id, std::to_string(from.seq));
    refused = w.apply({&pay});
    if (refused.code != errc::none) return n;
    REQUIRE(refused.members.at(0).code == errc::none);
    ++from.seq;
  }
  return commits_max;
}

void require_exactly(world& w, const wallet& from, const match& to, int acknowledged) {
  CHECK(w.head_of(from.entity) == from.seq);
  CHECK(w.balance_of(to.escrow).amount == acknowledged);
  CHECK(w.balance_of(from.account).amount == 1'000'000 - acknowledged);
  CHECK_FALSE(w.has_transfer(uuid::v8(to.id, std::to_string(from.seq))));
  w.require_clean_ledger();
}

}  // namespace

TEST_CASE("a limit on the file's size refuses commits and lets them go on when it is raised",
          "[embedded][disk]") {
  const auto merge_at_bytes = GENERATE(std::size_t{0}, std::size_t{100'000});
  CAPTURE(merge_at_bytes);
  const temporary_folder folder;
  world w{in_folder(folder.path(), merge_at_bytes)};
  auto rich = new_wallet(w, 1'000'000);
  const auto game = new_match(w);
  batch_result refused;
  int acknowledged = 0;
  {
    const file_size_limit limit{2 * 1024 * 1024};
    acknowledged = fill(w, rich, game, refused);
    CHECK(refused.code == errc::unavailable);
    CHECK(acknowledged > 0);
    CHECK(acknowledged < commits_max);
    CHECK(refused.members.empty());
    const auto again = w.commit_of(rich.entity, rich.seq);
    // Refused again, or small enough for the room that is left: never half of it.
    if (w.apply({&again}).code == errc::none) ++rich.seq;
    require_exactly(w, rich, game, acknowledged);
  }
  const auto next = w.commit_of(rich.entity, rich.seq);
  CHECK(w.apply_one(next).code == errc::none);
  ++rich.seq;
  require_exactly(w, rich, game, acknowledged);
  w.restart();
  require_exactly(w, rich, game, acknowledged);
}

TEST_CASE("a full disk refuses commits and lets them go on when space returns",
          "[embedded][disk]") {
  const auto merge_at_bytes = GENERATE(std::size_t{0}, std::size_t{100'000});
  CAPTURE(merge_at_bytes);
  const small_disk disk;
  if (!disk.is_mounted())
    SKIP("mounting a small disk needs root; the file-size limit is tested above");
  world w{in_folder(disk.path(), merge_at_bytes)};
  auto rich = new_wallet(w, 1'000'000);
  const auto game = new_match(w);
  const auto ballast = disk.path() / "ballast";
  std::ofstream{ballast} << std::string(3 * 1024 * 1024, 'b');
  batch_result refused;
  const int acknowledged = fill(w, rich, game, refused);
  CHECK(refused.code == errc::unavailable);
  CHECK(acknowledged > 0);
  require_exactly(w, rich, game, acknowledged);
  std::filesystem::remove(ballast);
  CHECK(w.apply_one(w.commit_of(rich.entity, rich.seq)).code == errc::none);
  ++rich.seq;
  require_exactly(w, rich, game, acknowledged);
  w.restart();
  require_exactly(w, rich, game, acknowledged);
}
