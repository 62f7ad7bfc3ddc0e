#include "cluster/local/addresses.hpp"

#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstddef>
#include <cstring>
#include <random>

#include "cluster/local/failure.hpp"

namespace baraza::cluster::local {

address_block::address_block() {
  constexpr int attempts = 100;  // of some 48,000 blocks
  std::random_device random;
  for (int i = 0; i < attempts; ++i) {
    // Below 127.64 live resolvers and the sources of load bots.
    std::uniform_int_distribution<int> second{64, 253}, third{0, 255};
    prefix_ = "127." + std::to_string(second(random)) + "." + std::to_string(third(random)) + ".";
    claim_ = ::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    sockaddr_un name{};
    name.sun_family = AF_UNIX;
    // A name without a file (its first byte is 0): in use exactly as long as its socket.
    const std::string claim = "baraza-local-" + prefix_;
    std::memcpy(name.sun_path + 1, claim.data(), claim.size());
    const auto size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + 1 + claim.size());
    if (claim_ >= 0 && bind(claim_, reinterpret_cast<const sockaddr*>(&name), size) == 0) return;
    if (claim_ >= 0) ::close(claim_);
  }
  throw failure{"no free block of loopback addresses"};
}

address_block::~address_block() {
  if (claim_ >= 0) ::close(claim_);
}

}  // namespace baraza::cluster::local
