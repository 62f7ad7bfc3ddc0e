#include "actors/seal.hpp"

#include <sodium.h>

namespace baraza::actors {
namespace {

std::array<std::uint8_t, crypto_secretbox_KEYBYTES> key_of(const cluster_key& key,
                                                           const uuid& match) {
  std::array<std::uint8_t, crypto_secretbox_KEYBYTES> derived;
  crypto_generichash(derived.data(), derived.size(), match.bytes.data(), match.bytes.size(),
                     key.data(), key.size());
  return derived;
}

const unsigned char* raw(std::string_view bytes) {
  return reinterpret_cast<const unsigned char*>(bytes.data());
}

}  // namespace

std::string seal_seed(const cluster_key& key, const uuid& match, const fair::bytes32& seed) {
  std::string sealed(crypto_secretbox_NONCEBYTES + crypto_secretbox_MACBYTES + seed.size(), '\0');
  auto* out = reinterpret_cast<unsigned char*>(sealed.data());
  randombytes_buf(out, crypto_secretbox_NONCEBYTES);
  auto derived = key_of(key, match);
  crypto_secretbox_easy(out + crypto_secretbox_NONCEBYTES, seed.data(), seed.size(), out,
                        derived.data());
  sodium_memzero(derived.data(), derived.size());
  return sealed;
}

std::optional<fair::bytes32> open_seed(const cluster_key& key, const uuid& match,
                                       std::string_view sealed) {
  fair::bytes32 seed;
  if (sealed.size() != crypto_secretbox_NONCEBYTES + crypto_secretbox_MACBYTES + seed.size())
    return std::nullopt;
  auto derived = key_of(key, match);
  const bool opened =
      crypto_secretbox_open_easy(seed.data(), raw(sealed) + crypto_secretbox_NONCEBYTES,
                                 sealed.size() - crypto_secretbox_NONCEBYTES, raw(sealed),
                                 derived.data()) == 0;
  sodium_memzero(derived.data(), derived.size());
  if (!opened) return std::nullopt;
  return seed;
}

}  // namespace baraza::actors
