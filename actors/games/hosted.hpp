// From a game written as plain structs and free functions to the rules and match interfaces of
// game.hpp.
//
// A game is a namespace with value types that list their fields (codec.hpp) and a description G:
//
//   struct game {
//     static constexpr std::string_view name = "nim";   // lower case, also the fairness prefix
//     static constexpr std::uint32_t version = 1;
//     static constexpr std::uint8_t seats_min = 2, seats_max = 2;
//     static constexpr bool hides_nothing = true;       // or the function visible(event, seat)
//     below using options = …; using state = …; using screen = …; using command = std::variant<…>;
//     using event = std::variant<…>; static std::vector<command> samples();
//   };
//
// and, found by argument-dependent lookup:
//
//   std::optional<refusal> check(const options&);
//   state create(const options&, const start&);
//   answer<event> decide(const state&, seat_index, const some_command&, const table_view&);
//   void evolve(state&, const some_event&);              // throws cannot_fold on what it never
//   wrote std::vector<event> on_timeout(const state&, std::uint32_t late, const table_view&);
//   std::vector<event> on_forfeit(const state&, seat_index, const table_view&);
//   turn whose_turn(const state&);
//   std::optional<outcome> result(const state&);
//   screen view(const state&, seat_index);
//   std::optional<event> visible(const event&, seat_index);  // only without hides_nothing
//   bool valid(const state&);                             // guards restore against damaged
//   snapshots std::uint64_t nonces_used(const state&); asked<command> cause_of(const event&);
//   std::optional<command> bot(const screen&, seat_index);
//
// decide must give the same events for the same state, command and seeds: a proof asks it again.
#pragma once

#include <utility>

#include "actors/games/codec.hpp"
#include "actors/games/dealer.hpp"
#include "actors/games/game.hpp"

namespace baraza::games {

/// What create learns beside the options.
struct start {
  std::uint32_t rules_version = 1;
  std::uint8_t seats = 2;
};

/// What decide may look at beside state and command.
struct table_view {
  const dealer& deck;
  millis now = 0;
};

template <class Event>
using answer = std::variant<std::vector<Event>, refusal>;

/// The typed form of `cause`.
template <class Command>
struct asked {
  cause::kind what = cause::kind::command;
  seat_index seat = 0;
  std::optional<Command> command;
  std::uint32_t late = 0;
};

/// For evolve: throws cannot_fold unless `holds`.
inline void fold_expects(bool holds, const char* what) {
  if (!holds) throw cannot_fold{what};
}

namespace refusals {
inline constexpr refusal bad_command{"bad_command", "This is not a command of this game."};
inline constexpr refusal bad_options{"bad_options", "These are not options of this game."};
inline constexpr refusal no_such_seat{"no_such_seat", "Only a seated player may act."};
inline constexpr refusal match_over{"match_over", "The match is over."};
}  // namespace refusals

namespace detail {
inline constexpr std::string_view command_tag = "do";
inline constexpr std::string_view event_tag = "event";

// The members of hosted_match hide the game's functions of the same names; from here lookup finds
// them.
inline constexpr auto decide_in = [](const auto&... a) { return decide(a...); };
inline constexpr auto evolve_in = [](auto& s, const auto& e) { evolve(s, e); };
inline constexpr auto on_timeout_in = [](const auto&... a) { return on_timeout(a...); };
inline constexpr auto on_forfeit_in = [](const auto&... a) { return on_forfeit(a...); };
inline constexpr auto whose_turn_in = [](const auto& s) { return whose_turn(s); };
inline constexpr auto result_in = [](const auto& s) { return result(s); };
inline constexpr auto view_in = [](const auto& s, seat_index seat) { return view(s, seat); };
inline constexpr auto nonces_used_in = [](const auto& s) { return nonces_used(s); };
inline constexpr auto cause_of_in = [](const auto& e) { return cause_of(e); };
inline constexpr auto create_in = [](const auto& o, const start& s) { return create(o, s); };
inline constexpr auto bot_in = [](const auto& v, seat_index seat) { return bot(v, seat); };
template <class G, class Event>
std::optional<Event> visible_in(const Event& e, seat_index seat) {
  return visible(e, seat);
}
}  // namespace detail

template <class G>
class hosted_match final : public match {
  using state = typename G::state;
  using command = typename G::command;
  using event = typename G::event;

 public:
  hosted_match(state initial, std::uint8_t seats, fair::seeds seeds)
      : state_{std::move(initial)}, deck_{std::move(seeds)}, seats_{seats} {}

  decision decide(seat_index seat, std::string_view bytes, millis now) const override {
    if (seat >= seats_) return refusals::no_such_seat;
    if (detail::whose_turn_in(state_).seats == 0) return refusals::match_over;
    if (bytes.size() > command_bytes_max) return refusals::bad_command;
    const auto wish = codec::decode_case<command>(detail::command_tag, bytes);
    if (!wish) return refusals::bad_command;
    auto answered = std::visit(
        [&](const auto& c) {
          return detail::decide_in(state_, seat, c, table_view{deck_, now});
        },
        *wish);
    if (auto* why = std::get_if<refusal>(&answered)) return *why;
    return encode_all(std::get<0>(answered));
  }

  void evolve(std::string_view bytes) override {
    std::visit([&](const auto& e) { detail::evolve_in(state_, e); }, read_event(bytes));
  }

