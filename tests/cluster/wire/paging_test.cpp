#include "cluster/wire/paging.hpp"

#include <catch2/catch_test_macros.hpp>
#include <random>

namespace {

using namespace baraza::cluster::wire;
using fault = reassembler::fault;

std::string random_bytes(std::size_t size) {
  std::mt19937_64 random{size};
  std::string out(size, '\0');
  for (auto& c : out) c = static_cast<char>(random());
  return out;
}
bool is_fault(const reassembler::outcome& out, fault what) {
  const auto* found = std::get_if<fault>(&out);
  return found != nullptr && *found == what;
}
bool is_incomplete(const reassembler::outcome& out) {
  return std::holds_alternative<reassembler::incomplete>(out);
}

}  // namespace

TEST_CASE("a message of any size arrives whole, in frames of at most 64 KiB") {
  reassembler pages;
  std::uint64_t number = 0;
  for (const std::size_t size :
       {std::size_t{0}, std::size_t{1}, frame_bytes_max - 1, frame_bytes_max, frame_bytes_max + 1,
        2 * page_chunk_bytes, 2 * page_chunk_bytes + 1, message_bytes_max}) {
    CAPTURE(size);
    const auto message = random_bytes(size);
    const auto frames = split(message, ++number);
    for (std::size_t i = 0; i < frames.size(); ++i) {
      REQUIRE(frames[i].size() <= frame_bytes_max);
      auto out = pages.take(frames[i], 0);
      if (i + 1 < frames.size()) {
        REQUIRE(is_incomplete(out));
      } else {
        REQUIRE(std::holds_alternative<std::string>(out));
        REQUIRE(std::get<std::string>(out) == message);
      }
    }
    REQUIRE(pages.partial_count() == 0);
    REQUIRE(pages.partial_bytes() == 0);
  }
}

TEST_CASE("pages of two messages may mix") {
  reassembler pages;
  const auto first = random_bytes(200'000), second = random_bytes(130'000);
  const auto a = split(first, 1), b = split(second, 2);
  CHECK(is_incomplete(pages.take(a[0], 0)));
  CHECK(is_incomplete(pages.take(b[0], 0)));
  CHECK(is_incomplete(pages.take(a[1], 0)));
  CHECK(std::get<std::string>(pages.take(b[1], 0)) == second);
  CHECK(is_incomplete(pages.take(a[2], 0)));
  CHECK(std::get<std::string>(pages.take(a[3], 0)) == first);
}

TEST_CASE("a missing, repeated or late page drops its message") {
  reassembler pages;
  const auto frames = split(random_bytes(200'000), 1);
  CHECK(is_fault(pages.take(frames[1], 0), fault::out_of_order));
  CHECK(is_incomplete(pages.take(frames[0], 0)));
  CHECK(is_fault(pages.take(frames[0], 0), fault::out_of_order));
  CHECK(pages.partial_count() == 0);
  CHECK(is_incomplete(pages.take(frames[0], 0)));
  CHECK(is_fault(pages.take(frames[2], 0), fault::out_of_order));
  CHECK(is_incomplete(pages.take(frames[0], 0)));
  CHECK(is_fault(pages.take(frames[1], partial_age_max.count() + 1), fault::out_of_order));
  CHECK(pages.partial_bytes() == 0);
  CHECK(pages.dropped() == 3);
}

TEST_CASE("messages begun and never ended stay within their bounds") {
  reassembler pages;
  const auto message = random_bytes(message_bytes_max);
  for (std::uint64_t number = 0; number < 200; ++number) {
    const auto frames = split(message, number);
    for (std::size_t i = 0; i + 1 < frames.size(); ++i) {
      pages.take(frames[i], 0);
      REQUIRE(pages.partial_count() <= partial_messages_max);
      REQUIRE(pages.partial_bytes() <= partial_bytes_max);
    }
  }
  pages.expire(partial_age_max.count() + 1);
  CHECK(pages.partial_count() == 0);
  CHECK(pages.partial_bytes() == 0);
}

TEST_CASE("frames of nobody are malformed") {
  reassembler pages;
  CHECK(is_fault(pages.take("", 0), fault::malformed));
  CHECK(is_fault(pages.take("\x02", 0), fault::malformed));
  CHECK(is_fault(pages.take("\x01", 0), fault::malformed));
  CHECK(is_fault(pages.take(std::string(frame_bytes_max + 1, '\0'), 0), fault::malformed));
  const auto frames = split(random_bytes(200'000), 1);
  for (std::size_t size = 0; size < 60; ++size)
    CHECK(is_fault(pages.take(std::string_view{frames[0]}.substr(0, size), 0), fault::malformed));
  CHECK(is_fault(pages.take(frames[0] + 'x', 0), fault::malformed));
  CHECK(pages.partial_count() == 0);
}
