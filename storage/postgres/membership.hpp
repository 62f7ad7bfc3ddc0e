#pragma once

#include <memory>
#include <string>

#include "storage/membership.hpp"

namespace baraza::storage::postgres {

/// Connects at its first operation.
std::unique_ptr<membership_store> make_membership(const std::string& url);

}  // namespace baraza::storage::postgres
