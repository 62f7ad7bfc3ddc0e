#include "storage/postgres/pq.hpp"

#include <poll.h>

#include <cerrno>
#include <cstring>

namespace baraza::storage::postgres {
namespace {

std::string field(const PGresult* rows, int code) {
  const char* text = PQresultErrorField(rows, code);
  return text == nullptr ? std::string{} : std::string{text};
}

reply lost(const PGconn* connection) {
  reply answer;
  answer.message = connection == nullptr ? "not connected" : PQerrorMessage(connection);
  return answer;
}

}  // namespace

std::string session::connect(const std::string& url) {
  close();
  connection_ = PQconnectdb(url.c_str());
  if (PQstatus(connection_) != CONNECTION_OK) {
    std::string why = PQerrorMessage(connection_);
    close();
    return why.empty() ? "cannot connect" : why;
  }
  PQsetNoticeReceiver(connection_, &session::take_notice, this);
  PQsetnonblocking(connection_, 1);
  return {};
}

void session::close() {
  PQfinish(connection_);
  connection_ = nullptr;
}

void session::take_notice(void* self, const PGresult* notice) {
  if (field(notice, PG_DIAG_SEVERITY_NONLOCALIZED) == "WARNING")
    static_cast<session*>(self)->warned_ = true;
}

reply session::query(const char* sql, std::initializer_list<std::string> parameters,
                     std::chrono::milliseconds limit) {
  std::vector<const char*> values;
  for (const auto& parameter : parameters) values.push_back(parameter.c_str());
  if (connection_ == nullptr) return lost(nullptr);
  if (PQsendQueryParams(connection_, sql, static_cast<int>(values.size()), nullptr, values.data(),
                        nullptr, nullptr, 0) == 0)
    return lost(connection_);
  return wait(limit);
}

reply session::prepare(const char* name, const char* sql, std::chrono::milliseconds limit) {
  if (connection_ == nullptr || PQsendPrepare(connection_, name, sql, 0, nullptr) == 0)
    return lost(connection_);
  return wait(limit);
}

reply session::run(const char* name, const std::vector<std::string_view>& parameters,
                   std::chrono::milliseconds limit) {
  std::vector<const char*> values;
  std::vector<int> lengths, formats(parameters.size(), 1);
  values.reserve(parameters.size());
  lengths.reserve(parameters.size());
  for (const auto parameter : parameters) {
    values.push_back(parameter.data());
    lengths.push_back(static_cast<int>(parameter.size()));
  }
  if (connection_ == nullptr ||
      PQsendQueryPrepared(connection_, name, static_cast<int>(values.size()), values.data(),
                          lengths.data(), formats.data(), 1) == 0)
    return lost(connection_);
  return wait(limit);
}

reply session::wait(std::chrono::milliseconds limit) {
  using clock = std::chrono::steady_clock;
  const auto deadline = clock::now() + limit;
  warned_ = false;
  reply answer;
  for (;;) {
    const int unsent = PQflush(connection_);
    if (unsent < 0) return lost(connection_);
    while (unsent == 0 && PQisBusy(connection_) == 0) {
      std::unique_ptr<PGresult, result_deleter> rows{PQgetResult(connection_)};
      if (!rows) {  // the whole answer is here, the end of the transaction included
        answer.warned = warned_;
        if (PQstatus(connection_) != CONNECTION_OK) answer.what = reply::outcome::lost;
        return answer;
      }
      const auto status = PQresultStatus(rows.get());
      if (status == PGRES_TUPLES_OK || status == PGRES_COMMAND_OK) {
        if (answer.what != reply::outcome::failed) answer.what = reply::outcome::rows;
      } else {
        answer.what = reply::outcome::failed;
        answer.sqlstate = field(rows.get(), PG_DIAG_SQLSTATE);
        answer.message = PQresultErrorMessage(rows.get());
      }
      answer.rows = std::move(rows);
    }
    const auto left =
        std::chrono::duration_cast<std::chrono::milliseconds>(deadline - clock::now()).count();
    if (left <= 0) {
      answer.what = reply::outcome::lost;
      answer.message = "no answer within the deadline";
      return answer;
    }
    pollfd socket{PQsocket(connection_), static_cast<short>(POLLIN | (unsent > 0 ? POLLOUT : 0)),
                  0};
    const int ready = poll(&socket, 1, static_cast<int>(left));
    if (ready < 0 && errno != EINTR) return lost(connection_);
    if (ready > 0 && (socket.revents & ~POLLOUT) != 0 && PQconsumeInput(connection_) == 0)
      return lost(connection_);
  }
}

}  // namespace baraza::storage::postgres
