#include "tests/storage/fixture.hpp"
#include "tests/storage/temporary_folder.hpp"

namespace {

using namespace baraza::tests;

class embedded_fixture final : public store_fixture {
 public:
  explicit embedded_fixture(std::size_t merge_at_bytes = 0) : merge_at_bytes_{merge_at_bytes} {}
  [[nodiscard]] std::string url() const override {
    return "sqlite:" + (folder_.path() / "data").string();
  }
  [[nodiscard]] capabilities can() const override {
    // Rule A10: one process holds the folder, so there is nobody else to fence off.
    return {.cross_connection_fence = false, .checks_epoch = true, .several_opens = false};
  }

  [[nodiscard]] baraza::storage::open_options options() const override {
    return {.merge_at_bytes = merge_at_bytes_};
  }

 private:
  std::size_t merge_at_bytes_;
  temporary_folder folder_;
};

const register_fixture embedded{"embedded", [] { return std::make_unique<embedded_fixture>(); }};
// The same with a log so short that nearly every commit merges a piece of an earlier one: what is
// read then comes from log and tables together.
const register_fixture merging{"embedded_merging",
                               [] { return std::make_unique<embedded_fixture>(600); }};

}  // namespace
