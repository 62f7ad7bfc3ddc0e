#include <catch2/catch_test_macros.hpp>

#include <algorithm>

#include "http/client/limits.hpp"
#include "tests/client/script.hpp"

using namespace baraza;
using namespace baraza::client;
using namespace baraza::client::test;

namespace {

/// A player taken through the phases of a match.
struct seated {
  recorder out;
  time_point now{};
  match_player player{{.self = self}, out};

  void connect() { player.online(now); }
  void queue() {
    connect();
    player.queue(now);
    player.receive(wire::ok_frame(out.last_id()), now);
  }
  void match() {
    queue();
    player.receive(matched(), now);
    player.receive(push(0, 1, {created()}), now);
  }
  void open() {
    match();
    player.receive(wire::ok_frame(out.last_id()), now);
    player.receive(push(1, 2, {event(2, "hashes")}), now);
  }
  void play() {
    open();
    player.receive(wire::ok_frame(out.last_id()), now);
    player.receive(push(2, 3, {event(3, "locked")}), now);
    player.receive(push(3, 4, {event(4, "started")}), now);
  }
  void act() {
    REQUIRE(
        player.act("\x81\xA2"
                   "do\xA4"
                   "draw",
                   now));
  }
  void reconnect() {
    player.offline();
    player.online(now);
  }
};

}  // namespace

TEST_CASE("a player is taken from the lobby to the first move", "[match_player]") {
  seated s;
  s.queue();
  REQUIRE(s.player.where() == phase::queued);
  CHECK(std::get<wire::lobby_join>(s.out.sent[0].body).stake == 100);
  s.player.receive(matched(), s.now);
  s.player.receive(push(0, 1, {created()}), s.now);
  REQUIRE(s.player.where() == phase::seated);
  CHECK(s.player.seat() == 1);
  CHECK(s.player.commit() == fair::to_hex(std::string(32, 'c')));
  const auto& salt = s.player.salt();
  CHECK(s.out.last<wire::table_ready>().hash ==
        fair::client_commitment(s.player.seed(),
                                {reinterpret_cast<const char*>(salt.data()), salt.size()}));
  s.player.receive(push(1, 2, {event(2, "hashes")}), s.now);
  CHECK(s.out.last<wire::table_open>().seed == s.player.seed());
  CHECK(s.out.last<wire::table_open>().salt == s.player.salt());
  s.player.receive(push(2, 4, {event(3, "locked"), event(4, "started")}), s.now);
  REQUIRE(s.player.where() == phase::playing);
  s.act();
  CHECK(s.out.last<wire::table_act>().command == 1);
  CHECK_FALSE(s.player.act("\x80", s.now));  // one at a time
  s.player.receive(push(4, 5, {event(5, "game")}, s.out.last_id()), s.now);
  CHECK(s.out.acknowledged_commands == std::vector<std::uint64_t>{1});
  s.act();
  CHECK(s.out.last<wire::table_act>().command == 2);
}

TEST_CASE("a given seed is used, a generated one is new for every match", "[match_player]") {
  recorder out;
  match_player player{{.self = self, .seed = "my seed"}, out};
  player.online({});
  player.queue({});
  player.receive(matched(), {});
  CHECK(player.seed() == "my seed");
  seated a, b;
  a.match();
  b.match();
  CHECK(a.player.seed().size() == 16);
  CHECK(a.player.seed() != b.player.seed());
}

TEST_CASE("a repeated push changes nothing", "[match_player]") {
  seated s;
  s.play();
  const auto said = s.out.said.size();
  s.player.receive(push(3, 4, {event(4, "started")}), s.now);
  s.player.receive(push(0, 3, {created(), event(2, "hashes"), event(3, "locked")}), s.now);
  CHECK(s.out.said.size() == said);
  CHECK(s.player.seq() == 4);
}

TEST_CASE("of an overlapping push only the new events count", "[match_player]") {
  seated s;
  s.play();
  s.player.receive(
      push(2, 6, {event(3, "locked"), event(4, "started"), event(5, "game"), event(6, "game")}),
      s.now);
  CHECK(s.out.seqs == std::vector<std::uint64_t>{1, 2, 3, 4, 5, 6});
}

