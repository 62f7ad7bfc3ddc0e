#include "tests/games/properties.hpp"

#include "actors/games/payout.hpp"
#include "tests/games/support.hpp"

namespace baraza::games::test {
namespace {

constexpr int steps_max = 5'000;  // of one random match; the games here end within a hundred
constexpr int time_outs_max = 1'000;

/// What one random step did: the events it produced, if any.
struct step {
  decision made;
  seat_index seat = 0;
};

std::string random_command(const rules& game, const match& m, seat_index seat, dice& die) {
  const auto samples = game.sample_commands();
  auto chosen = samples[die.below(samples.size())];
  const auto kind = die.below(10);
  if (kind == 0) return die.mutate(std::move(chosen));
  if (kind < 4) return game.bot_command(m.view(seat), seat).value_or(chosen);
  return chosen;
}

/// A command, or now and then a time-out or a forfeit.
step random_step(const rules& game, const match& m, std::uint8_t seats, dice& die) {
  const auto seat = static_cast<seat_index>(die.below(seats));
  const auto kind = die.below(60);
  if (kind == 0) return {m.on_timeout(m.whose_turn().seats, 0), seat};
  if (kind == 1) return {m.on_timeout(m.whose_turn().seats & (1u << seat), 0), seat};
  if (kind == 2) return {m.on_forfeit(seat, 0), seat};
  return {m.decide(seat, random_command(game, m, seat, die), 0), seat};
}

/// Plays to the end and reports each step to `watch(before-state match, step)`; false if it does
/// not end.
template <class Watch>
bool play(const rules& game, match& m, std::uint8_t seats, dice& die, Watch&& watch) {
  for (int i = 0; i < steps_max && !m.result(); ++i) {
    const auto made = random_step(game, m, seats, die);
    watch(m, made);
    if (const auto* happened = std::get_if<events>(&made.made)) fold(m, *happened);
  }
  return m.result().has_value();
}

bool same(const match& a, const match& b, std::uint8_t seats) {
  if (a.snapshot() != b.snapshot()) return false;
  for (seat_index seat = 0; seat < seats; ++seat) {
    if (a.view(seat) != b.view(seat)) return false;
  }
  return a.view(spectator) == b.view(spectator);
}

std::string at_step(std::size_t i, std::string_view what) {
  return std::string{what} + " after event " + std::to_string(i);
}

}  // namespace

std::uint64_t dice::roll() {
  std::uint64_t z = state_ += 0x9E3779B97F4A7C15;
  z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9;
  z = (z ^ z >> 27) * 0x94D049BB133111EB;
  return z ^ z >> 31;
}

std::string dice::bytes(std::size_t size_max) {
  std::string out(below(size_max + 1), '\0');
  for (auto& c : out) c = static_cast<char>(roll());
  return out;
}

std::string dice::mutate(std::string bytes) {
  for (auto changes = 1 + below(3); changes > 0; --changes) {
    const auto at = bytes.empty() ? 0 : below(bytes.size());
    switch (below(5)) {
      case 0:
        bytes.insert(at, 1, static_cast<char>(roll()));
        break;
      case 1:
        bytes += bytes.substr(at, 8);
        break;
      case 2:
        bytes.resize(at);
        break;
      default:
        if (!bytes.empty()) bytes[at] = static_cast<char>(below(2) == 0 ? roll() : bytes[at] + 1);
    }
  }
  return bytes;
}

namespace {

violation replay(const rules& game, std::uint64_t seed) {
  dice die{seed};
  const auto setup = setup_of(game, seed);
  const auto original = game.create(setup);
  std::vector<std::string> log;
  std::vector<std::string> snapshots;  // after each event
  if (!play(game, *original, setup.seats, die, [&](const match& m, const step& s) {
        const auto* happened = std::get_if<events>(&s.made);
        if (happened == nullptr) return;
        const auto shadow = game.restore(setup, m.snapshot());
        for (const auto& event : *happened) {
          shadow->evolve(event);
          log.push_back(event);
          snapshots.push_back(shadow->snapshot());
        }
      }))
    return "random play does not end";
  const auto replayed = game.create(setup);
  for (std::size_t i = 0; i < log.size(); ++i) {
    replayed->evolve(log[i]);
    if (replayed->snapshot() != snapshots[i]) return at_step(i, "a replay differs");
  }
  if (!same(*replayed, *original, setup.seats)) return "the replayed match is another";
  for (std::size_t i = 0; i < log.size(); ++i) {
    const auto restored = game.restore(setup, snapshots[i]);
    if (restored->snapshot() != snapshots[i]) return at_step(i, "a snapshot does not read back");
    for (std::size_t k = i + 1; k < log.size(); ++k) restored->evolve(log[k]);
    if (!same(*restored, *original, setup.seats)) return at_step(i, "a restored match goes astray");
  }
  return std::nullopt;
}

}  // namespace

violation check_replay(const rules& game, std::uint64_t seed) {
  try {
    return replay(game, seed);
  } catch (const cannot_fold& why) {
    return std::string{"what was written cannot be folded: "} + why.what();
  }
}

violation check_secrecy(const rules& game, std::uint64_t seed) {
  // Twins differ only in the server seed, which nobody may know. As long as a seat has been shown
  // the same events by both, it must see the same screen.
  const auto setup = setup_of(game, seed);
  auto other_setup = setup;
  other_setup.seeds.server = fair::sha256("another server seed " + std::to_string(seed));
  const auto one = game.create(setup);
  const auto two = game.create(other_setup);
  std::vector<seat_index> watchers{spectator};
  for (seat_index seat = 0; seat < setup.seats; ++seat) watchers.push_back(seat);
  dice die{seed};
  for (int i = 0; i < steps_max && !watchers.empty() && !one->result() && !two->result(); ++i) {
    for (const auto seat : watchers) {
      if (one->view(seat) != two->view(seat)) return "a view tells more than the events did";
      // The same state beside another seed must look the same too.
      if (game.restore(other_setup, one->snapshot())->view(seat) != one->view(seat))
        return "a view depends on the server seed";
    }
    auto again = die;
    const auto first = random_step(game, *one, setup.seats, die).made;
    const auto second = random_step(game, *two, setup.seats, again).made;
    if (first.index() != second.index()) break;  // the twins have parted
    const auto* a = std::get_if<events>(&first);
    if (a == nullptr) continue;
    const auto& b = std::get<events>(second);
    std::erase_if(watchers, [&](seat_index seat) {
      if (a->size() != b.size()) return true;
      for (std::size_t k = 0; k < b.size(); ++k) {
        if (one->visible((*a)[k], seat) != two->visible(b[k], seat)) return true;
      }
      return false;
    });
    fold(*one, *a);
    fold(*two, b);
  }
  return std::nullopt;
}

violation check_money(const rules& game, std::uint64_t seed) {
  dice die{seed};
  const auto setup = setup_of(game, seed);
  const auto m = game.create(setup);
  play(game, *m, setup.seats, die, [](const match&, const step&) {});
  const auto end = m->result();
  if (!end) return "random play does not end";
  if (end->weights.size() != setup.seats) return "not one weight per seat";
  if (end->reason.empty()) return "no reason for the end";
  std::vector<std::int64_t> stakes;
  std::int64_t pot = 0;
  const auto stake = static_cast<std::int64_t>(die.below(1'000'000'000));
  for (int seat = 0; seat < setup.seats; ++seat) {
    stakes.push_back(stake);
    pot += stake;
  }
  try {
    const auto paid = settle(stakes, static_cast<std::uint32_t>(die.below(2'000)), *end);
    for (const auto payout : paid.payouts) {
      if (payout < 0) return "a payout below zero";
      pot -= payout;
    }
    if (pot != paid.rake || paid.rake < 0) return "the pot is not conserved";
  } catch (const std::invalid_argument& why) {
    return why.what();
  }
  return std::nullopt;
}

violation check_time_outs(const rules& game, std::uint64_t seed) {
  dice die{seed};
  const auto setup = setup_of(game, seed);
  const auto m = game.create(setup);
  const auto played = die.below(12);  // from somewhere in the middle
  for (std::uint64_t i = 0; i < played && !m->result(); ++i) {
    const auto made = random_step(game, *m, setup.seats, die).made;
    if (const auto* happened = std::get_if<events>(&made)) fold(*m, *happened);
  }
  for (int i = 0; i < time_outs_max && !m->result(); ++i) {
    auto late = m->whose_turn().seats;
    if (die.below(3) == 0) {  // not all at once
      const auto some = late & static_cast<std::uint32_t>(die.roll());
      if (some != 0) late = some;
    }
    const auto happened = m->on_timeout(late, 0);
    if (happened.empty()) return "a time-out without an event";
    fold(*m, happened);
  }
  return m->result() ? violation{} : "time-outs alone do not end the match";
}

namespace {

/// Bytes that are offered as a command, an event and a snapshot. Only cannot_fold may come back.
violation offer(const rules& game, const match_setup& setup, const match& m,
                const std::string& bytes) {
  try {
    const auto before = m.snapshot();
    for (seat_index seat = 0; seat < setup.seats; ++seat) (void)m.decide(seat, bytes, 0);
    (void)m.decide(spectator, bytes, 0);
    if (m.snapshot() != before) return "decide changed the match";
    (void)game.check_options(bytes);
    (void)game.bot_command(bytes, 0);
  } catch (...) {
    return "bytes from outside made the rules throw";
  }
  try {
    const auto copy = game.restore(setup, m.snapshot());
    copy->evolve(bytes);
    (void)copy->snapshot();
  } catch (const cannot_fold&) {  // as it should
  } catch (...) {
    return "evolve threw something else than cannot_fold";
  }
  try {
    const auto copy = game.restore(setup, bytes);
    for (seat_index seat = 0; seat < setup.seats; ++seat) {
      (void)copy->view(seat);
      (void)copy->decide(seat, game.sample_commands().front(), 0);
    }
    (void)copy->result();
  } catch (const cannot_fold&) {  // as it should
  } catch (...) {
    return "restore threw something else than cannot_fold";
  }
  return std::nullopt;
}

}  // namespace

violation check_any_bytes(const rules& game, std::uint64_t seed) {
  dice die{seed};
  const auto setup = setup_of(game, seed);
  const auto m = game.create(setup);
  violation found;
  play(game, *m, setup.seats, die, [&](const match& now, const step& s) {
    std::vector<std::string> offered{die.bytes(80), die.mutate(now.snapshot()), now.snapshot()};
    for (const auto& command : game.sample_commands()) offered.push_back(die.mutate(command));
    if (const auto* happened = std::get_if<events>(&s.made)) {
      for (const auto& event : *happened) offered.push_back(die.mutate(event));
    }
    for (const auto& bytes : offered) {
      if (!found) found = offer(game, setup, now, bytes);
    }
  });
  for (const auto& big :
       {std::string(100'000, '\x91'), std::string(100'000, '\x81'),
        std::string("\xdd\xff\xff\xff\xff", 5), std::string("\xdf\xff\xff\xff\xff", 5),
        std::string("\xdb\xff\xff\xff\xff", 5)}) {
    if (!found) found = offer(game, setup, *m, big);
  }
  return found;
}

violation check_turns(const rules& game, std::uint64_t seed) {
  dice die{seed};
  const auto setup = setup_of(game, seed);
  const auto m = game.create(setup);
  violation found;
  std::uint32_t number = 0;
  play(game, *m, setup.seats, die, [&](const match& now, const step& s) {
    const auto turn = now.whose_turn();
    if (turn.seats == 0) found = "nobody is awaited in a running match";
    if (turn.seats >> setup.seats != 0) found = "a seat is awaited that does not exist";
    if (turn.limit_ms <= 0) found = "no time to move";
    if (turn.number < number) found = "the turn number went back";
    number = turn.number;
    if (const auto* why = std::get_if<refusal>(&s.made)) {
      if (why->code.empty() || why->sentence.empty()) found = "a refusal without words";
    }
    const auto nobody = game.sample_commands().front();
    if (!std::holds_alternative<refusal>(now.decide(setup.seats, nobody, 0)))
      found = "somebody without a seat may act";
  });
  if (found) return found;
  if (m->whose_turn().seats != 0) return "somebody is awaited after the end";
  for (const auto& command : game.sample_commands()) {
    for (seat_index seat = 0; seat < setup.seats; ++seat) {
      if (!std::holds_alternative<refusal>(m->decide(seat, command, 0)))
        return "a move after the end";
    }
  }
  return std::nullopt;
}

violation check_causes(const rules& game, std::uint64_t seed) {
  dice die{seed};
  const auto setup = setup_of(game, seed);
  const auto m = game.create(setup);
  violation found;
  play(game, *m, setup.seats, die, [&](const match& now, const step& s) {
    const auto* happened = std::get_if<events>(&s.made);
    if (happened == nullptr || happened->empty()) return;
    const auto why = now.cause_of(happened->front());
    if (!why) {
      found = "an event without a cause";
      return;
    }
    const auto again = why->what == cause::kind::timeout   ? decision{now.on_timeout(why->late, 0)}
                       : why->what == cause::kind::forfeit ? decision{now.on_forfeit(why->seat, 0)}
                                                           : now.decide(why->seat, why->command, 0);
    const auto* same_again = std::get_if<events>(&again);
    if (same_again == nullptr || *same_again != *happened) found = "a cause with other effects";
  });
  return found;
}

violation check_bots(const rules& game, std::uint64_t seed) {
  const auto setup = setup_of(game, seed);
  const auto m = game.create(setup);
  for (int i = 0; i < steps_max && !m->result(); ++i) {
    for (seat_index seat = 0; seat < setup.seats; ++seat) {
      const auto wish = game.bot_command(m->view(seat), seat);
      const bool awaited = (m->whose_turn().seats >> seat & 1) != 0;
      if (awaited != wish.has_value()) return "a bot does not know when it is its turn";
      if (!wish) continue;
      const auto made = m->decide(seat, *wish, 0);
      if (!std::holds_alternative<events>(made)) return "a bot's move is refused";
      fold(*m, std::get<events>(made));
    }
  }
  return m->result() ? violation{} : "bots do not finish their match";
}

}  // namespace baraza::games::test
