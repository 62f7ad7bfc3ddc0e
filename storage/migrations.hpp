// The numbered migrations a binary carries, and what both stores create besides tables.
#pragma once

#include <span>
#include <string_view>
#include <vector>

#include "storage/store.hpp"

namespace baraza::storage {

/// One step of the schema; compiled in from storage/migrations/<store>/ by migrations.cmake.
struct migration {
  int number;        // the schema after `up`; `down` leads back to number - 1
  int oldest_level;  // the oldest binary level that may use the store after `up` (rule A9)
  std::string_view name, up, down;
};

/// Every slot account of every system kind and currency, in id order: migration 1 inserts them.
std::vector<account_open> system_accounts();

namespace embedded {
std::span<const migration> migrations();
}
namespace postgres {
std::span<const migration> migrations();
}

}  // namespace baraza::storage
