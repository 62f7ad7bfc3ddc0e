#include "http/msgpack.hpp"

namespace baraza::http::pack {
namespace {

/// Bytes of the UTF-8 sequence that `lead` begins, and the range its second byte must lie in; 0: no
/// sequence begins so.
struct sequence {
  std::size_t length;
  unsigned char low, high;
};
sequence sequence_of(unsigned char lead) {
  if (lead < 0x80) return {1, 0, 0};
  if (lead < 0xC2) return {0, 0, 0};
  if (lead < 0xE0) return {2, 0x80, 0xBF};
  if (lead == 0xE0) return {3, 0xA0, 0xBF};
  if (lead == 0xED) return {3, 0x80, 0x9F};
  if (lead < 0xF0) return {3, 0x80, 0xBF};
  if (lead == 0xF0) return {4, 0x90, 0xBF};
  if (lead < 0xF4) return {4, 0x80, 0xBF};
  if (lead == 0xF4) return {4, 0x80, 0x8F};
  return {0, 0, 0};
}

}  // namespace

bool is_utf8(std::string_view text) {
  for (std::size_t i = 0; i < text.size();) {
    const auto lead = static_cast<unsigned char>(text[i]);
    if (lead < 0x80) {
      ++i;
      continue;
    }
    const auto expected = sequence_of(lead);
    if (expected.length == 0 || text.size() - i < expected.length) return false;
    const auto second = static_cast<unsigned char>(text[i + 1]);
    if (second < expected.low || second > expected.high) return false;
    for (std::size_t j = 2; j < expected.length; ++j) {
      if ((static_cast<unsigned char>(text[i + j]) & 0xC0) != 0x80) return false;
    }
    i += expected.length;
  }
  return true;
}

bool cursor::unsigned_item(int log2_bytes, std::uint64_t& out) {
  switch (log2_bytes) {
    case 0: {
      std::uint8_t v = 0;
      return number(v) && (out = v, true);
    }
    case 1: {
      std::uint16_t v = 0;
      return number(v) && (out = v, true);
    }
    case 2: {
      std::uint32_t v = 0;
      return number(v) && (out = v, true);
    }
    default:
      return number(out);
  }
}

bool cursor::bytes(item& out, kind what, std::size_t size) {
  if (left() < size) return false;
  out.what = what;
  out.bytes = {at_, size};
  at_ += size;
  return true;
}

bool cursor::container(item& out, kind what, std::uint64_t count) {
  const auto bytes_least = what == kind::map ? 2 * count : count;  // each value takes a byte
  if (bytes_least > left()) return false;
  out.what = what;
  out.number = count;
  return true;
}

bool cursor::next(item& out) {
  if (at_ == end_) return false;
  const auto head = static_cast<unsigned char>(*at_++);
  if (head < 0x80) {
    out.what = kind::unsigned_;
    out.number = head;
    return true;
  }
  if (head < 0x90) return container(out, kind::map, head & 0x0F);
  if (head < 0xA0) return container(out, kind::array, head & 0x0F);
  if (head < 0xC0) return bytes(out, kind::text, head & 0x1F);
  if (head >= 0xE0) {
    out.what = kind::negative;
    out.number =
        static_cast<std::uint64_t>(static_cast<std::int64_t>(static_cast<std::int8_t>(head)));
    return true;
  }
  return long_head(head, out);
}

bool cursor::long_head(unsigned char head, item& out) {
  std::uint64_t size = 0;
  switch (head) {
    case 0xC0:
      out.what = kind::nil;
      return true;
    case 0xC2:
    case 0xC3:
      out.what = kind::boolean;
      out.number = head & 1;
      return true;
    case 0xC4:
    case 0xC5:
    case 0xC6:
      return unsigned_item(head - 0xC4, size) && bytes(out, kind::binary, size);
    case 0xC7:
    case 0xC8:
    case 0xC9: {
      std::uint8_t type = 0;
      return unsigned_item(head - 0xC7, size) && number(type) && bytes(out, kind::ext, size);
    }
    case 0xCA: {
      std::uint32_t raw = 0;
      if (!number(raw)) return false;
      out.what = kind::real;
      out.real = std::bit_cast<float>(raw);
      return true;
    }
    case 0xCB: {
      std::uint64_t raw = 0;
      if (!number(raw)) return false;
      out.what = kind::real;
      out.real = std::bit_cast<double>(raw);
      return true;
    }
    case 0xCC:
    case 0xCD:
    case 0xCE:
    case 0xCF:
      out.what = kind::unsigned_;
      return unsigned_item(head - 0xCC, out.number);
    case 0xD0:
    case 0xD1:
    case 0xD2:
    case 0xD3: {
      const int log2_bytes = head - 0xD0;
      if (!unsigned_item(log2_bytes, size)) return false;
      const int unused = 64 - (8 << log2_bytes);
      const auto value = static_cast<std::int64_t>(size << unused) >> unused;  // extends the sign
      out.what = value < 0 ? kind::negative : kind::unsigned_;
      out.number = static_cast<std::uint64_t>(value);
      return true;
    }
    case 0xD4:
    case 0xD5:
    case 0xD6:
    case 0xD7:
    case 0xD8: {
      std::uint8_t type = 0;
      return number(type) && bytes(out, kind::ext, std::size_t{1} << (head - 0xD4));
    }
    case 0xD9:
    case 0xDA:
    case 0xDB:
      return unsigned_item(head - 0xD9, size) && bytes(out, kind::text, size);
    case 0xDC:
    case 0xDD:
      return unsigned_item(head - 0xDC + 1, size) && container(out, kind::array, size);
    case 0xDE:
    case 0xDF:
      return unsigned_item(head - 0xDE + 1, size) && container(out, kind::map, size);
    default:
      return false;  // 0xC1 is never used
  }
}

fault cursor::skip(int depth) {
  std::array<std::uint64_t, depth_max> open{};  // values still to come in each open container
  int level = 0;
  for (;;) {
    item head;
    if (!next(head)) return fault::malformed;
    if (head.what == kind::text && !is_utf8(head.bytes)) return fault::bad_text;
    if (head.is_container()) {
      if (level == depth || level == depth_max) return fault::too_deep;
      open[static_cast<std::size_t>(level++)] =
          head.what == kind::map ? 2 * head.number : head.number;
    } else if (level > 0) {
      --open[static_cast<std::size_t>(level - 1)];
    }
    while (level > 0 && open[static_cast<std::size_t>(level - 1)] == 0) {
      --level;
      if (level > 0) --open[static_cast<std::size_t>(level - 1)];
    }
    if (level == 0) return fault::none;
  }
}

void put_unsigned(std::string& out, std::uint64_t value) {
  if (value < 0x80) {
    out.push_back(static_cast<char>(value));
  } else if (value <= 0xFF) {
    out.push_back('\xCC');
    detail::big_endian(out, static_cast<std::uint8_t>(value));
  } else if (value <= 0xFFFF) {
    out.push_back('\xCD');
    detail::big_endian(out, static_cast<std::uint16_t>(value));
  } else if (value <= 0xFFFFFFFF) {
    out.push_back('\xCE');
    detail::big_endian(out, static_cast<std::uint32_t>(value));
  } else {
    out.push_back('\xCF');
    detail::big_endian(out, value);
  }
}

void put_signed(std::string& out, std::int64_t value) {
  if (value >= 0) return put_unsigned(out, static_cast<std::uint64_t>(value));
  if (value >= -32) {
    out.push_back(static_cast<char>(value));
  } else if (value >= INT8_MIN) {
    out.push_back('\xD0');
    detail::big_endian(out, static_cast<std::uint8_t>(value));
  } else if (value >= INT16_MIN) {
    out.push_back('\xD1');
    detail::big_endian(out, static_cast<std::uint16_t>(value));
  } else if (value >= INT32_MIN) {
    out.push_back('\xD2');
    detail::big_endian(out, static_cast<std::uint32_t>(value));
  } else {
    out.push_back('\xD3');
    detail::big_endian(out, static_cast<std::uint64_t>(value));
  }
}

void put_real(std::string& out, double value) {
  out.push_back('\xCB');
  detail::big_endian(out, std::bit_cast<std::uint64_t>(value));
}

void put_text(std::string& out, std::string_view text) {
  const auto size = text.size();
  if (size < 32) {
    out.push_back(static_cast<char>(0xA0 | size));
  } else if (size <= 0xFF) {
    out.push_back('\xD9');
    detail::big_endian(out, static_cast<std::uint8_t>(size));
  } else if (size <= 0xFFFF) {
    out.push_back('\xDA');
    detail::big_endian(out, static_cast<std::uint16_t>(size));
  } else {
    out.push_back('\xDB');
    detail::big_endian(out, static_cast<std::uint32_t>(size));
  }
  out.append(text);
}

void put_binary(std::string& out, std::string_view bytes) {
  const auto size = bytes.size();
  if (size <= 0xFF) {
    out.push_back('\xC4');
    detail::big_endian(out, static_cast<std::uint8_t>(size));
  } else if (size <= 0xFFFF) {
    out.push_back('\xC5');
    detail::big_endian(out, static_cast<std::uint16_t>(size));
  } else {
    out.push_back('\xC6');
    detail::big_endian(out, static_cast<std::uint32_t>(size));
  }
  out.append(bytes);
}

namespace {
void put_count(std::string& out, std::uint32_t count, unsigned char fix, char wide, char widest) {
  if (count < 16) {
    out.push_back(static_cast<char>(fix | count));
  } else if (count <= 0xFFFF) {
    out.push_back(wide);
    detail::big_endian(out, static_cast<std::uint16_t>(count));
  } else {
    out.push_back(widest);
    detail::big_endian(out, count);
  }
}
int digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}
}  // namespace

void put_map(std::string& out, std::uint32_t pairs) { put_count(out, pairs, 0x80, '\xDE', '\xDF'); }
void put_array(std::string& out, std::uint32_t items) {
  put_count(out, items, 0x90, '\xDC', '\xDD');
}

std::string to_hex(std::string_view bytes) {
  static constexpr char digits[] = "0123456789abcdef";
  std::string out;
  out.reserve(2 * bytes.size());
  for (const char c : bytes) {
    out.push_back(digits[static_cast<unsigned char>(c) >> 4]);
    out.push_back(digits[static_cast<unsigned char>(c) & 15]);
  }
  return out;
}

bool from_hex(std::string_view text, void* out, std::size_t size) {
  if (text.size() != 2 * size) return false;
  auto* to = static_cast<unsigned char*>(out);
  for (std::size_t i = 0; i < size; ++i) {
    const int high = digit(text[2 * i]), low = digit(text[2 * i + 1]);
    if (high < 0 || low < 0) return false;
    to[i] = static_cast<unsigned char>(high << 4 | low);
  }
  return true;
}

}  // namespace baraza::http::pack
