// Figures for docs/performance.md, not checks: test_games "[measure]" in a release build.
#include <cstdio>
#include <ctime>

#include "actors/games/draw/draw.hpp"
#include "tests/games/support.hpp"

using namespace baraza;
using namespace baraza::games;

namespace {

/// CPU time of this process in nanoseconds: other processes on the machine do not count.
double cpu_ns() {
  timespec now{};
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) * 1e9 + static_cast<double>(now.tv_nsec);
}

template <class Work>
void measure(const char* what, int times, Work&& work) {
  const double begin = cpu_ns();
  for (int i = 0; i < times; ++i) work(i);
  std::printf("%-46s %8.0f ns\n", what, (cpu_ns() - begin) / times);
}

}  // namespace

TEST_CASE("what the duel costs", "[.measure]") {
  const auto& game = *find("draw");
  auto setup = test::setup_of(game, 1, codec::encode(draw::options{7}));
  setup.seeds.clients = {std::string(32, 'a'), std::string(32, 'b')};
  const auto command = game.sample_commands().front();
  std::size_t sum = 0;  // printed, so that nothing is optimised away
  std::array<std::uint16_t, 52> cards{};
  measure("one 52-card shuffle", 200'000, [&](int i) {
    fair::stream{setup.seeds, static_cast<std::uint64_t>(i)}.shuffle(std::span{cards});
    sum += cards[0];
  });
  const auto m = game.create(setup);
  measure("decide, shuffle cached", 500'000, [&](int) {
    const auto made = m->decide(0, command, 0);
    sum += std::get<events>(made).size();
  });
  int actions = 0;
  const double begin = cpu_ns();
  for (int i = 0; i < 20'000; ++i) {
    setup.seeds.server[0] = static_cast<std::uint8_t>(i);
    setup.seeds.server[1] = static_cast<std::uint8_t>(i >> 8);
    const auto played = game.create(setup);
    for (; !played->result(); actions += 2) {
      for (const seat_index seat : {0, 1}) {
        const auto made = played->decide(seat, command, 0);
        test::fold(*played, std::get<events>(made));
      }
    }
  }
  std::printf("%-46s %8.0f ns\n", "an action: decide, evolve, shuffles, set-up",
              (cpu_ns() - begin) / actions);
  measure("view", 500'000, [&](int) { sum += m->view(0).size(); });
  const auto kept = m->snapshot();
  measure("snapshot", 500'000, [&](int) { sum += m->snapshot().size(); });
  measure("restore", 200'000, [&](int) { sum += game.restore(setup, kept)->whose_turn().seats; });
  std::printf("%-46s %8zu bytes\n", "match object", sizeof(hosted_match<draw::game>));
  std::printf("%-46s %8zu bytes\n", "snapshot", kept.size());
  CHECK(sum > 0);
}
