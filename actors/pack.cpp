#include "actors/pack.hpp"

#include <cstring>
#include <limits>

namespace baraza::actors::pack {
namespace {

void require(bool ok) {
  if (!ok) throw games::cannot_fold{"the bytes are not what this version writes"};
}

}  // namespace

void put_binary(std::string& out, std::string_view bytes) {
  const auto size = bytes.size();
  if (size <= 0xFF) {
    out.push_back(static_cast<char>(0xC4));
    out.push_back(static_cast<char>(size));
  } else {
    const bool wide = size > 0xFFFF;
    out.push_back(static_cast<char>(wide ? 0xC6 : 0xC5));
    for (int shift = wide ? 24 : 8; shift >= 0; shift -= 8)
      out.push_back(static_cast<char>(size >> shift & 0xFF));
  }
  out.append(bytes);
}

std::uint64_t unpacker::number() {
  std::uint64_t bits = 0;
  bool negative = false;
  require(in_.integer(bits, negative) && !negative);
  return bits;
}

std::uint32_t unpacker::number32() {
  const auto wide = number();
  require(wide <= std::numeric_limits<std::uint32_t>::max());
  return static_cast<std::uint32_t>(wide);
}

std::int64_t unpacker::integer() {
  std::uint64_t bits = 0;
  bool negative = false;
  require(in_.integer(bits, negative));
  require(negative || bits <= static_cast<std::uint64_t>(INT64_MAX));
  return static_cast<std::int64_t>(bits);
}

std::string_view unpacker::text() {
  std::string_view value;
  require(in_.text(value));
  return value;
}

std::string_view unpacker::binary() {
  std::string_view value;
  require(in_.binary(value));
  return value;
}

uuid unpacker::id() { return uuid{fixed<16>()}; }

bool unpacker::nil() {
  if (in_.next() != games::codec::kind::nil) return false;
  return in_.nil();
}

std::uint32_t unpacker::array(std::uint32_t min) {
  std::uint32_t size = 0;
  require(in_.array(size) && size >= min);
  return size;
}

void unpacker::skip(std::uint32_t values) {
  for (std::uint32_t i = 0; i < values; ++i) require(in_.skip());
}

void unpacker::copy(std::uint8_t* to, std::size_t size) {
  const auto bytes = binary();
  require(bytes.size() == size);
  std::memcpy(to, bytes.data(), size);
}

}  // namespace baraza::actors::pack
