// Registers the PostgreSQL store for the conformance suite: one server for the run, a new database
// for each case.
#include "tests/integration/postgres_server.hpp"
#include "tests/storage/fixture.hpp"

namespace baraza::tests {
namespace {

class postgres_fixture final : public store_fixture {
 public:
  postgres_fixture() : database_{postgres_server::shared().create_database()} {}
  ~postgres_fixture() override { postgres_server::shared().drop_database(database_); }
  [[nodiscard]] std::string url() const override {
    return postgres_server::shared().url(database_);
  }
  [[nodiscard]] capabilities can() const override { return {}; }

 private:
  std::string database_;
};

const register_fixture postgres{"postgres", [] { return std::make_unique<postgres_fixture>(); }};

}  // namespace
}  // namespace baraza::tests
