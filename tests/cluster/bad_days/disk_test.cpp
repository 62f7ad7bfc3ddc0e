// The store's disk is full.
#include <fcntl.h>
#include <sys/mount.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>

#include "tests/cluster/bad_days/bad_day.hpp"

using namespace baraza::tests;

namespace {

namespace fs = std::filesystem;

/// A file system of 384 MiB: a store, and not much more.
class small_disk {
 public:
  small_disk() {
    auto name = (fs::temp_directory_path() / "baraza-test-disk-XXXXXX").string();
    REQUIRE(::mkdtemp(name.data()) != nullptr);
    path_ = name;
    is_mounted_ = ::mount("tmpfs", path_.c_str(), "tmpfs", 0, "size=384m,mode=0755") == 0;
  }
  ~small_disk() {
    if (is_mounted_) ::umount2(path_.c_str(), MNT_DETACH);
    std::error_code ignored;
    fs::remove(path_, ignored);
  }
  small_disk(const small_disk&) = delete;
  small_disk& operator=(const small_disk&) = delete;
  [[nodiscard]] bool is_mounted() const { return is_mounted_; }
  [[nodiscard]] fs::path store() const { return path_ / "store"; }

  /// Takes what is left, and what is given back meanwhile.
  void fill() const {
    const int file = ::open(ballast().c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    REQUIRE(file >= 0);
    static const std::string block(64 * 1024, 'x');
    while (::write(file, block.data(), block.size()) > 0) continue;
    ::close(file);
  }
  void make_room() const { fs::remove(ballast()); }

 private:
  [[nodiscard]] fs::path ballast() const { return path_ / "ballast"; }
  fs::path path_;
  bool is_mounted_ = false;
};

}  // namespace

TEST_CASE("the store's disk is full: commits wait, nothing is half written, then they go on",
          "[bad_days]") {
  const small_disk disk;
  if (!disk.is_mounted()) SKIP("needs the right to mount a small tmpfs (root)");
  LocalCluster::options options;
  options.store_folder = disk.store();
  options.store = {{"max_wal_size", "64MB"}, {"min_wal_size", "32MB"}};
  bad_day day{options};
  const auto is_held = [&] {
    disk.fill();
    for (const auto& each : day.cluster.nodes())
      if (day.cluster.log(each).find("gate.store_away") != std::string::npos) return true;
    return false;
  };
  REQUIRE(becomes_true(60s, is_held));
  day.play(3s);
  disk.fill();
  day.require_all_running();
  disk.make_room();
  // A log that could not be written has ended the server: whoever runs it starts it again.
  CHECK(becomes_true(60s, [&] {
    day.cluster.start_store();
    return std::ranges::all_of(day.everybody(),
                               [&](auto& who) { return day.cluster.is_ready(who); });
  }));
  day.play(3s);
  day.require_all_running();
  day.require_survived();
}
