#pragma once

#include <memory>
#include <string>

#include "storage/identity.hpp"
#include "storage/postgres/postgres.hpp"

namespace baraza::storage::postgres {

/// A few pooled connections behind a lock; works through a transaction pooler.
std::unique_ptr<identity_store> make_identity(const std::string& url, const timing& times);

}  // namespace baraza::storage::postgres
