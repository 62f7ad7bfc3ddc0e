// The vectors of the published description and the statistics of the shuffle.
#include <algorithm>
#include <cmath>

#include "actors/games/fair.hpp"

using namespace baraza;

namespace {

std::string hex(const fair::bytes32& digest) { return fair::to_hex(digest); }

fair::seeds project_seeds() {
  fair::seeds seeds;
  for (std::size_t i = 0; i < 32; ++i) seeds.server[i] = static_cast<std::uint8_t>(i);
  seeds.game_id = "draw-1";
  seeds.clients = {"alice", "bob"};
  return seeds;
}

std::string as_bytes(const std::vector<std::uint16_t>& cards) {
  std::string out;
  for (const auto card : cards) out.push_back(static_cast<char>(card));
  return out;
}

std::string digest_of_shuffle(std::uint64_t nonce) {
  return hex(fair::sha256(as_bytes(fair::stream{project_seeds(), nonce}.shuffle(52))));
}

std::string counting_key() {
  std::string key;
  for (char c = 1; c <= 25; ++c) key.push_back(c);
  return key;
}

}  // namespace

TEST_CASE("HMAC-SHA-256 gives the tags of RFC 4231") {
  struct vector {
    std::string key, data, tag;
  };
  const std::vector<vector> vectors{
      {std::string(20, '\x0b'), "Hi There",
       "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7"},
      {"Jefe", "what do ya want for nothing?",
       "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"},
      {std::string(20, '\xaa'), std::string(50, '\xdd'),
       "773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe"},
      {counting_key(), std::string(50, '\xcd'),
       "82558a389a443c0ea4cc819899f2083a85f0faa3e578f8077a2e3ff46729665b"},
      {std::string(20, '\x0c'), "Test With Truncation", "a3b6167473100ee06e0c796c2955552b"},
      {std::string(131, '\xaa'), "Test Using Larger Than Block-Size Key - Hash Key First",
       "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54"},
      {std::string(131, '\xaa'),
       "This is a test using a larger than block-size key and a larger than block-size data. The "
       "key "
       "needs to be hashed before being used by the HMAC algorithm.",
       "9b09ffa71b942fcb27635fbcd5b0e944bfdc63644f0713938a7f51535c3a35e2"}};
  for (const auto& v : vectors)
    CHECK(hex(fair::hmac_sha256(v.key, v.data)).substr(0, v.tag.size()) == v.tag);
}

