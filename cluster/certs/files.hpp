// Files of a certificate folder: written whole or not at all, for their owner only.
#pragma once

#include <filesystem>
#include <string>

namespace baraza::cluster::certs {

inline constexpr std::size_t file_bytes_max = 64 * 1024;

/// Mode 0600, synced, then moved into place. @returns what is wrong; empty: done
std::string write_private(const std::filesystem::path& path, const std::string& content);
/// @returns what is wrong; empty: done. Larger than file_bytes_max is wrong.
std::string read_whole(const std::filesystem::path& path, std::string& content);

}  // namespace baraza::cluster::certs
