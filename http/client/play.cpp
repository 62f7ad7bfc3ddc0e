#include "http/client/play.hpp"

#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <optional>

#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>

#include "http/client/cards.hpp"
#include "http/client/keys.hpp"
#include "http/client/play_account.hpp"
#include "http/client/play_run.hpp"

namespace baraza::client {

namespace asio = boost::asio;

int play(const play_options& options) {
  play_account account{options};
  std::string why;
  if (!account.sign_in(why)) {
    std::fprintf(stderr,
                 "play: %s: %s\nplay: is a server running there? Start one with `baraza serve`, or "
                 "name another with --url.\n",
                 options.url.c_str(), why.c_str());
    return 1;
  }
  const auto balance = account.balance();
  if (!balance) {
    std::fprintf(
        stderr,
        "play: %s does not tell the balance; is the server starting? Try again in a moment.\n",
        options.url.c_str());
    return 1;
  }
  if (account.started_anew())
    std::fputs("The remembered account has expired; this is a new one.\n", stderr);
  std::printf("%s%s%s plays at %s. Balance %s DEMO.\n", shown_name(account.who().display).c_str(),
              account.name().empty() ? "" : " as ", account.name().c_str(),
              options.server.authority().c_str(), money_text(*balance).c_str());
  asio::io_context io{1};
  int code = 0;
  {
    play_run run{options, io, account, *balance};
    asio::signal_set signals{io, SIGINT, SIGTERM};
    signals.async_wait([&run](const boost::system::error_code& cancelled, int) {
      if (!cancelled) run.leave(true);
    });
    std::optional<keys> input;
    if (!options.automatic || ::isatty(STDIN_FILENO) != 0)
      input.emplace(io, [&run](char key) { run.pressed(key); });
    run.start();
    io.run();
    code = run.exit_code();
    if (options.json) run.print_json();
  }
  return code;
}

}  // namespace baraza::client
