// A row of the commit log, packed and unpacked.
#include <catch2/catch_test_macros.hpp>

#include "storage/embedded/log_record.hpp"
#include "storage/embedded/sqlite.hpp"

using namespace baraza;
using namespace baraza::storage;

TEST_CASE("a log row that is cut anywhere is refused or holds less, and never reads beyond itself",
          "[embedded][log]") {
  struct counter final : embedded::log_listener {
    void origin(const embedded::log_origin& of) override { seen = of; }
    void event(const entity_id& entity, std::uint64_t seq, std::string_view payload) override {
      text += entity.to_string() + std::to_string(seq) + std::string{payload};
    }
    void moved(const transfer& t, std::uint64_t position, std::uint64_t) override {
      transfers.push_back(t);
      last = position;
    }
    void account(const account_id&, const embedded::account_state& a) override {
      amount = a.amount;
    }
    embedded::log_origin seen;
    std::string text;
    std::vector<transfer> transfers;
    std::uint64_t last = 0;
    std::int64_t amount = 0;
  };
  commit work;
  work.entity = {entity_kind::table, uuid::v4()};
  work.expected_seq = 7;
  work.events = {"one", "", std::string("\0x", 2)};
  const transfer move{uuid::v4(), uuid::v4(),    uuid::v4(),
                      INT64_MAX,  currency::kes, transfer_kind::payout,
                      uuid::v4()};
  embedded::log_packer packer;
  packer.begin({{3, 2, 1}, -5, 4, 99});
  packer.member(work, {&move, &move});
  packer.account(uuid::v4(), {.amount = -12, .version = 3, .closed = true});
  const auto body = packer.take();
  counter whole;
  embedded::unpack(body, whole);
  CHECK(whole.seen.batch == batch_id{3, 2, 1});
  CHECK(whole.seen.at == -5);
  const auto name = work.entity.to_string();
  CHECK(whole.text == name + "8one" + name + "9" + name + "10" + std::string("\0x", 2));
  CHECK(whole.transfers == std::vector{move, move});
  CHECK(whole.last == 100);
  CHECK(whole.amount == -12);
  int accepted = 0;
  for (std::size_t size = 0; size < body.size(); ++size) {
    const std::string cut = body.substr(0, size);  // of its own size, so that a sanitizer sees
    counter part;
    try {
      embedded::unpack(cut, part);
      ++accepted;
    } catch (const embedded::failure& why) {
      CHECK(why.code == errc::corrupt);
    }
  }
  CHECK(accepted == 2);  // before the member, and before the account
}
