// The bots of one load run on one thread: sockets, matches, what was acknowledged. load.cpp sets it
// up and reports.
#pragma once

#include <sys/socket.h>

#include <deque>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "http/client/account.hpp"
#include "http/client/draw_table.hpp"
#include "http/client/latency.hpp"
#include "http/client/load.hpp"
#include "http/client/load_socket.hpp"
#include "http/client/match_player.hpp"

namespace baraza::client {

/// One bot's part in one match: what the record must hold afterwards.
struct match_acks {
  uuid match;
  std::uint32_t bot = 0;
  std::vector<std::uint32_t> commands;  // acknowledged counters
};

class load_fleet;

class load_bot final : public match_player::listener {
 public:
  load_bot(load_fleet& fleet, std::uint32_t index, account who, bool plays);

  void connect(time_point now);
  void ready(std::uint32_t events);
  /// Timers: reconnects, repeats, overdue requests.
  void sweep(time_point now);
  void act(time_point now);
  void begin(time_point now);

  void send(std::string_view frame) override { socket_.send(frame); }
  void matched(std::string_view fields) override;
  void happened(const table_event& event) override;
  void viewed(std::string_view view) override;
  void acknowledged(std::uint64_t command, std::uint64_t seq, time_point sent) override;
  void refused(std::string_view what, const problem& why) override;
  void over(std::string_view how, std::string_view event) override;
  void pushed(std::string_view type, std::string_view frame) override;

  [[nodiscard]] bool is_open() const { return socket_.where() == load_socket::state::open; }
  [[nodiscard]] bool is_connecting() const {
    return socket_.where() != load_socket::state::closed && !is_open();
  }
  [[nodiscard]] bool wants_connection(time_point now) const {
    return socket_.where() == load_socket::state::closed && now >= connect_at_;
  }
  [[nodiscard]] bool in_match() const { return player_.where() >= phase::seated; }
  [[nodiscard]] bool plays() const { return plays_; }
  [[nodiscard]] const account& who() const { return who_; }

 private:
  void ended(time_point now);  // the connection
  void consider(time_point now);
  match_acks& acks();

  load_fleet& fleet_;
  std::uint32_t index_;
  account who_;
  bool plays_;
  bool was_open_ = false;
  bool waiting_ = false;  // in the fleet's line of bots that may act, at a fixed rate
  load_socket socket_;
  match_player player_;
  draw_table draw_;
  time_point connect_at_;
  std::chrono::milliseconds backoff_;
  time_point queue_at_;   // 0: not waiting to queue again
  std::size_t acks_ = 0;  // index + 1 into the fleet's list, of the current match
  std::size_t door_ = 0;  // the fleet's, for the next connection
};

class load_fleet {
 public:
  explicit load_fleet(const load_options& options);
  ~load_fleet();
  load_fleet(const load_fleet&) = delete;
  load_fleet& operator=(const load_fleet&) = delete;

  /// Resolves the servers' addresses. False: one cannot be.
  bool resolve(std::string& why);
  void add(account who, bool plays);
  /// One turn of the loop: waits at most `wait`, handles what is ready, runs timers.
  void turn(std::chrono::milliseconds wait);
  /// Starts to measure; until then and after stop() actions are played but not counted.
  void start(time_point now);
  void stop();
  void drain_rate() { rate = 0; }  // matches end as fast as they can
  [[nodiscard]] std::size_t open_count() const;
  [[nodiscard]] std::size_t playing_count() const;

  const load_options& options;
  latency_histogram latency, recent;
  std::map<std::string, std::uint64_t, std::less<>> errors;
  std::vector<match_acks> acks;
  std::vector<std::unique_ptr<load_bot>> bots;
  std::uint64_t actions = 0, acknowledged = 0, matches = 0, reconnects = 0;
  bool queueing = true;  // bots go back to the lobby after a match
  bool counting = false;
  double rate = 0;  // actions per second of all bots; 0: closed loop

  // for bots
  void count_error(std::string_view code);
  void line_up(std::uint32_t bot) { line_.push_back(bot); }
  [[nodiscard]] int epoll() const { return epoll_; }
  struct door {
    endpoint at;
    sockaddr_storage address{};
    socklen_t address_size = 0;
  };
  [[nodiscard]] const std::vector<door>& doors() const { return doors_; }  // the server's first

 private:
  void pace(time_point now);

  int epoll_ = -1;
  std::vector<door> doors_;
  time_point next_sweep_;
  std::deque<std::uint32_t> line_;
  time_point paced_at_;
  double credit_ = 0;
};

}  // namespace baraza::client
