// How a process becomes a member: under a name that nobody else may bear (rule B7).
#pragma once

#include <chrono>
#include <functional>
#include <string>

#include "storage/membership.hpp"

namespace baraza::cluster {

struct joined {
  storage::node_grant grant;
  std::chrono::steady_clock::time_point asked_at;  // when the join that succeeded was sent
};

/// What a look at the address of the one who bears our name has shown.
enum class probe_outcome : std::uint8_t { answered, refused, silent };
using address_probe = std::function<probe_outcome(const std::string& address)>;
/// Connects to "HOST:PORT" and hangs up; waits at most a second.
probe_outcome knock(const std::string& address);

/// Registers this process. Should its name have a living member: one that answers is an error
/// (exists); one whose port is refused, on our own host, is our predecessor and is declared dead;
/// any other one is waited for, until its lease was not renewed for longer than lease + 1 s while
/// the store answered us. Blocks for `limit` at most.
/// @param log told what it waits for
storage::result<joined> join_cluster(storage::membership_store& store,
                                     const storage::member_registration& self,
                                     std::chrono::milliseconds limit,
                                     const std::function<void(const std::string&)>& log,
                                     const address_probe& probe = knock);

}  // namespace baraza::cluster
