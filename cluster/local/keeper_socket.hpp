// The keeper's socket: one request of one line, one answer until the end.
#pragma once

#include <chrono>
#include <filesystem>
#include <string>

namespace baraza::cluster::local {

/// Listens in `folder`. Throws `failure`.
int listen_in(const std::filesystem::path& folder);
/// @returns a socket, or -1 if nobody listens in `folder`
int connect_in(const std::filesystem::path& folder);
/// Reads until a line break (not given back), or with `whole` until the end; at most `bytes_max`
/// and `limit`. Empty if it came to nothing.
std::string read_text(int socket, std::size_t bytes_max, std::chrono::milliseconds limit,
                      bool whole);
/// @returns whether all of it was written
bool write_text(int socket, const std::string& text);

}  // namespace baraza::cluster::local
