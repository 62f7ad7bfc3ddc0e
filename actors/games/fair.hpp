// Provably fair randomness: commitments, the byte stream and the shuffle of encoding "fair/v1".
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace baraza::fair {

using bytes32 = std::array<std::uint8_t, 32>;

inline constexpr std::string_view encoding = "fair/v1";   // opens every message that is hashed
inline constexpr std::size_t client_seed_bytes_max = 64;  // and at least 1
inline constexpr std::size_t salt_bytes = 16;

bytes32 sha256(std::string_view data);
bytes32 hmac_sha256(std::string_view key, std::string_view data);
std::string to_hex(std::span<const std::uint8_t> data);
std::string to_hex(std::string_view data);
/// False for an odd length or anything but hexadecimal digits; `out` is then unspecified.
bool from_hex(std::string_view text, std::string& out);

/// What fixes every draw of a match. The client seeds are in seat order, 1–64 bytes each.
struct seeds {
  bytes32 server{};
  std::string game_id;  // ≤ 65,535 bytes
  std::vector<std::string> clients;
};

/// SHA-256(server seed), published before anyone chooses a client seed.
bytes32 commitment(const bytes32& server_seed);
/// H_i = SHA-256(client_seed ‖ salt), salt of 16 bytes.
bytes32 client_commitment(std::string_view client_seed, std::string_view salt);

/// Uniform in [0, n), n ≥ 1, from uniform 32-bit words. Words at or past the largest multiple of n
/// are thrown away: a plain x mod n would favour small results. At most half of all words are
/// rejected.
template <class NextWord>
std::uint32_t below(std::uint32_t n, NextWord&& next_word) {
  const std::uint64_t limit = (std::uint64_t{1} << 32) / n * n;
  for (;;) {
    const std::uint32_t word = next_word();
    if (word < limit) return word % n;
  }
}

/// Fills `out` with 0 … size-1 in shuffled order. Exactly this direction: drawing below(n) for
/// every position would be biased, as n^n is no multiple of n!.
template <class NextWord>
void shuffle(std::span<std::uint16_t> out, NextWord&& next_word) {
  for (std::size_t i = 0; i < out.size(); ++i) out[i] = static_cast<std::uint16_t>(i);
  for (std::size_t i = out.size(); i > 1; --i) {
    const std::uint32_t j = below(static_cast<std::uint32_t>(i), next_word);
    std::swap(out[i - 1], out[j]);
  }
}

/// The bytes hashed for block `block` of `nonce`: what the test vectors pin.
std::string block_message(const seeds& from, std::uint64_t nonce, std::uint32_t block);

/// The stream of one nonce: HMAC-SHA-256 blocks read as big-endian 32-bit words. No heap after
/// construction.
class stream {
 public:
  stream(const seeds& from, std::uint64_t nonce);
  std::uint32_t word() {
    if (used_ == words_.size()) refill();
    return words_[used_++];
  }
  /// Uniform in [0, n), n ≥ 1, by rejection.
  std::uint32_t below(std::uint32_t n) {
    return fair::below(n, [this] { return word(); });
  }
  /// 0 … n-1 in shuffled order (Fisher–Yates from the end).
  std::vector<std::uint16_t> shuffle(std::uint16_t n);
  /// The same into memory of the caller.
  void shuffle(std::span<std::uint16_t> out) {
    fair::shuffle(out, [this] { return word(); });
  }
  [[nodiscard]] std::uint32_t blocks_used() const { return block_; }

 private:
  // Hash states after the padded key (and, inside, the message up to the block counter): a block
  // then costs two or three compressions instead of five.
  struct alignas(8) hash_state {
    std::array<std::byte, 112> bytes;
  };
  void refill();

  hash_state inner_;
  hash_state outer_;
  std::uint32_t block_ = 0;
  std::array<std::uint32_t, 8> words_{};
  std::size_t used_ = 8;
};

}  // namespace baraza::fair