TEST_CASE("a gap is asked for, once, and filled in order", "[match_player]") {
  seated s;
  s.play();
  const auto watches = s.out.ids_of<wire::table_watch>().size();
  s.player.receive(push(5, 6, {event(6, "game")}), s.now);
  s.player.receive(push(6, 7, {event(7, "game")}), s.now);
  const auto asked = s.out.ids_of<wire::table_watch>();
  REQUIRE(asked.size() == watches + 1);
  CHECK(s.out.last<wire::table_watch>().seq == 4);
  CHECK(s.player.seq() == 4);
  // The answer was computed before event 7: the machine asks again instead of waiting for a push
  // that will not come.
  s.player.receive(push(4, 6, {event(5, "game"), event(6, "game")}, asked.back()), s.now);
  REQUIRE(s.out.ids_of<wire::table_watch>().size() == watches + 2);
  CHECK(s.out.last<wire::table_watch>().seq == 6);
  s.player.receive(push(6, 7, {event(7, "game")}, s.out.last_id()), s.now);
  CHECK(s.out.seqs == std::vector<std::uint64_t>{1, 2, 3, 4, 5, 6, 7});
}

TEST_CASE("events hidden from the seat use up their numbers without a gap", "[match_player]") {
  seated s;
  s.play();
  s.player.receive(push(4, 7, {event(5, "game")}), s.now);
  CHECK(s.player.seq() == 7);
  s.player.receive(push(7, 8, {event(8, "game")}), s.now);
  CHECK(s.player.seq() == 8);
  CHECK(s.out.ids_of<wire::table_watch>().empty());
}

TEST_CASE("pushes of an older epoch and of other tables are ignored", "[match_player]") {
  seated s;
  s.play();
  s.player.receive(push(4, 5, {event(5, "game")}, 0, 3), s.now);
  s.player.receive(push(5, 6, {event(6, "ended")}, 0, 2), s.now);
  s.player.receive(push(5, 6, {event(6, "ended")}, 0, 3, other_table), s.now);
  CHECK(s.player.seq() == 5);
  CHECK(s.player.where() == phase::playing);
}

TEST_CASE("after a reconnect in the lobby the player queues again", "[match_player]") {
  seated s;
  SECTION("the join was answered") { s.queue(); }
  SECTION("the join was not answered") {
    s.connect();
    s.player.queue(s.now);
  }
  const auto before = s.out.sent.size();
  s.reconnect();
  CHECK(s.out.sent.size() == before + 1);
  CHECK(std::holds_alternative<wire::lobby_join>(s.out.sent.back().body));
  CHECK(s.player.where() == phase::queued);
}

TEST_CASE("after a reconnect before the start the unanswered step goes out again",
          "[match_player]") {
  seated s;
  s.match();
  const auto hash = s.out.last<wire::table_ready>().hash;
  s.reconnect();
  CHECK(s.out.ids_of<wire::table_watch>().size() == 1);
  CHECK(s.out.last<wire::table_ready>().hash ==
        hash);  // the same seed: another hash would be refused
  s.player.receive(push(1, 2, {event(2, "hashes")}), s.now);
  const auto seed = s.out.last<wire::table_open>().seed;
  s.reconnect();
  CHECK(s.out.last<wire::table_open>().seed == seed);
}

TEST_CASE("after a reconnect the unanswered command goes out with its old number",
          "[match_player]") {
  seated s;
  s.play();
  s.act();
  s.player.receive(push(4, 5, {event(5, "game")}, s.out.last_id()), s.now);
  s.act();
  s.reconnect();
  const auto n = s.out.sent.size();
  CHECK(std::get<wire::table_watch>(s.out.sent[n - 2].body).seq == 5);  // first what was missed
  CHECK(s.out.last<wire::table_act>().command == 2);
  CHECK(s.player.busy());
  SECTION("answered by the push") {
    s.player.receive(push(5, 6, {event(6, "game")}, s.out.last_id()), s.now);
  }
  SECTION("answered from the journal, as the first send had been accepted") {
    const auto re = s.out.last_id();
    s.player.receive(push(5, 6, {event(6, "game")}, s.out.ids_of<wire::table_watch>().back()),
                     s.now);
    const auto fields = map_writer{}.number("seq", 6);
    s.player.receive(wire::ok_frame(re, 1, fields.body()), s.now);
  }
  CHECK(s.out.acknowledged_commands == std::vector<std::uint64_t>{1, 2});
  CHECK_FALSE(s.player.busy());
}

