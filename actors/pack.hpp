// What the journals of entities add to the games' codec: byte strings, ids, and a reader that
// throws cannot_fold.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

#include "actors/games/codec.hpp"
#include "actors/games/game.hpp"
#include "storage/ids.hpp"

namespace baraza::actors::pack {

using games::codec::put_array;
using games::codec::put_int;
using games::codec::put_map;
using games::codec::put_nil;
using games::codec::put_text;
using games::codec::put_uint;

void put_binary(std::string& out, std::string_view bytes);
template <std::size_t N>
void put_binary(std::string& out, const std::array<std::uint8_t, N>& bytes) {
  put_binary(out, std::string_view{reinterpret_cast<const char*>(bytes.data()), N});
}
inline void put_id(std::string& out, const uuid& id) { put_binary(out, id.bytes); }

/// Reads our own bytes in the order they were written; anything else throws games::cannot_fold.
/// Views point into the bytes given.
class unpacker {
 public:
  explicit unpacker(std::string_view bytes) : in_{bytes} {}
  std::uint64_t number();
  std::uint32_t number32();
  std::int64_t integer();
  std::string_view text();
  std::string_view binary();
  uuid id();
  bool nil();  // true, and passed, if the next value is nil
  /// Opens an array of at least `min` elements; returns how many there are.
  std::uint32_t array(std::uint32_t min = 0);
  void skip(std::uint32_t values);  // elements a newer version added
  [[nodiscard]] bool at_end() const { return in_.at_end(); }
  template <std::size_t N>
  std::array<std::uint8_t, N> fixed() {
    std::array<std::uint8_t, N> out;
    copy(out.data(), N);
    return out;
  }

 private:
  void copy(std::uint8_t* to, std::size_t size);
  games::codec::reader in_;
};

}  // namespace baraza::actors::pack