TEST_CASE("SHA-256 gives the digests of FIPS 180-4") {
  CHECK(hex(fair::sha256("")) ==
        "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  CHECK(hex(fair::sha256("abc")) ==
        "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

TEST_CASE("the commitment and block 0 are those of the published vector") {
  const auto seeds = project_seeds();
  CHECK(hex(fair::commitment(seeds.server)) ==
        "630dcd2966c4336691125448bbb25b4ff412a49c732db2c8abc1b8581bd710dd");
  const auto message = fair::block_message(seeds, 0, 0);
  CHECK(fair::to_hex(message) ==
        "666169722f76310006647261772d31020005616c6963650003626f62000000000000000000000000");
  const std::string key{reinterpret_cast<const char*>(seeds.server.data()), seeds.server.size()};
  const auto block = fair::hmac_sha256(key, message);
  CHECK(hex(block) == "04a806cadc57db989c3d9246bb7e24696af5c7a7531adfe3d46b020560576cd0");
  CHECK(fair::stream{seeds, 0}.word() == 0x04a806cau);
}

TEST_CASE("the stream is the HMAC of each block's message, for messages of any length") {
  auto seeds = project_seeds();
  const std::string key{reinterpret_cast<const char*>(seeds.server.data()), seeds.server.size()};
  for (std::size_t size = 1; size <= 64; ++size) {  // crosses every boundary of SHA-256's padding
    seeds.clients = {std::string(size, 'a'), std::string(65 - size, 'b'), std::string(size, 'c')};
    fair::stream words{seeds, 0x0102030405060708 + size};
    for (std::uint32_t block = 0; block < 3; ++block) {
      const auto expected =
          fair::hmac_sha256(key, fair::block_message(seeds, 0x0102030405060708 + size, block));
      for (std::size_t i = 0; i < 8; ++i) {
        std::uint32_t word = 0;
        for (std::size_t j = 0; j < 4; ++j) word = word << 8 | expected[4 * i + j];
        REQUIRE(words.word() == word);
      }
    }
  }
}

TEST_CASE("length prefixes keep seeds apart that a plain join would confuse") {
  auto one = project_seeds();
  auto other = project_seeds();
  one.clients = {"92", "3XYZ"};
  other.clients = {"923", "XYZ"};
  CHECK(fair::stream{one, 0}.word() != fair::stream{other, 0}.word());
}

TEST_CASE("the 52-card shuffles are those of the published vector") {
  const std::vector<std::uint16_t> expected{33, 43, 49, 28, 27, 36, 51, 41, 13, 7,  24, 21, 29,
                                            40, 14, 16, 0,  11, 35, 17, 12, 32, 18, 20, 8,  34,
                                            22, 3,  2,  37, 50, 9,  30, 31, 47, 6,  1,  23, 42,
                                            25, 46, 48, 19, 26, 4,  5,  45, 39, 44, 38, 15, 10};
  fair::stream first{project_seeds(), 0};
  CHECK(first.shuffle(52) == expected);
  CHECK(first.blocks_used() == 7);
  CHECK(digest_of_shuffle(0) == "e00d3815141003edcab3d32f32d8fe74363ba976531ee7a9581e14764d6a53f3");
  const auto second = fair::stream{project_seeds(), 1}.shuffle(52);
  CHECK(std::vector<std::uint16_t>(second.begin(), second.begin() + 10) ==
        std::vector<std::uint16_t>{24, 44, 14, 42, 6, 41, 8, 37, 38, 1});
  CHECK(digest_of_shuffle(1) == "d0787e18835a0645e0e5bad5921bb1e5e369c712decdddaa37c2f50ac2e78d43");
}

TEST_CASE("the hash chain from zero bytes is the published one") {
  fair::bytes32 link{};
  link = fair::commitment(link);
  CHECK(hex(link).starts_with("66687aad"));
  link = fair::commitment(link);
  CHECK(hex(link).starts_with("2b32db6c"));
  link = fair::commitment(link);
  CHECK(hex(link) == "12771355e46cd47c71ed1721fd5319b383cca3a1f9fce3aa1c8cd3bd37af20d7");
}

TEST_CASE("below throws away the words at and past the limit, and no others") {
  const auto drawn = [](std::uint32_t n, std::vector<std::uint32_t> words) {
    std::size_t used = 0;
    const auto value = fair::below(n, [&] { return words.at(used++); });
    return std::pair{value, used};
  };
  // floor(2^32 / 52) · 52 = 2^32 - 48
  CHECK(drawn(52, {0xFFFF'FFFF - 48, 7}) == std::pair{51u, std::size_t{1}});
  CHECK(drawn(52, {0xFFFF'FFFF - 47, 7}) == std::pair{7u, std::size_t{2}});
  CHECK(drawn(52, {0xFFFF'FFFF, 0xFFFF'FFF0, 0xFFFF'FFD0, 105}) == std::pair{1u, std::size_t{4}});
  CHECK(drawn(1, {0xFFFF'FFFF}) == std::pair{0u, std::size_t{1}});
  CHECK(drawn(0x8000'0000, {0xFFFF'FFFF}) == std::pair{0x7FFF'FFFFu, std::size_t{1}});
  CHECK(drawn(0x8000'0001, {0x8000'0001, 0x8000'0000}) == std::pair{0x8000'0000u, std::size_t{2}});
  CHECK(drawn(0xFFFF'FFFF, {0xFFFF'FFFF, 0xFFFF'FFFE}) == std::pair{0xFFFF'FFFEu, std::size_t{2}});
}

TEST_CASE("a shuffle is a permutation, and of nothing or one card trivial") {
  for (const std::uint16_t size : {0, 1, 2, 312, 1024}) {
    auto cards = fair::stream{project_seeds(), size}.shuffle(size);
    std::sort(cards.begin(), cards.end());
    REQUIRE(cards.size() == size);
    for (std::uint16_t i = 0; i < size; ++i) REQUIRE(cards[i] == i);
  }
}

TEST_CASE("every card is as likely at every position") {
  // Chi-square of position × card: Σ (seen - expected)² / expected has 51² degrees of freedom.
  // Fixed seeds, so the value is always the same; the bounds are 4.5 standard deviations (√(2·2601)
  // ≈ 72) for the day that the seeds change.
  constexpr int shuffles = 200'000;
  static std::array<std::array<int, 52>, 52> seen{};
  const auto seeds = project_seeds();
  std::array<std::uint16_t, 52> cards{};
  for (int nonce = 0; nonce < shuffles; ++nonce) {
    fair::stream{seeds, static_cast<std::uint64_t>(nonce)}.shuffle(std::span{cards});
    for (std::size_t at = 0; at < 52; ++at) ++seen[at][cards[at]];
  }
  constexpr double expected = shuffles / 52.0;
  double chi_square = 0;
  for (const auto& row : seen)
    for (const int count : row) chi_square += (count - expected) * (count - expected) / expected;
  CAPTURE(chi_square);
  CHECK(chi_square < 2601 + 4.5 * 72.1);
  CHECK(chi_square > 2601 - 4.5 * 72.1);
}

TEST_CASE("the duel's first cards win, lose and tie as often as the odds say") {
  constexpr int rounds = 250'000;
  int won = 0;
  int tied = 0;
  const auto seeds = project_seeds();
  std::array<std::uint16_t, 52> cards{};
  for (int nonce = 0; nonce < rounds; ++nonce) {
    fair::stream{seeds, static_cast<std::uint64_t>(nonce)}.shuffle(std::span{cards});
    const int lead = cards[0] % 13 - cards[1] % 13;
    won += lead > 0;
    tied += lead == 0;
  }
  const auto within_four_sigma = [](int count, double probability) {
    const double sigma = std::sqrt(rounds * probability * (1 - probability));
    return std::abs(count - rounds * probability) < 4 * sigma;
  };
  CHECK(within_four_sigma(won, 24.0 / 51));
  CHECK(within_four_sigma(rounds - won - tied, 24.0 / 51));
  CHECK(within_four_sigma(tied, 3.0 / 51));
}

TEST_CASE("hexadecimal reads back, and nothing else is read") {
  std::string bytes;
  CHECK(fair::to_hex(std::string_view{"\x00\xfe\x7f", 3}) == "00fe7f");
  REQUIRE(fair::from_hex("00FE7f", bytes));
  CHECK(bytes == std::string_view{"\x00\xfe\x7f", 3});
  CHECK_FALSE(fair::from_hex("0", bytes));
  CHECK_FALSE(fair::from_hex("0g", bytes));
  CHECK_FALSE(fair::from_hex("0x12", bytes));
}

TEST_CASE("a client's commitment covers seed and salt") {
  const std::string salt(16, 's');
  CHECK(fair::client_commitment("alice", salt) == fair::sha256("alice" + salt));
  CHECK(fair::client_commitment("alicf", salt) != fair::client_commitment("alice", salt));
}
