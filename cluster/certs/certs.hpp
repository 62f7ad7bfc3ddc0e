// The cluster's own certificate authority: one folder with ca.pem, which every node trusts, and
// ca.key, which signs nodes' certificates and stays with the operator.
//
// Rotation with overlap: `rotate` makes a new authority and keeps the old one in ca.pem, so both
// are trusted; spread ca.pem, then issue each node anew; `finish` drops the old one.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace baraza::cluster::certs {

inline constexpr int authority_days = 3650;
inline constexpr int node_days = 397, node_days_max = 3650;
inline constexpr std::size_t addresses_max = 16;
inline constexpr std::size_t authorities_max = 4;  // in ca.pem; a fifth rotation must finish first

struct node_request {
  std::string name;                    // one DNS label in lower case, as nodes call themselves
  std::vector<std::string> addresses;  // IP addresses or DNS names, at most addresses_max
  std::filesystem::path out;           // gets NAME.pem, NAME.key and ca.pem
  int days = node_days;
};

// Each returns one sentence that says what is wrong; empty: done. Files are written whole or not at
// all, with mode 0600.

/// Refused if the folder holds an authority already.
std::string init(const std::filesystem::path& folder, const std::string& cluster);
std::string issue(const std::filesystem::path& folder, const node_request& request);
std::string rotate(const std::filesystem::path& folder);
std::string finish(const std::filesystem::path& folder);

}  // namespace baraza::cluster::certs
