// Reading answers in tests: a MessagePack value by keys and indices. Missing things are nil; wrong
// types throw.
#pragma once

#include <concepts>
#include <memory>
#include <msgpack.hpp>
#include <string>
#include <string_view>

namespace baraza::test {

class look {
 public:
  look() = default;
  explicit look(std::string_view bytes)
      : handle_{std::make_shared<msgpack::object_handle>(
            msgpack::unpack(bytes.data(), bytes.size()))},
        at_{handle_->get()} {}

  look operator[](const char* key) const {
    if (at_.type != msgpack::type::MAP) return {};
    for (std::uint32_t i = 0; i < at_.via.map.size; ++i)
      if (at_.via.map.ptr[i].key.as<std::string>() == key) return {handle_, at_.via.map.ptr[i].val};
    return {};
  }
  template <std::integral Index>
  look operator[](Index place) const {
    const auto index = static_cast<std::size_t>(place);
    if (at_.type != msgpack::type::ARRAY || index >= at_.via.array.size) return {};
    return {handle_, at_.via.array.ptr[index]};
  }
  [[nodiscard]] std::size_t size() const {
    return at_.type == msgpack::type::ARRAY ? at_.via.array.size
           : at_.type == msgpack::type::MAP ? at_.via.map.size
                                            : 0;
  }
  [[nodiscard]] bool is_nil() const { return at_.type == msgpack::type::NIL; }
  [[nodiscard]] std::string text() const { return at_.as<std::string>(); }
  [[nodiscard]] std::int64_t number() const { return at_.as<std::int64_t>(); }
  [[nodiscard]] bool yes() const { return at_.as<bool>(); }
  /// The value as bytes again.
  [[nodiscard]] std::string bytes() const {
    msgpack::sbuffer out;
    msgpack::pack(out, at_);
    return {out.data(), out.size()};
  }

 private:
  look(std::shared_ptr<msgpack::object_handle> handle, msgpack::object at)
      : handle_{std::move(handle)}, at_{at} {}
  std::shared_ptr<msgpack::object_handle> handle_;
  msgpack::object at_;
};

}  // namespace baraza::test
