// The loopback addresses of one cluster: 127.x.y.1 to .254, with x and y that no other cluster of
// this machine has.
#pragma once

#include <cstdint>
#include <string>

namespace baraza::cluster::local {

/// Taken as long as the object lives; given back by the kernel however the process ends.
class address_block {
 public:
  /// Takes a free block. Throws `failure`.
  address_block();
  ~address_block();
  address_block(const address_block&) = delete;
  address_block& operator=(const address_block&) = delete;
  /// @param number 1 to 254
  [[nodiscard]] std::string at(unsigned number) const { return prefix_ + std::to_string(number); }

 private:
  int claim_ = -1;
  std::string prefix_;  // "127.x.y."
};

}  // namespace baraza::cluster::local
