// The settings file of one node of a local cluster.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace baraza::cluster::local {

struct node_settings {
  std::string name, zone, data_dir, store_url, http_listen, admin_listen, link_listen,
      link_advertise, key_file;
  std::string ca_file, certificate_file, private_key_file;  // all or none
  std::vector<std::string> roles, hosts;
  bool house_bot = false;
};

/// As TOML.
std::string settings_text(const node_settings& s);
/// 32 random bytes that only we may read, the same for every node. Throws `failure`.
void make_key(const std::filesystem::path& file);

}  // namespace baraza::cluster::local
