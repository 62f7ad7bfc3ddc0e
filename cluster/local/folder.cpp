#include "cluster/local/folder.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <fstream>

#include "cluster/local/failure.hpp"

namespace baraza::cluster::local {
namespace {

namespace fs = std::filesystem;
constexpr auto marker = "baraza-cluster", lock_name = "lock", note_name = "processes";

/// Ours, not somebody else's trap in a folder that everybody may write.
bool is_own(const fs::path& path) {
  struct stat about {};
  return lstat(path.c_str(), &about) == 0 && S_ISDIR(about.st_mode) && about.st_uid == geteuid();
}

/// @returns a descriptor, or -1 if somebody else holds it or it cannot be had
int try_lock(const fs::path& path) {
  const int file =
      open((path / lock_name).c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
  if (file < 0) return -1;
  if (flock(file, LOCK_EX | LOCK_NB) == 0) return file;
  ::close(file);
  return -1;
}

void end_noted(const fs::path& path) {
  std::ifstream note{path / note_name};
  noted_process each;
  while (note >> each.id.pid >> each.id.started >> each.name) end_leftover(each.id);
}

/// All but the lock, which is held.
void remove_contents(const fs::path& path) {
  std::error_code ignored;
  for (const auto& entry : fs::directory_iterator{path, ignored})
    if (entry.path().filename() != lock_name && entry.path().filename() != marker)
      fs::remove_all(entry.path(), ignored);
}

}  // namespace

fs::path default_folder() {
  // Not XDG_RUNTIME_DIR: that is memory, and a store that promises fsync belongs on a disk.
  std::error_code ignored;
  auto base = fs::temp_directory_path(ignored);
  if (ignored) base = "/tmp";
  return base / ("baraza-" + std::to_string(geteuid())) / "cluster";
}

cluster_folder::cluster_folder(fs::path path) : path_{std::move(path)} {
  const bool is_new = !fs::exists(path_);
  std::error_code why;
  fs::create_directories(path_.parent_path(), why);
  if (!why) fs::create_directory(path_, why);
  if (why) throw failure{"cannot make " + path_.string() + ": " + why.message()};
  // In a folder that everybody may write, somebody else may have been first.
  const bool is_default = path_ == default_folder();
  if (!is_own(path_) || (is_default && !is_own(path_.parent_path())))
    throw failure{path_.string() + " is not a folder of yours"};
  if (!is_new && !fs::is_empty(path_) && !fs::exists(path_ / marker))
    throw failure{path_.string() + " holds something else: choose another --dir"};
  take();
}

void cluster_folder::take() {
  lock_ = try_lock(path_);
  if (lock_ < 0)
    throw failure{"a cluster is up in " + path_.string() +
                  " already: `baraza cluster down`, or another --dir"};
  end_noted(path_);
  remove_contents(path_);
  std::ofstream{path_ / marker} << "A local cluster of Baraza; removed by `baraza cluster down`.\n";
  // PostgreSQL's user must reach its own folder below; our secrets have modes of their own.
  ::chmod(path_.c_str(), 0711);
}

cluster_folder::~cluster_folder() {
  std::error_code ignored;
  fs::remove_all(path_, ignored);
  // The folder above is ours only by default, and goes only when it is empty.
  if (path_ == default_folder()) fs::remove(path_.parent_path(), ignored);
  if (lock_ >= 0) ::close(lock_);
}

void cluster_folder::note(const std::vector<noted_process>& running) const {
  const auto fresh = path_ / (std::string{note_name} + ".new");
  {
    std::ofstream out{fresh};
    for (const auto& each : running)
      out << each.id.pid << ' ' << each.id.started << ' ' << each.name << '\n';
  }
  std::error_code ignored;  // without it a successor leaves orphans to the kernel's own cleaning
  fs::rename(fresh, path_ / note_name, ignored);
}

bool cluster_folder::clean(const fs::path& path) {
  if (!is_own(path) || !fs::exists(path / marker)) return false;
  const int lock = try_lock(path);
  if (lock < 0) return false;
  end_noted(path);
  std::error_code ignored;
  fs::remove_all(path, ignored);
  ::close(lock);
  return true;
}

void cluster_folder::clean_all(const fs::path& where, const std::string& start) {
  std::error_code ignored;
  for (const auto& entry : fs::directory_iterator{where, ignored})
    if (entry.path().filename().string().starts_with(start)) clean(entry.path());
}

}  // namespace baraza::cluster::local
