#include "storage/postgres/database.hpp"

#include "storage/postgres/connect.hpp"

namespace baraza::storage::postgres {

error current_error() {
  try {
    throw;
  } catch (const pqxx::broken_connection& why) {
    return {errc::unavailable, why.what()};
  } catch (const pqxx::in_doubt_error& why) {
    return {errc::unknown, why.what()};
  } catch (const pqxx::sql_error& why) {
    return {class_of(why.sqlstate()), why.what()};
  } catch (const pqxx::failure& why) {
    return {errc::unavailable, why.what()};
  } catch (const std::exception& why) {
    return {errc::corrupt, why.what()};
  }
}

database::database(std::string url, std::string_view name,
                   std::chrono::milliseconds statement_limit)
    : url_{limited(url, name)}, statement_limit_{statement_limit} {}

pqxx::connection& database::open() {
  if (connection_ && connection_->is_open()) return *connection_;
  connection_.reset();
  try {
    const auto options = "-c statement_timeout=" + std::to_string(statement_limit_.count());
    connection_ = std::make_unique<pqxx::connection>(with_parameters(url_, {{"options", options}}));
  } catch (const pqxx::broken_connection& why) {
    // A transaction pooler takes no session settings; its own query_timeout bounds statements.
    if (std::string_view{why.what()}.find("unsupported startup parameter") ==
        std::string_view::npos)
      throw;
    connection_ = std::make_unique<pqxx::connection>(url_);
  }
  return *connection_;
}

uuid as_uuid(const pqxx::field& field) {
  const auto id = uuid::parse(field.view());
  if (!id) throw pqxx::conversion_error{"not a uuid"};
  return *id;
}

std::string as_bytes(const pqxx::field& field) {
  const auto bytes = field.as<pqxx::bytes>();
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

pqxx::bytes_view bytes_of(std::string_view text) {
  return {reinterpret_cast<const std::byte*>(text.data()), text.size()};
}

}  // namespace baraza::storage::postgres
