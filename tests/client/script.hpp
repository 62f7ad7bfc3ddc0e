// A server's side of the protocol for tests: frames as bytes, and a player's decoded sends.
#pragma once

#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "http/client/fields.hpp"
#include "http/client/match_player.hpp"
#include "http/msgpack.hpp"
#include "http/wire.hpp"

namespace baraza::client::test {

namespace pack = baraza::http::pack;
namespace wire = baraza::http::wire;

inline const uuid table = *uuid::parse("0190a000-0000-7000-8000-000000000001");
inline const uuid other_table = *uuid::parse("0190a000-0000-7000-8000-000000000002");
inline const uuid self = *uuid::parse("aaaaaaaa-0000-4000-8000-000000000001");
inline const uuid opponent = *uuid::parse("bbbbbbbb-0000-4000-8000-000000000002");

/// A map written pair by pair.
class map_writer {
 public:
  map_writer& text(std::string_view key, std::string_view value) {
    add(key);
    pack::put_text(body_, value);
    return *this;
  }
  map_writer& number(std::string_view key, std::uint64_t value) {
    add(key);
    pack::put_unsigned(body_, value);
    return *this;
  }
  map_writer& raw(std::string_view key, std::string_view value) {
    add(key);
    body_ += value;
    return *this;
  }
  [[nodiscard]] std::string bytes() const {
    std::string out;
    pack::put_map(out, count_);
    return out + body_;
  }
  [[nodiscard]] std::uint32_t count() const { return count_; }
  [[nodiscard]] const std::string& body() const { return body_; }

 private:
  void add(std::string_view key) {
    ++count_;
    pack::put_text(body_, key);
  }
  std::string body_;
  std::uint32_t count_ = 0;
};

inline std::string list(const std::vector<std::string>& values) {
  std::string out;
  pack::put_array(out, static_cast<std::uint32_t>(values.size()));
  for (const auto& value : values) out += value;
  return out;
}

inline std::string event(std::uint64_t seq, std::string_view type) {
  return map_writer{}.number("seq", seq).number("at", 1000 + seq).text("type", type).bytes();
}

inline std::string created(std::uint64_t seq = 1) {
  std::string commit;
  pack::put_binary(commit, std::string(32, 'c'));
  const auto seat = [](const uuid& who) {
    return map_writer{}.text("player", who.to_string()).text("display", "x").bytes();
  };
  return map_writer{}
      .number("seq", seq)
      .number("at", 1)
      .text("type", "created")
      .raw("seats", list({seat(opponent), seat(self)}))
      .raw("commit", commit)
      .bytes();
}

/// A push of events; `re` 0: nobody's answer.
inline std::string push(std::uint64_t prev, std::uint64_t seq,
                        const std::vector<std::string>& events, std::uint64_t re = 0,
                        std::uint64_t epoch = 1, const uuid& at = table) {
  const auto fields = map_writer{}
                          .text("table", at.to_string())
                          .number("epoch", epoch)
                          .number("prev", prev)
                          .number("seq", seq)
                          .raw("events", list(events));
  return re == 0 ? wire::push_frame("table.events", fields.count(), fields.body())
                 : wire::push_frame_re("table.events", re, fields.count(), fields.body());
}

inline std::string matched(const uuid& at = table) {
  const auto fields =
      map_writer{}.text("table", at.to_string()).text("game", "draw").number("stake", 100);
  return wire::push_frame("lobby.matched", fields.count(), fields.body());
}

inline std::string view(std::uint64_t re, std::uint64_t seq, std::string_view phase,
                        std::uint64_t last_command = 0, std::uint64_t epoch = 1) {
  std::string commit;
  pack::put_binary(commit, std::string(32, 'c'));
  const auto inner = map_writer{}
                         .text("phase", phase)
                         .number("you", 1)
                         .number("last_command", last_command)
                         .raw("commit", commit)
                         .bytes();
  const auto fields = map_writer{}
                          .text("table", table.to_string())
                          .number("epoch", epoch)
                          .number("seq", seq)
                          .raw("view", inner);
  return re == 0 ? wire::push_frame("table.view", fields.count(), fields.body())
                 : wire::push_frame_re("table.view", re, fields.count(), fields.body());
}

/// Collects what the machine sends and says.
struct recorder final : match_player::listener {
  std::vector<wire::client_frame> sent;
  std::vector<std::string> said;
  std::vector<std::uint64_t> acknowledged_commands;
  std::vector<std::uint64_t> seqs;

  void send(std::string_view frame) override {
    auto decoded = wire::decode(wire::encoding::msgpack, frame);
    sent.push_back(
        std::get<wire::client_frame>(decoded));  // throws, and fails the test, if we wrote nonsense
  }
  void matched(std::string_view) override { said.emplace_back("matched"); }
  void happened(const table_event& e) override {
    seqs.push_back(e.seq);
    said.emplace_back(e.type);
  }
  void viewed(std::string_view) override { said.emplace_back("viewed"); }
  void acknowledged(std::uint64_t command, std::uint64_t, time_point) override {
    acknowledged_commands.push_back(command);
  }
  void refused(std::string_view what, const problem& why) override {
    said.push_back(std::string{what} + ":" + why.code);
  }
  void over(std::string_view how, std::string_view) override {
    said.push_back("over:" + std::string{how});
  }

  /// The last send, which must be of this type.
  template <class T>
  const T& last() const {
    return std::get<T>(sent.back().body);
  }
  [[nodiscard]] std::uint64_t last_id() const { return sent.back().id; }
  template <class T>
  [[nodiscard]] std::vector<std::uint64_t> ids_of() const {
    std::vector<std::uint64_t> out;
    for (const auto& frame : sent) {
      if (std::holds_alternative<T>(frame.body)) out.push_back(frame.id);
    }
    return out;
  }
};

}  // namespace baraza::client::test
