// The folder of one cluster: held by one process at a time, cleaned of what a killed predecessor
// left, gone in the end.
//
//   baraza-cluster   says that the folder is one of ours, else nothing in it is touched
//   lock             held by whoever runs the cluster
//   processes        number, start time and name of each process, for a successor
//   postgres/ node-1/ edge-1/ …
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "cluster/local/process.hpp"

namespace baraza::cluster::local {

struct noted_process {
  process_id id;
  std::string name;
};

/// Where a cluster lives unless it is told otherwise; the user's own.
std::filesystem::path default_folder();

class cluster_folder {
 public:
  /// Makes the folder, or takes over one that a killed predecessor left: ends its processes by
  /// number and start time and removes its files. Throws `failure` if somebody runs a cluster in
  /// it, or if it holds anything else.
  explicit cluster_folder(std::filesystem::path path);
  ~cluster_folder();  // removes it
  cluster_folder(const cluster_folder&) = delete;
  cluster_folder& operator=(const cluster_folder&) = delete;

  [[nodiscard]] const std::filesystem::path& path() const { return path_; }
  /// Replaces the note at once: whoever reads it sees the old or the new one.
  void note(const std::vector<noted_process>& running) const;

  /// What a killed process left in `path` is ended and removed. Nothing happens if a cluster runs
  /// there or the folder is not one of ours. @returns whether there was anything
  static bool clean(const std::filesystem::path& path);
  /// The same for every folder in `where` whose name begins with `start`.
  static void clean_all(const std::filesystem::path& where, const std::string& start);

 private:
  bool lock();
  void take();

  const std::filesystem::path path_;
  int lock_ = -1;
};

}  // namespace baraza::cluster::local
