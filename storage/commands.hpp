// What `baraza ledger verify` and `baraza migrate` do, apart from reading their flags.
#pragma once

#include <optional>
#include <string_view>

namespace baraza::storage {

/// Proves the ledger of the store at `url` and prints what it found; with `json` the last line is
/// one object.
/// @returns 0 clean, 1 with the first violation printed, 2 if the store cannot be read
int ledger_verify(std::string_view url, bool json);

/// `action` is "up" (to the newest, or to `target`), "down" (one step, or to `target`) or "status".
/// Going down to an empty schema drops the ledger, so it must be asked for by `target` 0.
/// @returns 0 done, 1 the store failed, 2 wrong action or target, or the store does not fit this
/// binary
int migrate(std::string_view url, std::string_view action, std::optional<int> target, bool json);

}  // namespace baraza::storage
