// Writing and reading positional MessagePack from one list of fields (fields.hpp). `Trailer` is
// what a version puts behind the known fields of every struct: nothing today; a test gives it a
// body to play the next version.
#pragma once

#include <array>
#include <concepts>
#include <cstring>
#include <limits>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "actors/pack.hpp"
#include "cluster/wire/limits.hpp"
#include "storage/store.hpp"

namespace baraza::cluster::wire {

/// A field of human text: checked UTF-8. Every other std::string is bytes.
template <class S>
struct text_field {
  S& value;
};
template <class S>
text_field<S> as_text(S& value) {
  return {value};
}

/// A field that a later schema appended: what an older node sends ends before it, and it keeps its
/// default. Only behind all fields that were there from the start.
template <class S>
struct added_field {
  S& value;
};
template <class S>
added_field<S> added(S& value) {
  return {value};
}
template <class T>
inline constexpr bool is_added = false;
template <class S>
inline constexpr bool is_added<added_field<S>> = true;

struct no_trailer {
  static constexpr std::size_t count = 0;
  static void write(std::string&) {}
  static bool read(games::codec::reader&) { return true; }
};

template <class T>
bool is_known(T) {
  return true;
}
inline bool is_known(entity_kind k) { return k >= entity_kind::wallet && k <= entity_kind::house; }
inline bool is_known(storage::currency c) {
  return c == storage::currency::demo || c == storage::currency::kes;
}

template <class Trailer = no_trailer>
class writer {
 public:
  explicit writer(std::string& out) : out_{out} {}

  /// A struct: its fields in their order for ever.
  template <class... Fields>
  void operator()(const Fields&... fields) {
    actors::pack::put_array(out_, sizeof...(fields) + Trailer::count);
    (put(fields), ...);
    Trailer::write(out_);
  }
  /// One case of a variant: its tag before its fields.
  template <class... Fields>
  void tagged(std::uint32_t tag, const Fields&... fields) {
    (*this)(tag, fields...);
  }

  template <class T>
  void put(const T& value) {
    if constexpr (std::is_same_v<T, bool>) {
      games::codec::put_bool(out_, value);
    } else if constexpr (std::is_enum_v<T>) {
      put(static_cast<std::underlying_type_t<T>>(value));
    } else if constexpr (std::signed_integral<T>) {
      actors::pack::put_int(out_, value);
    } else if constexpr (std::unsigned_integral<T>) {
      actors::pack::put_uint(out_, value);
    } else {
      put_value(value);
    }
  }

 private:
  void put_value(const std::string& bytes) { actors::pack::put_binary(out_, bytes); }
  template <class S>
  void put_value(const text_field<S>& text) {
    actors::pack::put_text(out_, text.value);
  }
  template <class S>
  void put_value(const added_field<S>& field) {
    put(field.value);
  }
  void put_value(const uuid& id) { actors::pack::put_id(out_, id); }
  template <std::size_t N>
  void put_value(const std::array<std::uint8_t, N>& bytes) {
    actors::pack::put_binary(out_, bytes);
  }
  template <class T>
  void put_value(const std::optional<T>& value) {
    if (value)
      put(*value);
    else
      actors::pack::put_nil(out_);
  }
  template <class T>
  void put_value(const std::vector<T>& list) {
    actors::pack::put_array(out_, list.size());
    for (const auto& one : list) put(one);
  }
  template <class T>
  void put_value(const T& structure) {
    fields(*this, structure);
  }

  std::string& out_;
};

/// After the first failure everything fails; `bad_value` tells an unknown number from broken bytes.
template <class Trailer = no_trailer>
class reader {
 public:
  explicit reader(std::string_view bytes) : in_{bytes} {}

  template <class... Fields>
  void operator()(Fields&&... fields) {
    const auto count = open(0);
    rest(count, 0, fields...);
  }
  /// The fields of an array of `count` elements of which `before` were read, and what is behind.
  template <class... Fields>
  void rest(std::uint32_t count, std::size_t before, Fields&&... fields) {
    const auto needed = before + (std::size_t{!is_added<std::remove_cvref_t<Fields>>} + ... + 0);
    if (!require(count >= needed)) return;
    auto at = before;
    ((at++ < count ? get(fields) : void()), ...);
    close(count, before + sizeof...(fields));
  }
  /// Opens an array of at least `min` elements.
  std::uint32_t open(std::size_t min) {
    std::uint32_t count = 0;
    require(ok_ && in_.array(count) && count >= min);
    return count;
  }
  /// Passes what a newer version put behind the `known` elements.
  void close(std::uint32_t count, std::size_t known) {
    if (!ok_ || count <= known) return;
    const std::size_t extra = count - known;
    if (Trailer::count != 0 && extra >= Trailer::count) {
      require(Trailer::read(in_));
      skip(extra - Trailer::count);
    } else {
      skip(extra);
    }
  }
  template <class T>
  void get(T&& value) {
    using type = std::remove_cvref_t<T>;
    if (!ok_) return;
    if constexpr (std::is_same_v<type, bool>) {
      require(in_.boolean(value));
    } else if constexpr (std::is_enum_v<type>) {
      std::underlying_type_t<type> number{};
      get(number);
      value = static_cast<type>(number);
      if (ok_ && !is_known(value)) bad_value_ = true, ok_ = false;
    } else if constexpr (std::is_integral_v<type>) {
      std::uint64_t bits = 0;
      bool negative = false;
      if (!require(in_.integer(bits, negative))) return;
      if (require(negative ? std::in_range<type>(static_cast<std::int64_t>(bits))
                           : std::in_range<type>(bits)))
        value = static_cast<type>(bits);
    } else {
      get_value(value);
    }
  }

  [[nodiscard]] bool ok() const { return ok_; }
  [[nodiscard]] bool is_bad_value() const { return bad_value_; }
  [[nodiscard]] bool at_end() const { return in_.at_end(); }
  bool require(bool holds) { return ok_ = ok_ && holds; }

 private:
  void skip(std::size_t values) {
    for (std::size_t i = 0; i < values && ok_; ++i) require(in_.skip());
  }
  void get_value(std::string& bytes) {
    std::string_view view;
    if (require(in_.binary(view))) bytes = view;
  }
  template <class S>
  void get_value(text_field<S> text) {
    std::string_view view;
    if (require(in_.text(view) && games::codec::is_utf8(view))) text.value = view;
  }
  template <class S>
  void get_value(added_field<S> field) {
    get(field.value);
  }
  void get_value(uuid& id) { get_value(id.bytes); }
  template <std::size_t N>
  void get_value(std::array<std::uint8_t, N>& bytes) {
    std::string_view view;
    if (require(in_.binary(view) && view.size() == N)) std::memcpy(bytes.data(), view.data(), N);
  }
  template <class T>
  void get_value(std::optional<T>& value) {
    if (in_.next() == games::codec::kind::nil) {
      value.reset();
      require(in_.nil());
    } else {
      get(value.emplace());
    }
  }
  template <class T>
  void get_value(std::vector<T>& list) {
    std::uint32_t count = 0;
    if (!require(in_.array(count) && count <= list_items_max && count <= in_.left())) return;
    list.clear();
    for (std::uint32_t i = 0; i < count && ok_; ++i) get(list.emplace_back());
  }
  template <class T>
  void get_value(T& structure) {
    fields(*this, structure);
  }

  games::codec::reader in_;
  bool ok_ = true, bad_value_ = false;
};

}  // namespace baraza::cluster::wire