  events on_timeout(std::uint32_t late, millis now) const override {
    late &= detail::whose_turn_in(state_).seats;
    if (late == 0) return {};
    return encode_all(detail::on_timeout_in(state_, late, table_view{deck_, now}));
  }

  events on_forfeit(seat_index seat, millis now) const override {
    if (seat >= seats_ || detail::whose_turn_in(state_).seats == 0) return {};
    return encode_all(detail::on_forfeit_in(state_, seat, table_view{deck_, now}));
  }

  turn whose_turn() const override { return detail::whose_turn_in(state_); }
  std::optional<outcome> result() const override { return detail::result_in(state_); }

  std::string view(seat_index seat) const override {
    return codec::encode(detail::view_in(state_, seat));
  }

  std::optional<std::string> visible(std::string_view bytes, seat_index seat) const override {
    if constexpr (requires { requires G::hides_nothing; }) {
      return std::string{bytes};
    } else {
      const auto shown = detail::visible_in<G>(read_event(bytes), seat);
      if (!shown) return std::nullopt;
      return codec::encode_case(detail::event_tag, *shown);
    }
  }

  std::string snapshot() const override { return codec::encode(state_); }
  std::uint64_t nonces_used() const override { return detail::nonces_used_in(state_); }

  std::optional<cause> cause_of(std::string_view bytes) const override {
    const asked<command> why = detail::cause_of_in(read_event(bytes));
    cause out{why.what, why.seat, {}, why.late};
    if (why.command) out.command = codec::encode_case(detail::command_tag, *why.command);
    return out;
  }

  /// For tests: how many shuffles this match computed.
  [[nodiscard]] std::uint64_t shuffles_computed() const { return deck_.computed(); }

 private:
  static event read_event(std::string_view bytes) {
    if (bytes.size() > event_bytes_max) throw cannot_fold{"event too large"};
    auto e = codec::decode_case<event>(detail::event_tag, bytes);
    if (!e) throw cannot_fold{"bytes are no event of this game"};
    return std::move(*e);
  }

  static events encode_all(const std::vector<event>& typed) {
    events out;
    out.reserve(typed.size());
    for (const auto& e : typed) out.push_back(codec::encode_case(detail::event_tag, e));
    return out;
  }

  state state_;
  dealer deck_;
  std::uint8_t seats_;
};

/// The registered form of a game: `static const hosted<nim::game> nim_rules;`
template <class G>
class hosted final : public rules {
 public:
  std::string_view name() const override { return G::name; }
  std::uint32_t version() const override { return G::version; }
  std::uint8_t seats_min() const override { return G::seats_min; }
  std::uint8_t seats_max() const override { return G::seats_max; }

  std::variant<std::string, refusal> check_options(std::string_view bytes) const override {
    typename G::options options{};
    if (!bytes.empty()) {
      if (bytes.size() > options_bytes_max) return refusals::bad_options;
      auto decoded = codec::decode<typename G::options>(bytes);
      if (!decoded) return refusals::bad_options;
      options = std::move(*decoded);
    }
    if (const std::optional<refusal> why = check(options)) return *why;
    return codec::encode(options);
  }

  /// Throws cannot_fold for a rules version, options or number of seats that this binary cannot
  /// play.
  std::unique_ptr<match> create(const match_setup& setup) const override {
    expect_playable(setup);
    const auto checked = check_options(setup.options);
    if (!std::holds_alternative<std::string>(checked))
      throw cannot_fold{"options are not playable"};
    const auto options = codec::decode<typename G::options>(std::get<0>(checked));
    return std::make_unique<hosted_match<G>>(
        detail::create_in(*options, start{setup.rules_version, setup.seats}), setup.seats,
        setup.seeds);
  }

  /// Throws cannot_fold if `snapshot` is not of this game: the journal is folded from its start
  /// instead.
  std::unique_ptr<match> restore(const match_setup& setup, std::string_view bytes) const override {
    expect_playable(setup);
    if (bytes.size() > snapshot_bytes_max) throw cannot_fold{"snapshot too large"};
    auto state = codec::decode<typename G::state>(bytes);
    if (!state || !valid(*state)) throw cannot_fold{"bytes are no snapshot of this game"};
    return std::make_unique<hosted_match<G>>(std::move(*state), setup.seats, setup.seeds);
  }

  std::optional<std::string> bot_command(std::string_view view, seat_index seat) const override {
    const auto screen = codec::decode<typename G::screen>(view);
    if (!screen) return std::nullopt;
    const std::optional<typename G::command> wish = detail::bot_in(*screen, seat);
    if (!wish) return std::nullopt;
    return codec::encode_case(detail::command_tag, *wish);
  }

  std::vector<std::string> sample_commands() const override {
    std::vector<std::string> out;
    for (const auto& wish : G::samples())
      out.push_back(codec::encode_case(detail::command_tag, wish));
    return out;
  }

  std::uint16_t shuffle_size() const override {
    if constexpr (requires { G::shuffle_size; }) {
      return G::shuffle_size;
    } else {
      return 0;
    }
  }

 private:
  static void expect_playable(const match_setup& setup) {
    if (setup.rules_version == 0 || setup.rules_version > G::version)
      throw cannot_fold{"this binary does not know these rules"};
    if (setup.seats < G::seats_min || setup.seats > G::seats_max)
      throw cannot_fold{"wrong number of seats"};
  }
};

}  // namespace baraza::games
