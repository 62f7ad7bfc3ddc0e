// Why something of a local cluster could not be done, in one line for people.
#pragma once

#include <stdexcept>
#include <string>

namespace baraza::cluster::local {

class failure : public std::runtime_error {
 public:
  /// @param is_usage what was asked for makes no sense, whatever the cluster's state: exit code 2
  explicit failure(const std::string& why, bool is_usage = false)
      : std::runtime_error{why}, is_usage{is_usage} {}
  bool is_usage;
};

/// A name nobody has, an option that does not fit.
inline failure wrong_usage(const std::string& why) { return failure{why, true}; }

}  // namespace baraza::cluster::local
