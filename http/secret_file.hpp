// Files with secrets: read once, into memory that the caller clears.
#pragma once

#include <cstddef>
#include <string>

namespace baraza::http {

/// Reads a regular file that not everybody may read, of at most `bytes_max`.
/// @returns nothing on success, else what is wrong with it: "cannot be read: …"
std::string read_secret(const std::string& path, std::size_t bytes_max, std::string& text);

}  // namespace baraza::http
