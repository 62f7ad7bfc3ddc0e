// The key that seals server seeds, in a file of its own.
#pragma once

#include <string>

#include "actors/seal.hpp"
#include "storage/store.hpp"

namespace baraza::http {

/// Reads the key of 32 bytes at `path`, which nobody else may read; a file that does not exist is
/// made, with a new key, and is on disk when this returns.
/// @param made whether it was
/// @returns nothing on success, else what is wrong in one line
std::string load_cluster_key(const std::string& path, actors::cluster_key& key, bool& made);

/// Says the key to the store, which knows it by a fingerprint from its first start on. A key that
/// was just made and is not the store's is taken away again: it belongs to nothing.
/// @returns nothing on success, else what is wrong in one line
std::string claim_cluster_key(storage::store& store, const actors::cluster_key& key,
                              const std::string& path, bool made);

}  // namespace baraza::http
