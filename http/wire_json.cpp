#include "http/wire_json.hpp"

#include <boost/json/basic_parser_impl.hpp>
#include <charconv>
#include <cmath>
#include <vector>

#include "http/wire.hpp"

namespace baraza::http::wire {
namespace {

namespace json = boost::json;

/// Writes MessagePack while Boost.JSON parses: containers get their head when their end tells the
/// count. Moving a container's bytes for that costs at most depth × frame size.
struct pack_handler {
  static constexpr std::size_t max_object_size = std::size_t(-1);
  static constexpr std::size_t max_array_size = std::size_t(-1);
  static constexpr std::size_t max_key_size = std::size_t(-1);
  static constexpr std::size_t max_string_size = std::size_t(-1);

  std::string* out = nullptr;
  std::string partial;              // text that comes in pieces
  std::vector<std::size_t> begins;  // where each open container's content starts

  bool on_document_begin(json::error_code&) { return true; }
  bool on_document_end(json::error_code&) { return true; }
  bool open() {
    begins.push_back(out->size());
    return true;
  }
  bool close(std::size_t count, bool is_map) {
    std::string head;
    if (is_map) {
      pack::put_map(head, static_cast<std::uint32_t>(count));
    } else {
      pack::put_array(head, static_cast<std::uint32_t>(count));
    }
    out->insert(begins.back(), head);
    begins.pop_back();
    return true;
  }
  bool on_object_begin(json::error_code&) { return open(); }
  bool on_object_end(std::size_t n, json::error_code&) { return close(n, true); }
  bool on_array_begin(json::error_code&) { return open(); }
  bool on_array_end(std::size_t n, json::error_code&) { return close(n, false); }
  bool on_string_part(json::string_view s, std::size_t, json::error_code&) {
    partial.append(s.data(), s.size());
    return true;
  }
  bool on_string(json::string_view s, std::size_t, json::error_code&) {
    if (partial.empty()) {
      pack::put_text(*out, {s.data(), s.size()});
      return true;
    }
    partial.append(s.data(), s.size());
    pack::put_text(*out, partial);
    partial.clear();
    return true;
  }
  bool on_key_part(json::string_view s, std::size_t n, json::error_code& ec) {
    return on_string_part(s, n, ec);
  }
  bool on_key(json::string_view s, std::size_t n, json::error_code& ec) {
    return on_string(s, n, ec);
  }
  bool on_number_part(json::string_view, json::error_code&) { return true; }
  bool on_int64(std::int64_t v, json::string_view, json::error_code&) {
    pack::put_signed(*out, v);
    return true;
  }
  bool on_uint64(std::uint64_t v, json::string_view, json::error_code&) {
    pack::put_unsigned(*out, v);
    return true;
  }
  bool on_double(double v, json::string_view, json::error_code&) {
    pack::put_real(*out, v);
    return true;
  }
  bool on_bool(bool v, json::error_code&) {
    pack::put_bool(*out, v);
    return true;
  }
  bool on_null(json::error_code&) {
    pack::put_nil(*out);
    return true;
  }
  bool on_comment_part(json::string_view, json::error_code&) { return true; }
  bool on_comment(json::string_view, json::error_code&) { return true; }
};

/// JSON text of a MessagePack value. Its depth is bounded because views nest events nest cards, and
/// no further.
class json_writer {
 public:
  static constexpr int depth_max = 64;
  explicit json_writer(std::string& out) : out_{out} {}

