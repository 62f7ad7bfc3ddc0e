#include "tests/integration/duel.hpp"

#include <boost/asio/io_context.hpp>
#include <optional>
#include <stdexcept>

#include "http/client/draw_table.hpp"
#include "http/client/fields.hpp"
#include "http/client/http_api.hpp"
#include "http/client/seat_client.hpp"

namespace baraza::tests {

using namespace baraza::client;
using namespace std::chrono_literals;

namespace {

constexpr std::uint8_t best_of = 7;
constexpr std::int64_t stake = 500;
constexpr int guest_patience = 10;

class seat final : public match_player::listener {
 public:
  seat(boost::asio::io_context& io, const endpoint& server, account who, const bool& may_draw)
      : may_draw_{may_draw},
        who_{std::move(who)},
        client_{io, server, options_of(who_), *this, handlers()} {
    client_.player().queue(now());
    client_.start();
  }

  void send(std::string_view) override {}
  void happened(const table_event& event) override {
    if (event.type == "started") draw_.begin(best_of, client_.player().seat());
    if (event.type != "game") return;
    ++cards;
    draw_.happened(fields::find(event.body, "game"));
  }
  void viewed(std::string_view view) override {
    draw_.viewed(fields::find(view, "state"), client_.player().seat());
  }
  void over(std::string_view how, std::string_view event) override {
    end = std::string{how} + " " + std::string{fields::text(fields::find(event, "reason"))};
  }
  void consider() {
    if (may_draw_) (void)draw();
  }
  /// False if it is not its turn.
  bool draw() {
    auto& player = client_.player();
    if (player.where() != phase::playing || player.busy() || !draw_.may_draw()) return false;
    player.act(std::string{draw_command()}, now());
    return true;
  }

  match_player& player() { return client_.player(); }
  [[nodiscard]] const account& who() const { return who_; }
  int cards = 0;
  std::optional<std::string> end;

 private:
  static time_point now() { return std::chrono::steady_clock::now(); }
  static match_player::options options_of(const account& who) {
    match_player::options out;
    out.game_options = draw_options(best_of);
    out.stake = stake;
    out.self = who.player;
    return out;
  }
  seat_client::handlers handlers() {
    seat_client::handlers on;
    on.token = [this] { return who_.access; };
    on.unauthorised = [] { return false; };
    return on;
  }

  const bool& may_draw_;
  account who_;
  draw_table draw_;
  seat_client client_;
};

account guest(const endpoint& server) {
  http_api api{server};
  auto got = api.guest("Duellist", guest_patience);
  if (const auto* why = std::get_if<problem>(&got)) throw std::runtime_error{why->message};
  return std::get<account>(std::move(got));
}

}  // namespace

struct duel::parts {
  explicit parts(const endpoint& to) : server{to} {}
  endpoint server;
  boost::asio::io_context io{1};
  bool may_draw = false;
  uuid table;  // known once both sit at it; kept after the end
  std::array<seat, 2> seats{seat{io, server, guest(server), may_draw},
                            seat{io, server, guest(server), may_draw}};
};

duel::duel(const std::string& url) {
  const auto server = parse_url(url);
  if (!server) throw std::runtime_error{"no address: " + url};
  parts_ = std::make_unique<parts>(*server);
}
duel::~duel() = default;

void duel::step() {
  parts_->io.run_for(10ms);
  for (auto& one : parts_->seats) one.consider();
  if (is_playing()) parts_->table = parts_->seats[0].player().table();
}

bool duel::draw_one() {
  seat* who = nullptr;
  if (!until([&] {
        for (auto& one : parts_->seats)
          if (who == nullptr && one.draw()) who = &one;
        return who != nullptr;
      }))
    return false;
  const auto before = who->cards;
  return until([&] { return who->cards > before; });
}

void duel::may_draw(bool now) { parts_->may_draw = now; }
bool duel::is_playing() const {
  auto& [one, two] = parts_->seats;
  return one.player().where() == phase::playing && two.player().where() == phase::playing &&
         one.player().table() == two.player().table();
}
int duel::cards() const { return std::min(parts_->seats[0].cards, parts_->seats[1].cards); }
bool duel::is_over() const { return parts_->seats[0].end && parts_->seats[1].end; }
uuid duel::table() const { return parts_->table; }
std::string duel::end() const {
  const auto one = parts_->seats[0].end.value_or("?"), two = parts_->seats[1].end.value_or("?");
  return one == two ? one : one + " / " + two;
}

std::array<std::int64_t, 2> duel::money() const {
  std::array<std::int64_t, 2> out{};
  for (std::size_t i = 0; i < 2; ++i) {
    http_api api{parts_->server};
    const auto got = api.balance(parts_->seats[i].who(), "DEMO");
    if (const auto* why = std::get_if<problem>(&got)) throw std::runtime_error{why->message};
    out[i] = std::get<std::int64_t>(got);
  }
  return out;
}

}  // namespace baraza::tests
