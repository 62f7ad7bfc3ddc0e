#include "tests/storage/fixture.hpp"
#include "tests/storage/temporary_folder.hpp"

namespace {

using namespace baraza::tests;

class embedded_fixture final : public store_fixture {
 public:
  [[nodiscard]] std::string url() const override {
    return "sqlite:" + (folder_.path() / "data").string();
  }
  [[nodiscard]] capabilities can() const override {
    // Rule A10: one process holds the folder, so there is nobody else to fence off.
    return {.cross_connection_fence = false, .checks_epoch = true, .several_opens = false};
  }

 private:
  temporary_folder folder_;
};

const register_fixture embedded{"embedded", [] { return std::make_unique<embedded_fixture>(); }};

}  // namespace