  bool value(pack::cursor& at, int depth) {
    pack::item head;
    if (depth == 0 || !at.next(head)) return false;
    switch (head.what) {
      case pack::kind::nil:
        out_ += "null";
        return true;
      case pack::kind::boolean:
        out_ += head.number != 0 ? "true" : "false";
        return true;
      case pack::kind::unsigned_:
        number(head.number);
        return true;
      case pack::kind::negative:
        number(static_cast<std::int64_t>(head.number));
        return true;
      case pack::kind::real:
        real(head.real);
        return true;
      case pack::kind::text:
        text(head.bytes);
        return true;
      case pack::kind::binary:
      case pack::kind::ext:
        out_ += '"';
        out_ += pack::to_hex(head.bytes);
        out_ += '"';
        return true;
      case pack::kind::array:
        return items(at, head.number, depth);
      case pack::kind::map:
        return pairs(at, head.number, depth);
    }
    return false;
  }

 private:
  template <class T>
  void number(T v) {
    char digits[24];
    const auto end = std::to_chars(digits, digits + sizeof digits, v);
    out_.append(digits, end.ptr);
  }
  void real(double v) {
    if (!std::isfinite(v)) {  // JSON has no such numbers
      out_ += "null";
      return;
    }
    number(v);
  }
  bool items(pack::cursor& at, std::uint64_t count, int depth) {
    out_ += '[';
    for (std::uint64_t i = 0; i < count; ++i) {
      if (i > 0) out_ += ',';
      if (!value(at, depth - 1)) return false;
    }
    out_ += ']';
    return true;
  }
  bool pairs(pack::cursor& at, std::uint64_t count, int depth) {
    out_ += '{';
    for (std::uint64_t i = 0; i < count; ++i) {
      if (i > 0) out_ += ',';
      pack::item key;
      if (!at.next(key)) return false;
      if (key.what == pack::kind::text) {
        text(key.bytes);
      } else if (key.what == pack::kind::unsigned_ || key.what == pack::kind::negative) {
        out_ += '"';
        key.what == pack::kind::unsigned_ ? number(key.number)
                                          : number(static_cast<std::int64_t>(key.number));
        out_ += '"';
      } else {
        return false;
      }
      out_ += ':';
      if (!value(at, depth - 1)) return false;
    }
    out_ += '}';
    return true;
  }
  void text(std::string_view s) {
    // A text frame that is not UTF-8 would end the reader's connection for somebody else's mistake.
    if (!pack::is_utf8(s)) return text(replaced(s));
    static constexpr char hex[] = "0123456789abcdef";
    out_ += '"';
    for (const char c : s) {
      const auto u = static_cast<unsigned char>(c);
      if (c == '"' || c == '\\') {
        out_ += '\\';
        out_ += c;
      } else if (u >= 0x20) {
        out_ += c;
      } else {
        out_ += "\\u00";
        out_ += hex[u >> 4];
        out_ += hex[u & 15];
      }
    }
    out_ += '"';
  }
  static std::string replaced(std::string_view s) {
    std::string out;
    for (const char c : s) {
      if (static_cast<unsigned char>(c) < 0x80) {
        out += c;
      } else {
        out += "\xEF\xBF\xBD";  // U+FFFD
      }
    }
    return out;
  }
  std::string& out_;
};

}  // namespace

pack::fault json_to_msgpack(std::string_view text, std::string& out) {
  json::parse_options options;
  options.max_depth = pack::depth_max;
  json::basic_parser<pack_handler> parser{options};
  parser.handler().out = &out;
  out.reserve(text.size());
  json::error_code why;
  const auto used = parser.write_some(false, text.data(), text.size(), why);
  if (why == json::error::too_deep) return pack::fault::too_deep;
  if (why || !parser.done()) return pack::fault::malformed;
  for (std::size_t i = used; i < text.size(); ++i) {
    if (std::string_view{" \t\r\n"}.find(text[i]) == std::string_view::npos)
      return pack::fault::malformed;
  }
  return pack::fault::none;
}

std::string to_json(std::string_view msgpack) {
  std::string out;
  out.reserve(msgpack.size() * 3 / 2);
  pack::cursor at{msgpack};
  if (!json_writer{out}.value(at, json_writer::depth_max) || !at.at_end()) return {};
  return out;
}

}  // namespace baraza::http::wire
