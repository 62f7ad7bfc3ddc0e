// Provably fair randomness: commitments, the byte stream and the shuffle of encoding "fair/v1".
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace baraza::fair {

using bytes32 = std::array<std::uint8_t, 32>;

bytes32 sha256(std::string_view data);
bytes32 hmac_sha256(std::string_view key, std::string_view data);
std::string to_hex(std::span<const std::uint8_t> data);

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

/// The stream of one nonce: HMAC-SHA-256 blocks read as big-endian 32-bit words.
class stream {
 public:
  stream(const seeds& from, std::uint64_t nonce);
  std::uint32_t word();
  /// Uniform in [0, n), n ≥ 1, by rejection.
  std::uint32_t below(std::uint32_t n);
  /// 0 … n-1 in shuffled order (Fisher–Yates from the end).
  std::vector<std::uint16_t> shuffle(std::uint16_t n);

 private:
  bytes32 key_;
  std::string message_;  // prefix, then room for the block counter
  std::uint32_t block_ = 0;
  std::array<std::uint8_t, 32> buffer_{};
  std::size_t used_ = 32;
};

}  // namespace baraza::fair
