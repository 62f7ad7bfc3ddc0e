// The embedded store: one SQLite file in WAL mode with synchronous=FULL, for one node (rule A10).
#pragma once

#include <memory>
#include <string_view>

#include "storage/store.hpp"

namespace baraza::storage::embedded {

/// Opens the store at `path`: a data folder (baraza.db inside) or, with an extension, the file
/// itself. Creates what is missing unless options.read_only; takes an exclusive lock that a second
/// writing open is refused by. Errors: unavailable (locked, no space, no permission), not_found
/// (read_only and nothing there), corrupt.
result<std::unique_ptr<store>> open(std::string_view path, const open_options& options);

}  // namespace baraza::storage::embedded
