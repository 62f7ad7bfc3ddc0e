#include "storage/postgres/database.hpp"

#include "storage/postgres/connect.hpp"

namespace baraza::storage::postgres {
namespace {

struct wrong_server : std::runtime_error {
  explicit wrong_server(const error& why) : std::runtime_error{why.message}, code{why.code} {}
  errc code;
};

}  // namespace

error current_error() {
  try {
    throw;
  } catch (const wrong_server& why) {
    return {why.code, why.what()};
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
                   std::chrono::milliseconds statement_limit, std::shared_ptr<server_memory> server)
    : url_{limited(url, name)}, statement_limit_{statement_limit}, server_{std::move(server)} {}

pqxx::connection& database::open() {
  has_warned_ = false;
  if (connection_ && connection_->is_open()) return *connection_;
  connection_.reset();
  auto fresh = connect();
  fresh->set_notice_handler([this](pqxx::zview) { has_warned_ = true; });
  if (server_) {
    pqxx::nontransaction work{*fresh};
    const auto row = work.exec(server_memory::question).one_row();
    const auto why =
        server_->meet(row[0].as<bool>(), row[1].as<std::string>(), row[2].as<std::string>());
    if (why.code != errc::none) throw wrong_server{why};
  }
  connection_ = std::move(fresh);
  return *connection_;
}

/// The server ends a wait for its standbys with a warning: what was committed is there, and may be
/// gone with the machine. Nobody may be told that it was done (rule A4).
error database::warned() {
  connection_.reset();
  return {errc::unknown, "the server warned at commit"};
}

std::unique_ptr<pqxx::connection> database::connect() {
  try {
    // Notices of no consequence stay away: what comes is a warning.
    const auto options = "-c client_min_messages=warning -c statement_timeout=" +
                         std::to_string(statement_limit_.count());
    return std::make_unique<pqxx::connection>(with_parameters(url_, {{"options", options}}));
  } catch (const pqxx::broken_connection& why) {
    // A transaction pooler takes no session settings; its own query_timeout bounds statements.
    if (std::string_view{why.what()}.find("unsupported startup parameter") ==
        std::string_view::npos)
      throw;
    return std::make_unique<pqxx::connection>(url_);
  }
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
