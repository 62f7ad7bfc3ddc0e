// Our MessagePack beside msgpack-cxx, and bytes that nobody should send.
#include "actors/games/codec.hpp"

#include <msgpack.hpp>

#include "actors/games/fair.hpp"
#include "tests/games/properties.hpp"

namespace codec = baraza::games::codec;
namespace fair = baraza::fair;
using baraza::games::test::dice;

namespace {

struct inner {
  std::int16_t number = 0;
  bool operator==(const inner&) const = default;
  static void fields(auto& field, auto& self) { field("number", self.number); }
};
enum class colour : std::uint8_t { red = 1, blue = 2 };
struct everything {
  bool flag = false;
  std::uint8_t small = 0;
  std::int64_t large = 0;
  std::uint64_t huge = 0;
  double real = 0;
  colour paint = colour::red;
  std::string text;
  std::optional<std::int32_t> maybe;
  std::array<std::uint16_t, 2> pair{};
  std::vector<inner> list;
  bool operator==(const everything&) const = default;
  static void fields(auto& field, auto& self) {
    field("flag", self.flag);
    field("small", self.small);
    field("large", self.large);
    field("huge", self.huge);
    field("real", self.real);
    field("paint", self.paint);
    field("text", self.text);
    field("maybe", self.maybe);
    field("pair", self.pair);
    field.optional("list", self.list);
  }
};
struct one_byte {
  std::uint8_t n = 0;
  static void fields(auto& field, auto& self) { field("n", self.n); }
};

everything random_value(dice& die) {
  everything e;
  e.flag = die.below(2) == 0;
  e.small = static_cast<std::uint8_t>(die.roll());
  e.large = static_cast<std::int64_t>(die.roll()) >> die.below(64);
  e.huge = die.roll() >> die.below(64);
  e.real = static_cast<double>(die.below(1000)) / 8;
  e.paint = colour::blue;
  e.text = fair::to_hex(die.bytes(150)) + "\u00e9\u20ac\U0001f0a1";
  if (die.below(2) == 0) e.maybe = static_cast<std::int32_t>(die.roll());
  e.pair = {static_cast<std::uint16_t>(die.roll()), 0};
  e.list.resize(die.below(40));
  for (auto& element : e.list)
    element.number = static_cast<std::int16_t>(die.roll() >> die.below(16));
  return e;
}

template <class T>
std::string packed(const T& value) {
  msgpack::sbuffer buffer;
  msgpack::pack(buffer, value);
  return {buffer.data(), buffer.size()};
}

}  // namespace

TEST_CASE("what is written reads back, and msgpack-cxx reads and writes the same bytes") {
  dice die{1};
  for (int i = 0; i < 500; ++i) {
    const auto value = random_value(die);
    const auto bytes = codec::encode(value);
    REQUIRE(codec::decode<everything>(bytes) == value);
    REQUIRE(codec::reader{bytes}.skip());
    const auto handle = msgpack::unpack(bytes.data(), bytes.size());
    REQUIRE(packed(handle.get()) == bytes);  // the shortest forms, so equal byte for byte
  }
}

TEST_CASE("integers are read in any encoding and only within their type's range") {
  const auto read = [](const std::string& number) {
    const auto value = codec::decode<one_byte>("\x81\xa1n" + number);
    return value ? int{value->n} : -1;
  };
  CHECK(read("\x07") == 7);
  CHECK(read("\xcc\xff") == 255);
  CHECK(read(std::string("\xcd\x00\xff", 3)) == 255);
  CHECK(read(std::string("\xcf\x00\x00\x00\x00\x00\x00\x00\x05", 9)) == 5);
  CHECK(read(std::string("\xd1\x00\x05", 3)) == 5);
  CHECK(read(std::string("\xcd\x01\x00", 3)) == -1);
  CHECK(read("\xff") == -1);
  CHECK(read("\xd0\xff") == -1);
  CHECK(read("\xcf\xff\xff\xff\xff\xff\xff\xff\xff") == -1);
  CHECK(read("\xc3") == -1);
  CHECK(read("\xa1"
             "5") == -1);
  CHECK(read(std::string("\xcb\x3f\xf0\x00\x00\x00\x00\x00\x00", 9)) == -1);
  CHECK(read("\xcd\x01") == -1);
}

TEST_CASE("text is UTF-8 or refused") {
  for (const auto* good : {"", "plain", "\u00e9", "\u20ac", "\U0001f0a1", "\U0010ffff"})
    CHECK(codec::is_utf8(good));
  for (const auto* bad : {"\x80", "\xc3", "\xc3x", "\xc0\x80", "\xe0\x80\x80", "\xed\xa0\x80",
                          "\xf0\x80\x80\x80", "\xf4\x90\x80\x80", "\xf5\x80\x80\x80", "\xe2\x82"})
    CHECK_FALSE(codec::is_utf8(bad));
  std::string text;
  codec::reader in{"\xa1\xff"};
  CHECK_FALSE(codec::read(in, text));
}

TEST_CASE("missing, repeated, unknown and trailing parts are refused") {
  const auto ok = [](const std::string& bytes) {
    return codec::decode<one_byte>(bytes).has_value();
  };
  CHECK(ok("\x81\xa1n\x01"));
  CHECK_FALSE(ok("\x80"));
  CHECK_FALSE(ok("\x82\xa1n\x01\xa1n\x01"));
  CHECK_FALSE(ok("\x82\xa1n\x01\xa1m\x01"));
  CHECK_FALSE(ok("\x81\xa1n\x01\x01"));
  CHECK_FALSE(ok("\x82\xa1n\x01"));
  CHECK_FALSE(ok("\x91\x01"));
  CHECK_FALSE(ok("\x81\x01\x01"));
  CHECK_FALSE(ok(""));
}

TEST_CASE("deep nesting and empty promises of length cost nothing") {
  CHECK(codec::reader{std::string(8, '\x91') + "\x01"}.skip());
  CHECK_FALSE(codec::reader{std::string(9, '\x91') + "\x01"}.skip());
  CHECK_FALSE(codec::reader{std::string(1'000'000, '\x91')}.skip());
  CHECK_FALSE(codec::reader{std::string_view("\xdd\xff\xff\xff\xff", 5)}.skip());
  CHECK_FALSE(codec::reader{std::string_view("\xdb\xff\xff\xff\xff", 5)}.skip());
  CHECK_FALSE(codec::reader{std::string_view("\xc7\x01\x01\x01", 4)}.skip());
  std::vector<std::uint32_t> list;
  codec::reader promise{std::string_view("\xdc\x0f\xff\x01", 4)};  // 4,095 elements, one byte
  CHECK_FALSE(codec::read(promise, list));
  CHECK(list.capacity() == 0);
}

TEST_CASE("random and mutated bytes are read or refused without harm") {
  dice die{2};
  for (int i = 0; i < 20'000; ++i) {
    const auto bytes = i % 2 == 0 ? die.bytes(60) : die.mutate(codec::encode(random_value(die)));
    if (const auto value = codec::decode<everything>(bytes))
      REQUIRE(codec::decode<everything>(codec::encode(*value)));
    codec::reader in{bytes};
    while (!in.at_end() && in.skip()) {
    }
  }
}
