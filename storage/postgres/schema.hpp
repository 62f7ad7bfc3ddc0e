// The numbered steps of the schema, applied and undone.
#pragma once

#include <pqxx/pqxx>

#include "storage/store.hpp"

namespace baraza::storage::postgres {

/// What the store says of its schema; all zero but `newest` when it is empty. Throws pqxx's
/// exceptions.
migration_state read_schema(pqxx::connection& connection);

/// Steps up or down to `target`, each step one transaction, one process at a time. Throws pqxx's
/// exceptions, and std::invalid_argument for a target this binary does not know.
void change_schema(pqxx::connection& connection, int target);

/// Why this binary may not use a store in that state; code none if it may (rule A9).
error schema_fault(const migration_state& state);

}  // namespace baraza::storage::postgres
