#include "actors/games/codec.hpp"

#include <bit>

namespace baraza::games::codec {
namespace {

void put_byte(std::string& out, std::uint64_t value) { out.push_back(static_cast<char>(value)); }

void put_big_endian(std::string& out, std::uint64_t value, int bytes) {
  for (int shift = 8 * (bytes - 1); shift >= 0; shift -= 8) put_byte(out, value >> shift & 0xFF);
}

/// Chooses among the 8, 16 and 32-bit forms of a length; `form8` 0 where there is none.
void put_length(std::string& out, std::size_t size, int form8, int form16, int form32) {
  if (form8 != 0 && size <= 0xFF) {
    put_byte(out, static_cast<std::uint64_t>(form8));
    put_big_endian(out, size, 1);
  } else if (size <= 0xFFFF) {
    put_byte(out, static_cast<std::uint64_t>(form16));
    put_big_endian(out, size, 2);
  } else {
    put_byte(out, static_cast<std::uint64_t>(form32));
    put_big_endian(out, size, 4);
  }
}

}  // namespace

void put_nil(std::string& out) { put_byte(out, 0xC0); }
void put_bool(std::string& out, bool value) { put_byte(out, value ? 0xC3 : 0xC2); }

void put_uint(std::string& out, std::uint64_t value) {
  if (value < 0x80) {
    put_byte(out, value);
  } else if (value <= 0xFF) {
    put_byte(out, 0xCC);
    put_byte(out, value);
  } else if (value <= 0xFFFF) {
    put_byte(out, 0xCD);
    put_big_endian(out, value, 2);
  } else if (value <= 0xFFFF'FFFF) {
    put_byte(out, 0xCE);
    put_big_endian(out, value, 4);
  } else {
    put_byte(out, 0xCF);
    put_big_endian(out, value, 8);
  }
}

void put_int(std::string& out, std::int64_t value) {
  const auto bits = static_cast<std::uint64_t>(value);
  if (value >= 0) {
    put_uint(out, bits);
  } else if (value >= -32) {
    put_byte(out, bits & 0xFF);
  } else if (value >= std::numeric_limits<std::int8_t>::min()) {
    put_byte(out, 0xD0);
    put_big_endian(out, bits, 1);
  } else if (value >= std::numeric_limits<std::int16_t>::min()) {
    put_byte(out, 0xD1);
    put_big_endian(out, bits, 2);
  } else if (value >= std::numeric_limits<std::int32_t>::min()) {
    put_byte(out, 0xD2);
    put_big_endian(out, bits, 4);
  } else {
    put_byte(out, 0xD3);
    put_big_endian(out, bits, 8);
  }
}

void put_double(std::string& out, double value) {
  put_byte(out, 0xCB);
  put_big_endian(out, std::bit_cast<std::uint64_t>(value), 8);
}

void put_text(std::string& out, std::string_view value) {
  if (value.size() < 32) {
    put_byte(out, 0xA0 | value.size());
  } else {
    put_length(out, value.size(), 0xD9, 0xDA, 0xDB);
  }
  out += value;
}

void put_array(std::string& out, std::size_t size) {
  size < 16 ? put_byte(out, 0x90 | size) : put_length(out, size, 0, 0xDC, 0xDD);
}

void put_map(std::string& out, std::size_t size) {
  size < 16 ? put_byte(out, 0x80 | size) : put_length(out, size, 0, 0xDE, 0xDF);
}

kind reader::next() const {
  if (at_ == end_) return kind::none;
  const auto head = static_cast<std::uint8_t>(*at_);
  if (head < 0x80 || head >= 0xE0) return kind::integer;
  if (head < 0x90) return kind::map;
  if (head < 0xA0) return kind::array;
  if (head < 0xC0) return kind::text;
  switch (head) {
    case 0xC0:
      return kind::nil;
    case 0xC1:
      return kind::none;
    case 0xC2:
    case 0xC3:
      return kind::boolean;
    case 0xCA:
    case 0xCB:
      return kind::real;
    case 0xDC:
    case 0xDD:
      return kind::array;
    case 0xDE:
    case 0xDF:
      return kind::map;
    default:
      break;
  }
  if (head <= 0xC6) return kind::binary;
  if (head <= 0xC9) return kind::extension;
  if (head <= 0xD3) return kind::integer;
  return head <= 0xD8 ? kind::extension : kind::text;
}

bool reader::take(std::size_t size, std::string_view& value) {
  if (size > left()) return false;
  value = {at_, size};
  at_ += size;
  return true;
}

bool reader::big_endian(std::size_t size, std::uint64_t& value) {
  if (size > left()) return false;
  value = 0;
  for (std::size_t i = 0; i < size; ++i) value = value << 8 | static_cast<std::uint8_t>(*at_++);
  return true;
}

bool reader::counted(std::size_t length_size, std::string_view& value) {
  std::uint64_t size = 0;
  return big_endian(length_size, size) && take(size, value);
}

bool reader::nil() {
  if (next() != kind::nil) return false;
  ++at_;
  return true;
}

bool reader::boolean(bool& value) {
  if (next() != kind::boolean) return false;
  value = static_cast<std::uint8_t>(*at_++) == 0xC3;
  return true;
}

bool reader::integer(std::uint64_t& bits, bool& negative) {
  if (next() != kind::integer) return false;
  const auto head = static_cast<std::uint8_t>(*at_++);
  negative = head >= 0xE0;
  if (head < 0x80) {
    bits = head;
  } else if (negative) {
    bits = static_cast<std::uint64_t>(static_cast<std::int8_t>(head));
  } else if (head < 0xD0) {
    return big_endian(std::size_t{1} << (head - 0xCC), bits);
  } else {
    const std::size_t size = std::size_t{1} << (head - 0xD0);
    if (!big_endian(size, bits)) return false;
    const auto unused = 64 - 8 * size;  // shift up and back to carry the sign through
    const auto value = static_cast<std::int64_t>(bits << unused) >> unused;
    bits = static_cast<std::uint64_t>(value);
    negative = value < 0;
  }
  return true;
}

bool reader::real(double& value) {
  if (next() != kind::real) return false;
  const bool wide = static_cast<std::uint8_t>(*at_++) == 0xCB;
  std::uint64_t bits = 0;
  if (!big_endian(wide ? 8 : 4, bits)) return false;
  value = wide ? std::bit_cast<double>(bits)
               : static_cast<double>(std::bit_cast<float>(static_cast<std::uint32_t>(bits)));
  return true;
}

bool reader::text(std::string_view& value) {
  if (next() != kind::text) return false;
  const auto head = static_cast<std::uint8_t>(*at_++);
  if (head < 0xC0) return take(head & 0x1F, value);
  return counted(std::size_t{1} << (head - 0xD9), value);
}

bool reader::binary(std::string_view& value) {
  if (next() != kind::binary) return false;
  const auto head = static_cast<std::uint8_t>(*at_++);
  return counted(std::size_t{1} << (head - 0xC4), value);
}

bool reader::array(std::uint32_t& size) {
  if (next() != kind::array) return false;
  const auto head = static_cast<std::uint8_t>(*at_++);
  std::uint64_t count = head & 0x0F;
  if (head >= 0xC0 && !big_endian(head == 0xDC ? 2 : 4, count)) return false;
  size = static_cast<std::uint32_t>(count);
  return count <= elements_max;
}

bool reader::map(std::uint32_t& size) {
  if (next() != kind::map) return false;
  const auto head = static_cast<std::uint8_t>(*at_++);
  std::uint64_t count = head & 0x0F;
  if (head >= 0xC0 && !big_endian(head == 0xDE ? 2 : 4, count)) return false;
  size = static_cast<std::uint32_t>(count);
  return count <= elements_max;
}

bool reader::skip(int depth) {
  std::string_view bytes;
  std::uint64_t bits = 0;
  std::uint32_t size = 0;
  bool flag = false;
  double real_value = 0;
  switch (next()) {
    case kind::none:
      return false;
    case kind::nil:
      return nil();
    case kind::boolean:
      return boolean(flag);
    case kind::integer:
      return integer(bits, flag);
    case kind::real:
      return real(real_value);
    case kind::text:
      return text(bytes);
    case kind::binary:
      return binary(bytes);
    case kind::extension:
      return false;  // nothing of ours uses one
    case kind::array:
    case kind::map:
      break;
  }
  if (depth == 0) return false;
  const bool pairs = next() == kind::map;
  if (pairs ? !map(size) : !array(size)) return false;
  for (std::uint32_t i = 0; i < (pairs ? 2 * size : size); ++i) {
    if (!skip(depth - 1)) return false;
  }
  return true;
}

bool is_utf8(std::string_view text) {
  for (std::size_t i = 0; i < text.size();) {
    const auto head = static_cast<std::uint8_t>(text[i++]);
    if (head < 0x80) continue;
    const int more = head >= 0xF0 ? 3 : head >= 0xE0 ? 2 : 1;
    if (head < 0xC2 || head > 0xF4) return false;
    std::uint32_t point = head & (0x3F >> more);
    for (int k = 0; k < more; ++k, ++i) {
      if (i == text.size() || (static_cast<std::uint8_t>(text[i]) & 0xC0) != 0x80) return false;
      point = point << 6 | (static_cast<std::uint8_t>(text[i]) & 0x3F);
    }
    const bool overlong = (more == 2 && point < 0x800) || (more == 3 && point < 0x10000);
    const bool surrogate = point >= 0xD800 && point < 0xE000;
    if (overlong || surrogate || point > 0x10FFFF) return false;
  }
  return true;
}

std::optional<std::string_view> find_text(std::string_view map_bytes, std::string_view tag) {
  reader in{map_bytes};
  std::uint32_t size = 0;
  if (!in.map(size)) return std::nullopt;
  for (std::uint32_t i = 0; i < size; ++i) {
    std::string_view key;
    if (!in.text(key)) return std::nullopt;
    if (key == tag) {
      std::string_view value;
      if (!in.text(value)) return std::nullopt;
      return value;
    }
    if (!in.skip()) return std::nullopt;
  }
  return std::nullopt;
}

}  // namespace baraza::games::codec
