#include <catch2/catch_test_macros.hpp>
#include <cstdlib>
#include <fstream>
#include <sstream>

#include "cluster/wire/codec.hpp"
#include "tests/cluster/wire/samples.hpp"

namespace {

using namespace baraza;
using namespace baraza::cluster;

std::string bytes_of(const wire::message& m) {
  auto out = wire::encode(m);
  REQUIRE(std::holds_alternative<std::string>(out));
  return std::get<std::string>(out);
}
wire::message message_of(std::string_view bytes) {
  auto out = wire::decode(bytes);
  REQUIRE(std::holds_alternative<wire::message>(out));
  return std::get<wire::message>(out);
}
wire::wire_error error_of(std::string_view bytes) {
  auto out = wire::decode(bytes);
  REQUIRE(std::holds_alternative<wire::wire_error>(out));
  return std::get<wire::wire_error>(out);
}

std::string hex(std::string_view bytes) {
  static constexpr char digits[] = "0123456789abcdef";
  std::string out;
  for (const unsigned char b : bytes) out += {digits[b >> 4], digits[b & 15]};
  return out;
}

/// The next version: every struct has two more fields, one of them deep.
struct next_version {
  static constexpr std::size_t count = 2;
  static inline std::size_t read_count = 0;
  static void write(std::string& out) {
    actors::pack::put_text(out, "from the next version");
    actors::pack::put_array(out, 2);
    actors::pack::put_nil(out);
    actors::pack::put_map(out, 1);
    actors::pack::put_uint(out, 1);
    actors::pack::put_binary(out, std::string_view{"\xFF\x00", 2});
  }
  static bool read(games::codec::reader& in) {
    std::string_view text;
    ++read_count;
    return in.text(text) && text == "from the next version" && in.skip();
  }
};

/// A struct as its first version had it, and as a later one has it.
struct first_version {
  std::uint32_t stake = 0;
};
struct later_version {
  std::uint32_t stake = 0;
  std::string region = "nairobi";  // what is meant when nothing is said
};
void fields(auto& a, actors::like<first_version> auto& v) { a(v.stake); }
void fields(auto& a, actors::like<later_version> auto& v) { a(v.stake, wire::added(v.region)); }

}  // namespace

TEST_CASE("every message keeps its bytes from version to version") {
  const std::string path = BARAZA_GOLDEN_FILE;
  std::ostringstream now;
  for (const auto& [name, m] : tests::fixed_messages())
    now << name << ' ' << hex(bytes_of(m)) << '\n';
  if (std::getenv("BARAZA_WRITE_GOLDEN") != nullptr) std::ofstream{path} << now.str();
  std::ifstream file{path};
  const std::string golden{std::istreambuf_iterator<char>{file}, {}};
  std::istringstream lines{golden}, ours{now.str()};
  std::size_t count = 0;
  for (std::string was, is; std::getline(lines, was); ++count) {
    std::getline(ours, is);
    REQUIRE(was == is);
  }
  REQUIRE(count == tests::fixed_messages().size());
}

TEST_CASE("any message survives the way to another node") {
  std::random_device device;
  const auto seed = device();
  CAPTURE(seed);
  std::mt19937_64 random{seed};
  for (int i = 0; i < 5000; ++i) {
    const auto m = tests::random_message(random);
    const auto bytes = bytes_of(m);
    const auto again = message_of(bytes);
    REQUIRE(again.what.index() == m.what.index());
    REQUIRE(bytes_of(again) == bytes);
    REQUIRE(again.about.to == m.about.to);
    REQUIRE(again.about.deadline == m.about.deadline);
    REQUIRE(again.about.from.to.entity == m.about.from.to.entity);
  }
}

TEST_CASE("values arrive as they were sent") {
  wire::message m;
  m.about.view = 7;
  m.about.from.node = uuid::v4();
  actors::table_act act{uuid::v4(), 41, std::string{"\x00\xFF", 2}};
  m.what = actors::request{act};
  const auto again = message_of([&] {
    m.about.to = {entity_kind::table, uuid::v7(5)};
    return bytes_of(m);
  }());
  const auto& same = std::get<actors::table_act>(std::get<actors::request>(again.what));
  CHECK(again.about.view == 7);
  CHECK(again.about.from.node == m.about.from.node);
  CHECK(same.player == act.player);
  CHECK(same.command == 41);
  CHECK(same.action == act.action);
}

TEST_CASE("an envelope of schema 1, whose cause has no HTTP id, is still read") {
  for (const auto& [name, m] : tests::fixed_messages()) {
    CAPTURE(name);
    auto old = bytes_of(m);
    const std::string now{
        "\x94\x13\x14\x15\xC4\x09"
        "a-request"},
        then{"\x93\x13\x14\x15"};
    const auto at = old.find(now);
    REQUIRE(at != std::string::npos);
    old.replace(at, now.size(), then);
    old[1] = 1;
    const auto read = message_of(old);
    CHECK(read.about.schema == 1);
    CHECK(read.about.cause.request == 21);
    CHECK(read.about.cause.http.empty());
    CHECK(read.what.index() == m.what.index());
  }
}

