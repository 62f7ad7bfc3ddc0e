#include "cluster/joining.hpp"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netdb.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <memory>
#include <thread>

#include "cluster/membership/limits.hpp"
#include "cluster/membership/rebalancer.hpp"

namespace baraza::cluster {
namespace {

using clock = std::chrono::steady_clock;
constexpr auto look_again = 250ms;
constexpr int knock_ms = 1000, hang_up_ms = 300;

std::string host_of(const std::string& address) { return address.substr(0, address.rfind(':')); }

/// One who bears our name, as it was seen first and last.
struct namesake {
  std::uint64_t incarnation = 0;
  millis renewed_at = 0;
  clock::time_point unchanged_since;
};

}  // namespace

probe_outcome knock(const std::string& address) {
  const auto colon = address.rfind(':');
  if (colon == std::string::npos) return probe_outcome::silent;
  auto host = host_of(address);
  if (host.starts_with('[') && host.ends_with(']')) host = host.substr(1, host.size() - 2);
  addrinfo hints{}, *found = nullptr;
  hints.ai_socktype = SOCK_STREAM;
  if (::getaddrinfo(host.c_str(), address.c_str() + colon + 1, &hints, &found) != 0)
    return probe_outcome::silent;
  const std::unique_ptr<addrinfo, decltype(&::freeaddrinfo)> owner{found, &::freeaddrinfo};
  const int socket = ::socket(found->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (socket < 0) return probe_outcome::silent;
  int why = ::connect(socket, found->ai_addr, found->ai_addrlen) == 0 ? 0 : errno;
  if (why == EINPROGRESS) {
    pollfd wait{socket, POLLOUT, 0};
    socklen_t size = sizeof why;
    if (::poll(&wait, 1, knock_ms) != 1 ||
        ::getsockopt(socket, SOL_SOCKET, SO_ERROR, &why, &size) != 0)
      why = ETIMEDOUT;
  }
  // Whatever forwards connections accepts before it knows of anybody behind it. A node waits for
  // our first word; a forwarder with nobody behind it hangs up.
  pollfd word{socket, POLLIN, 0};
  if (why == 0 && ::poll(&word, 1, hang_up_ms) == 1) why = ECONNREFUSED;
  ::close(socket);
  return why == 0              ? probe_outcome::answered
         : why == ECONNREFUSED ? probe_outcome::refused
                               : probe_outcome::silent;
}

storage::result<joined> join_cluster(storage::membership_store& store,
                                     const storage::member_registration& self,
                                     std::chrono::milliseconds limit,
                                     const std::function<void(const std::string&)>& log,
                                     const address_probe& probe) {
  const auto until = clock::now() + limit;
  namesake other;
  for (;;) {
    const auto asked_at = clock::now();
    auto grant = store.join(self);
    if (grant) return joined{*grant, asked_at};
    const auto code = grant.why().code;
    // After an unknown outcome the name may be taken by ourselves: an owner that nobody can reach.
    const bool may_wait = code == storage::errc::exists || code == storage::errc::unknown ||
                          code == storage::errc::unavailable;
    if (!may_wait || clock::now() >= until) return grant.why();
    const auto state = store.read(0);
    if (!state) {
      other = {};  // a silence of the store says nothing about anybody's lease
      std::this_thread::sleep_for(look_again);
      continue;
    }
    const auto found = std::ranges::find(state->members, self.name, &storage::member::name);
    if (found == state->members.end()) continue;
    if (found->incarnation != other.incarnation || found->renewed_at != other.renewed_at)
      other = {found->incarnation, found->renewed_at, clock::now()};
    const auto seen = probe(found->address);
    if (seen == probe_outcome::answered)
      return storage::error{storage::errc::exists, "a node named " + self.name + " runs at " +
                                                       found->address +
                                                       ": give this one another node.name"};
    const bool is_ours =
        seen == probe_outcome::refused && host_of(found->address) == host_of(self.address);
    const bool is_silent = clock::now() - other.unchanged_since >
                           std::chrono::milliseconds{self.lease} + lease_judge_margin;
    if (is_ours || is_silent) {
      log("the predecessor of this name, incarnation " + std::to_string(found->incarnation) +
          ", is declared dead");
      const std::vector<std::uint64_t> dead{found->incarnation};
      (void)store.declare_dead(0, state->version, dead, reassign(*state, dead));
      continue;  // whatever came of it, the next join tells
    }
    log("the name " + self.name + " belongs to " + found->address +
        ", which does not answer: waiting for the end of its lease");
    std::this_thread::sleep_for(look_again);
  }
}

}  // namespace baraza::cluster
