#pragma once

#include <memory>
#include <string>

#include "storage/identity.hpp"
#include "storage/postgres/postgres.hpp"
#include "storage/postgres/server_memory.hpp"

namespace baraza::storage::postgres {

/// A few pooled connections behind a lock; works through a transaction pooler.
std::unique_ptr<identity_store> make_identity(const std::string& url, const timing& times,
                                              std::shared_ptr<server_memory> server);

}  // namespace baraza::storage::postgres