TEST_CASE("an old node understands what the next version says, and the other way round") {
  for (const auto& [name, m] : tests::fixed_messages()) {
    CAPTURE(name);
    const auto today = bytes_of(m);
    const auto tomorrow = wire::codec::write<next_version>(m);
    REQUIRE(tomorrow.size() > today.size());
    // Old reads new: what it knows is there, what it does not know is skipped.
    REQUIRE(bytes_of(message_of(tomorrow)) == today);
    // New reads old, without its own fields; and itself, with them.
    auto back = wire::codec::read<next_version>(today);
    REQUIRE(std::holds_alternative<wire::message>(back));
    REQUIRE(bytes_of(std::get<wire::message>(back)) == today);
    next_version::read_count = 0;
    auto same = wire::codec::read<next_version>(tomorrow);
    REQUIRE(std::holds_alternative<wire::message>(same));
    REQUIRE(next_version::read_count >= 3);
    REQUIRE(bytes_of(std::get<wire::message>(same)) == today);
  }
}

TEST_CASE("a message cut short anywhere is malformed") {
  for (const auto& [name, m] : tests::fixed_messages()) {
    const auto bytes = bytes_of(m);
    for (std::size_t size = 0; size < bytes.size(); ++size) {
      CAPTURE(name, size);
      REQUIRE(error_of(std::string_view{bytes}.substr(0, size)).what == wire::fault::malformed);
    }
    REQUIRE(error_of(bytes + '\0').what == wire::fault::malformed);
  }
}

TEST_CASE("an unknown kind or tag is named, and the asker is still known") {
  wire::message m;
  m.about.to = {entity_kind::wallet, uuid::v4()};
  m.about.correlation = 99;
  m.about.from.node = uuid::v4();
  m.what = actors::request{actors::table_unwatch{}};
  auto bytes = bytes_of(m);
  auto of_kind = bytes;
  of_kind[2] = 9;  // [schema, kind, …]
  const auto kind = error_of(of_kind);
  CHECK(kind.what == wire::fault::unknown_kind);
  REQUIRE(kind.about);
  CHECK(kind.about->correlation == 99);
  auto of_tag = bytes;
  of_tag.back() = 100;  // [tag]: table_unwatch has no fields
  const auto tag = error_of(of_tag);
  CHECK(tag.what == wire::fault::unknown_tag);
  CHECK(tag.sentence.find("tag 100") != std::string::npos);
  REQUIRE(tag.about);
  CHECK(tag.about->from.node == m.about.from.node);
}

TEST_CASE("a currency or entity of a later version is refused, not guessed") {
  wire::message m;
  m.about.to = {entity_kind::wallet, uuid::v4()};
  m.what = actors::request{actors::wallet_get{}};
  auto bytes = bytes_of(m);
  bytes.back() = 3;
  CHECK(error_of(bytes).what == wire::fault::bad_value);
  m.about.to.kind = static_cast<entity_kind>(7);
  CHECK(error_of(bytes_of(m)).what == wire::fault::bad_value);
}

TEST_CASE("lies about lengths and depth cost nothing") {
  const auto bytes = bytes_of(tests::fixed_messages().front().second);
  CHECK(error_of("").what == wire::fault::malformed);
  CHECK(error_of("\xDD\xFF\xFF\xFF\xFF").what == wire::fault::malformed);  // 2^32 - 1 elements
  // The envelope claims an eleventh field: 10,000 arrays in each other, then a huge binary.
  auto longer = bytes;
  longer[0] = '\x9B';
  CHECK(error_of(longer + std::string(10'000, '\x91')).what == wire::fault::malformed);
  CHECK(error_of(longer + "\xC6\xFF\xFF\xFF\xFFz").what == wire::fault::malformed);
  CHECK(std::holds_alternative<wire::message>(wire::decode(longer + '\x01')));
  CHECK(error_of(std::string(wire::message_bytes_max + 1, '\x01')).what == wire::fault::too_large);
  wire::message m;
  m.about.to = {entity_kind::table, uuid::v4()};
  m.what = actors::answer{actors::table_view{.body = std::string(wire::message_bytes_max, 'x')}};
  CHECK(std::holds_alternative<wire::wire_error>(wire::encode(m)));
}

TEST_CASE("any bytes are read or refused") {
  std::mt19937_64 random{4711};
  for (int i = 0; i < 20'000; ++i) {
    auto bytes = bytes_of(tests::random_message(random));
    for (auto hits = 1 + random() % 4; hits > 0; --hits)
      bytes[random() % bytes.size()] = static_cast<char>(random());
    const auto out = wire::decode(bytes);
    if (const auto* m = std::get_if<wire::message>(&out)) {
      const auto canonical = bytes_of(*m);
      REQUIRE(bytes_of(message_of(canonical)) == canonical);
    }
  }
}

TEST_CASE("the golden file holds every message there is") {
  std::size_t cases = std::variant_size_v<actors::request> + std::variant_size_v<actors::answer> +
                      std::variant_size_v<actors::push> + std::variant_size_v<wire::control> + 1;
#ifdef BARAZA_TEST_COMMANDS
  --cases;  // debug_fault is no part of the protocol
#endif
  CHECK(tests::fixed_messages().size() == cases);
}

TEST_CASE("a field that was added later has its default when an older node speaks") {
  const auto packed = [](const auto& value) {
    std::string out;
    wire::writer<>{out}.put(value);
    return out;
  };
  const auto unpack = [](const std::string& bytes, auto& value) {
    wire::reader<> in{bytes};
    in.get(value);
    return in.ok() && in.at_end();
  };
  later_version later{5, "mombasa"};
  first_version first;
  REQUIRE(unpack(packed(later), first));
  CHECK(first.stake == 5);
  later_version again;
  REQUIRE(unpack(packed(first_version{6}), again));
  CHECK(again.stake == 6);
  CHECK(again.region == "nairobi");
  REQUIRE(unpack(packed(later), again));
  CHECK(again.region == "mombasa");
  CHECK_FALSE(unpack("\x90", again));  // what was there from the start must be there
}