TEST_CASE("answers to requests of the connection before are not taken for new ones",
          "[match_player]") {
  seated s;
  s.play();
  s.act();
  const auto old = s.out.last_id();
  s.reconnect();
  s.player.receive(wire::error_frame(old, "not_your_turn", "No."), s.now);
  CHECK(s.player.busy());
  CHECK(s.out.acknowledged_commands.empty());
}

TEST_CASE("an acknowledgement beyond a gap counts at once", "[match_player]") {
  seated s;
  s.play();
  s.act();
  s.player.receive(push(5, 6, {event(6, "game")}, s.out.last_id()), s.now);
  CHECK(s.out.acknowledged_commands == std::vector<std::uint64_t>{1});
  CHECK(s.player.seq() == 4);
  CHECK(s.out.ids_of<wire::table_watch>().size() == 1);
}

TEST_CASE("a refused command gives its number to the next one", "[match_player]") {
  seated s;
  s.play();
  s.act();
  s.player.receive(wire::error_frame(s.out.last_id(), "already_drawn", "You have drawn."), s.now);
  CHECK(s.out.said.back() == "command:already_drawn");
  CHECK_FALSE(s.player.busy());
  s.act();
  CHECK(s.out.last<wire::table_act>().command == 1);
  s.player.receive(wire::error_frame(s.out.last_id(), "internal", "Broken."), s.now);
  s.act();
  CHECK(s.out.last<wire::table_act>().command == 2);  // the table remembers 1 as poisoned
}

TEST_CASE("an error that says later is followed by the same command after its pause",
          "[match_player]") {
  seated s;
  s.play();
  s.act();
  s.player.receive(wire::error_frame(s.out.last_id(), "overloaded", "Later.", 300), s.now);
  CHECK(s.player.busy());
  const auto sends = s.out.sent.size();
  CHECK_FALSE(s.player.tick(s.now + 299ms));
  CHECK(s.out.sent.size() == sends);
  CHECK_FALSE(s.player.tick(s.now + 300ms));
  REQUIRE(s.out.sent.size() == sends + 1);
  CHECK(s.out.last<wire::table_act>().command == 1);
  CHECK(s.out.said.back() == "started");  // nothing was told to the player
}

TEST_CASE("a command that is always put off is given up in the end", "[match_player]") {
  seated s;
  s.play();
  s.act();
  for (std::uint32_t i = 0; i < resends_max && s.player.busy(); ++i) {
    s.player.receive(wire::error_frame(s.out.last_id(), "overloaded", "Later.", 100), s.now);
    s.now += 1s;
    s.player.tick(s.now);
  }
  CHECK_FALSE(s.player.busy());
  CHECK(s.out.said.back() == "command:overloaded");
}

TEST_CASE("a request without an answer makes the connection anew", "[match_player]") {
  seated s;
  s.play();
  s.act();
  CHECK_FALSE(s.player.tick(s.now + request_deadline - 1ms));
  CHECK(s.player.tick(s.now + request_deadline));
  s.player.offline();
  CHECK_FALSE(s.player.tick(s.now + request_deadline));
}

TEST_CASE("a refused join puts the player back to idle", "[match_player]") {
  seated s;
  s.connect();
  s.player.queue(s.now);
  s.player.receive(wire::error_frame(s.out.last_id(), "insufficient_funds", "Too little."), s.now);
  CHECK(s.player.where() == phase::idle);
  CHECK(s.out.said.back() == "join:insufficient_funds");
}

