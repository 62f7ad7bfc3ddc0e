// One run of `baraza play`: from the lobby through the matches to the goodbye. play_run.cpp is what
// happens while a match runs, play_result.cpp what is told when it is over.
#pragma once

#include <deque>
#include <string>
#include <vector>

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>

#include "http/client/draw_table.hpp"
#include "http/client/play.hpp"
#include "http/client/play_account.hpp"
#include "http/client/play_screen.hpp"
#include "http/client/seat_client.hpp"

namespace baraza::client {

/// One finished match, for the last line of --json.
struct played {
  uuid match;
  std::string how, result;  // ended/aborted/voided/gone; won/lost/drawn/none
  std::int64_t payout = 0;
  bool proof = false;
};

class play_run final : public match_player::listener {
 public:
  play_run(const play_options& options, boost::asio::io_context& io, play_account& account,
           std::int64_t balance);

  void start();
  void pressed(char key);
  void leave(bool by_hand);
  [[nodiscard]] int exit_code() const { return exit_code_; }
  void print_json() const;

  void send(std::string_view) override {}
  void matched(std::string_view fields) override;
  void happened(const table_event& event) override;
  void viewed(std::string_view view) override;
  void acknowledged(std::uint64_t, std::uint64_t, time_point) override { progressed(); }
  void refused(std::string_view what, const problem& why) override;
  void over(std::string_view how, std::string_view event) override;
  void pushed(std::string_view type, std::string_view frame) override;

 private:
  static time_point now() { return std::chrono::steady_clock::now(); }
  match_player::options machine_options() const;
  seat_client::handlers handlers();
  void progressed() { progress_at_ = now(); }
  void next();
  void tick();
  void draw();
  void consider();
  void card_drawn(std::string_view game_event);
  void clock(std::string_view clock);
  void tell_result(std::string_view how, std::string_view event, played& done);
  bool check_proof(const uuid& match);
  void finish(int code);

  const play_options& options_;
  boost::asio::io_context& io_;
  play_account& account_;
  play_screen screen_;
  std::int64_t balance_first_, balance_;
  std::uint32_t patience_;
  boost::asio::steady_timer timer_;
  draw_table draw_;
  std::string opponent_ = "the opponent";
  std::deque<char> typed_;
  bool input_ended_ = false, announced_ = false, away_ = false, resumed_ = false, leaving_ = false;
  time_point clock_end_, progress_at_;
  std::vector<played> results_;
  int exit_code_ = 0;
  seat_client client_;
};

}  // namespace baraza::client
