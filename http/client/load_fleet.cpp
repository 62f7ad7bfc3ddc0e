#include "http/client/load_fleet.hpp"

#include <netdb.h>
#include <sys/epoll.h>
#include <unistd.h>

#include <algorithm>
#include <array>

#include "http/client/backoff.hpp"
#include "http/client/fields.hpp"
#include "http/client/limits.hpp"
#include "http/client/source_address.hpp"

namespace baraza::client {
namespace {

constexpr std::size_t connecting_max =
    128;  // as many as a listen queue of 128 takes without a drop
constexpr auto sweep_every = 50ms;
constexpr auto queue_again_after = 500ms;  // of a refused lobby.join
constexpr std::chrono::milliseconds backoff_load =
    1s;  // a run lasts seconds: look again sooner than a person's client
constexpr int events_per_wait = 512;

match_player::options player_options(const load_options& options, const uuid& self) {
  match_player::options out;
  out.self = self;
  out.game_options = draw_options(options.best_of);
  out.stake = options.stake;
  return out;
}

}  // namespace

// ---- one bot

load_bot::load_bot(load_fleet& fleet, std::uint32_t index, account who, bool plays)
    : fleet_{fleet},
      index_{index},
      who_{std::move(who)},
      plays_{plays},
      player_{player_options(fleet.options, who_.player), *this},
      backoff_{backoff_first} {}

void load_bot::connect(time_point now) {
  connect_at_ = now;
  const std::string key = websocket::random_key();
  const auto& door = fleet_.doors()[door_];
  const std::string upgrade =
      websocket::upgrade_request(door.at.authority(), door.at.path, who_.access, key);
  if (!socket_.connect(fleet_.epoll(), index_, door.address, door.address_size,
                       source_address_for(door.address, index_), upgrade, key))
    ended(now);
}

void load_bot::ended(time_point now) {
  if (socket_.refused_status() != 0)
    fleet_.count_error("http_" + std::to_string(socket_.refused_status()));
  socket_.close();
  player_.offline();
  door_ = (door_ + 1) % fleet_.doors().size();
  connect_at_ = now + jittered(backoff_);
  backoff_ = std::min(backoff_ * 2, backoff_load);
}

void load_bot::ready(std::uint32_t events) {
  const bool alive = socket_.ready(
      events,
      [this] {
        const auto now = std::chrono::steady_clock::now();
        backoff_ = backoff_first;
        if (was_open_) ++fleet_.reconnects;
        was_open_ = true;
        player_.online(now);
        consider(now);
      },
      [this](std::string_view frame) {
        const auto now = std::chrono::steady_clock::now();
        player_.receive(frame, now);
        consider(now);
      });
  if (!alive) ended(std::chrono::steady_clock::now());
}

void load_bot::sweep(time_point now) {
  if (socket_.where() == load_socket::state::closed) return;
  if (is_connecting()) {
    if (now - connect_at_ < connect_deadline) return;
    fleet_.count_error("connect_timeout");
    return ended(now);
  }
  if (player_.tick(now)) {
    fleet_.count_error("unanswered");
    return ended(now);
  }
  if (plays_ && player_.where() == phase::idle && fleet_.queueing && now >= queue_at_)
    player_.queue(now);
}

void load_bot::begin(time_point now) {
  if (plays_) player_.queue(now);
}

void load_bot::consider(time_point now) {
  if (player_.where() != phase::playing || player_.busy() || !draw_.may_draw()) return;
  if (fleet_.rate <= 0) return act(now);
  if (waiting_) return;
  waiting_ = true;
  fleet_.line_up(index_);
}

void load_bot::act(time_point now) {
  waiting_ = false;
  if (draw_.may_draw()) player_.act(std::string{draw_command()}, now);
}

match_acks& load_bot::acks() {
  if (acks_ == 0) {
    fleet_.acks.push_back({player_.table(), index_, {}});
    acks_ = fleet_.acks.size();
  }
  return fleet_.acks[acks_ - 1];
}

void load_bot::matched(std::string_view) { acks_ = 0; }

void load_bot::happened(const table_event& event) {
  if (event.type == "started") draw_.begin(fleet_.options.best_of, player_.seat());
  if (event.type == "game") draw_.happened(fields::find(event.body, "game"));
}

void load_bot::viewed(std::string_view view) {
  draw_.viewed(fields::find(view, "state"), player_.seat());
}

void load_bot::acknowledged(std::uint64_t command, std::uint64_t, time_point sent) {
  acks().commands.push_back(static_cast<std::uint32_t>(command));
  ++fleet_.acknowledged;
  if (fleet_.options.acknowledged) fleet_.options.acknowledged(player_.table(), sent);
  if (!fleet_.counting) return;
  ++fleet_.actions;
  const auto took = std::chrono::steady_clock::now() - sent;
  fleet_.latency.add(took);
  fleet_.recent.add(took);
}

void load_bot::refused(std::string_view what, const problem& why) {
  fleet_.count_error(why.code);
  if (what == "join") queue_at_ = std::chrono::steady_clock::now() + queue_again_after;
}

void load_bot::over(std::string_view how, std::string_view event) {
  acks_ = 0;
  const auto reason = fields::text(fields::find(event, "reason"));
  if (how != "ended") {
    fleet_.count_error(how);
  } else if (reason != "won") {  // bots never give up: the clock ran out on one
    fleet_.count_error("ended_" + std::string{reason});
  }
  if (how == "ended" && player_.seat() == 0) ++fleet_.matches;
  if (fleet_.queueing) player_.queue(std::chrono::steady_clock::now());
}

void load_bot::pushed(std::string_view, std::string_view) {}

// ---- the fleet

load_fleet::load_fleet(const load_options& given)
    : options{given}, rate{given.rate}, epoll_{::epoll_create1(EPOLL_CLOEXEC)} {}

load_fleet::~load_fleet() {
  bots.clear();
  if (epoll_ >= 0) ::close(epoll_);
}

bool load_fleet::resolve(std::string& why) {
  doors_ = {{options.server}};
  for (const auto& other : options.others) doors_.push_back({other});
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  for (auto& door : doors_) {
    addrinfo* found = nullptr;
    const int error =
        ::getaddrinfo(door.at.host.c_str(), std::to_string(door.at.port).c_str(), &hints, &found);
    if (error != 0) {
      why = door.at.host + " cannot be resolved: " + ::gai_strerror(error);
      return false;
    }
    std::copy_n(reinterpret_cast<const char*>(found->ai_addr), found->ai_addrlen,
                reinterpret_cast<char*>(&door.address));
    door.address_size = found->ai_addrlen;
    ::freeaddrinfo(found);
  }
  return true;
}

void load_fleet::add(account who, bool plays) {
  bots.push_back(std::make_unique<load_bot>(*this, static_cast<std::uint32_t>(bots.size()),
                                            std::move(who), plays));
}

void load_fleet::turn(std::chrono::milliseconds wait) {
  std::array<epoll_event, events_per_wait> events;
  const int count =
      ::epoll_wait(epoll_, events.data(), events_per_wait, static_cast<int>(wait.count()));
  for (int i = 0; i < count; ++i) {
    const auto& event = events[static_cast<std::size_t>(i)];
    bots[event.data.u64]->ready(event.events);
  }
  const auto now = std::chrono::steady_clock::now();
  if (rate > 0 || !line_.empty()) pace(now);
  if (now < next_sweep_) return;
  next_sweep_ = now + sweep_every;
  std::size_t connecting = 0;
  for (auto& bot : bots) {
    bot->sweep(now);
    connecting += bot->is_connecting();
  }
  for (auto& bot : bots) {
    if (connecting >= connecting_max) break;
    if (bot->wants_connection(now)) {
      bot->connect(now);
      ++connecting;
    }
  }
}

/// Lets the bots in line act at the rate asked for. Unused allowance is kept for 100 ms, so that a
/// stall of the server is not followed by a burst that measures itself.
void load_fleet::pace(time_point now) {
  const double elapsed = std::chrono::duration<double>(now - paced_at_).count();
  paced_at_ = now;
  credit_ = rate > 0 ? std::min(credit_ + elapsed * rate, std::max(1.0, rate / 10))
                     : static_cast<double>(line_.size());
  while (credit_ >= 1 && !line_.empty()) {
    const std::uint32_t bot = line_.front();
    line_.pop_front();
    bots[bot]->act(now);
    credit_ -= 1;
  }
}

void load_fleet::start(time_point now) {
  counting = true;
  paced_at_ = now;
  latency.clear();
  recent.clear();
}

void load_fleet::stop() {
  counting = false;
  queueing = false;
}

void load_fleet::count_error(std::string_view code) {
  const auto found = errors.find(code);
  if (found != errors.end()) {
    ++found->second;
  } else if (errors.size() < 100) {  // a server that invents codes does not fill our memory
    errors.emplace(code, 1);
  }
}

std::size_t load_fleet::open_count() const {
  return static_cast<std::size_t>(
      std::count_if(bots.begin(), bots.end(), [](const auto& bot) { return bot->is_open(); }));
}

std::size_t load_fleet::playing_count() const {
  return static_cast<std::size_t>(
      std::count_if(bots.begin(), bots.end(), [](const auto& bot) { return bot->in_match(); }));
}

}  // namespace baraza::client