TEST_CASE("a match ends in each of its ways, and the next can begin", "[match_player]") {
  for (const std::string how : {"ended", "aborted", "voided"}) {
    CAPTURE(how);
    seated s;
    s.play();
    s.act();
    s.player.receive(push(4, 5, {event(5, how), event(6, "game")}), s.now);
    CHECK(s.out.said.back() == "over:" + how);
    CHECK(s.player.where() == phase::idle);
    CHECK_FALSE(s.player.busy());
    s.player.queue(s.now);
    s.player.receive(matched(other_table), s.now);
    CHECK(s.player.where() == phase::seated);
    CHECK(s.player.seq() == 0);
  }
}

TEST_CASE("a match that is gone after a long absence ends for the client", "[match_player]") {
  seated s;
  s.play();
  s.reconnect();
  s.player.receive(wire::error_frame(s.out.last_id(), "gone", "Archived."), s.now);
  CHECK(s.out.said.back() == "over:gone");
  CHECK(s.player.where() == phase::idle);
}

TEST_CASE("a fresh view after a reconnect replaces what was missed, in every phase",
          "[match_player]") {
  seated s;
  s.match();
  s.reconnect();
  const auto watch = s.out.ids_of<wire::table_watch>().back();
  SECTION("opening") {
    s.player.receive(view(watch, 2, "opening", 0, 2), s.now);
    CHECK(s.player.where() == phase::opened);
    CHECK(std::holds_alternative<wire::table_open>(s.out.sent.back().body));
  }
  SECTION("playing") {
    s.player.receive(view(watch, 9, "playing", 3, 2), s.now);
    CHECK(s.player.where() == phase::playing);
    s.act();
    CHECK(s.out.last<wire::table_act>().command == 4);
  }
  SECTION("ended") {
    s.player.receive(view(watch, 9, "ended", 3, 2), s.now);
    CHECK(s.player.where() == phase::idle);
    CHECK(s.out.said.back() == "over:ended");
  }
}

TEST_CASE("an older view does not take the player back", "[match_player]") {
  seated s;
  s.play();
  s.player.receive(view(0, 2, "opening"), s.now);
  CHECK(s.player.where() == phase::playing);
  CHECK(s.player.seq() == 4);
}

TEST_CASE("a match of an earlier process goes on after its last command", "[match_player]") {
  seated s;
  s.connect();
  s.player.resume(table, s.now);
  CHECK(s.out.last<wire::table_watch>().seq == 0);
  s.player.receive(view(s.out.last_id(), 12, "playing", 5), s.now);
  s.act();
  CHECK(s.out.last<wire::table_act>().command == 6);
}

TEST_CASE("a second match is not accepted while one is played", "[match_player]") {
  seated s;
  s.play();
  s.player.receive(matched(other_table), s.now);
  CHECK(s.player.table() == table);
}

TEST_CASE("conceding is a command with a number of its own", "[match_player]") {
  seated s;
  s.play();
  REQUIRE(s.player.concede(s.now));
  CHECK(s.out.last<wire::table_concede>().command == 1);
}

TEST_CASE("no bytes of a server can break the machine", "[match_player]") {
  seated s;
  s.play();
  s.act();
  const std::vector<std::string> frames{matched(), push(4, 5, {event(5, "game")}, s.out.last_id()),
                                        view(1, 9, "playing", 3), wire::error_frame(3, "x", "y", 5),
                                        wire::ok_frame(4)};
  for (const auto& frame : frames) {
    for (std::size_t size = 0; size < frame.size(); ++size)
      s.player.receive(frame.substr(0, size), s.now);
    for (std::size_t at = 0; at < frame.size(); ++at) {
      for (const int flip : {0x01, 0x80, 0xFF}) {
        auto bent = frame;
        bent[at] = static_cast<char>(bent[at] ^ flip);
        seated fresh;
        fresh.play();
        fresh.act();
        fresh.player.receive(bent, fresh.now);
        CHECK(fresh.player.where() <= phase::playing);
      }
    }
  }
}
