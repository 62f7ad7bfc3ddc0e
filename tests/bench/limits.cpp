// What the same exchange costs without a game behind it: bare epoll, Beast's WebSocket, and a bare
// CAF round trip. usage: bench_limits [SECONDS]
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <boost/asio/ip/tcp.hpp>
#include <boost/beast/core/buffers_to_string.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/websocket/stream.hpp>
#include <caf/actor_system.hpp>
#include <caf/actor_system_config.hpp>
#include <caf/event_based_actor.hpp>
#include <caf/init_global_meta_objects.hpp>
#include <caf/scoped_actor.hpp>
#include <caf/send.hpp>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <memory>
#include <vector>

#include "http/asio.hpp"
#include "tests/bench/echo_load.hpp"

namespace {

using namespace baraza::tests;
namespace beast = boost::beast;
using tcp = boost::asio::ip::tcp;

/// Forks the load, serves it with `serve` until it ends, and prints the cost of one exchange.
template <class Serve>
void measure(const char* name, echo_load what, Serve serve) {
  int counted[2];
  if (::pipe(counted) != 0) std::abort();
  const auto child = ::fork();
  if (child == 0) {
    const auto done = run_echo_load(what);
    if (::write(counted[1], &done, sizeof done) != sizeof done) ::_exit(1);
    ::_exit(0);
  }
  const double before = own_cpu_seconds();
  serve();
  const double cpu = own_cpu_seconds() - before;
  std::uint64_t done = 0;
  if (::read(counted[0], &done, sizeof done) != sizeof done || done == 0) std::abort();
  ::waitpid(child, nullptr, 0);
  ::close(counted[0]);
  ::close(counted[1]);
  std::printf("%-44s %8.0f exchanges/s %7.2f us of server CPU each\n", name,
              static_cast<double>(done) / what.seconds, cpu * 1e6 / static_cast<double>(done));
}

/// Level-triggered epoll: wait, read, write to both of the pair. Ends when all have hung up.
void serve_bare(int listener, std::uint32_t pairs) {
  std::vector<int> fds;
  const int epoll = ::epoll_create1(0);
  for (std::uint32_t i = 0; i < pairs * 2; ++i) {
    fds.push_back(::accept(listener, nullptr, nullptr));
    const int on = 1;
    ::setsockopt(fds.back(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    epoll_event event{EPOLLIN, {.u64 = i}};
    ::epoll_ctl(epoll, EPOLL_CTL_ADD, fds.back(), &event);
  }
  std::array<epoll_event, 256> events{};
  std::array<char, 512> bytes{};
  for (std::size_t open = fds.size(); open > 0;) {
    const int ready = ::epoll_wait(epoll, events.data(), static_cast<int>(events.size()), 1000);
    for (int i = 0; i < ready; ++i) {
      const auto which = events[static_cast<std::size_t>(i)].data.u64;
      const auto n = ::recv(fds[which], bytes.data(), bytes.size(), 0);
      if (n <= 0) {
        ::close(fds[which]);
        --open;
        continue;
      }
      for (const auto to : {which & ~1ull, which | 1ull})
        (void)::send(fds[to], bytes.data(), static_cast<std::size_t>(n), MSG_NOSIGNAL);
    }
  }
  ::close(epoll);
}

struct beast_session : std::enable_shared_from_this<beast_session> {
  beast_session(tcp::socket from, std::size_t& count) : socket{std::move(from)}, open{count} {
    ++open;
    socket.binary(true);
    socket.auto_fragment(false);
  }
  ~beast_session() { --open; }
  void read() {
    socket.async_read(in, [self = shared_from_this()](beast::error_code why, std::size_t) {
      if (why) {
        if (const auto other = self->partner.lock()) other->partner.reset();
        return;
      }
      auto shared = std::make_shared<const std::string>(beast::buffers_to_string(self->in.data()));
      self->in.clear();
      self->write(shared);
      if (const auto other = self->partner.lock()) other->write(shared);
      self->read();
    });
  }
  void write(std::shared_ptr<const std::string> what) {
    socket.async_write(boost::asio::buffer(*what),
                       [self = shared_from_this(), what](beast::error_code, std::size_t) {});
  }
  beast::websocket::stream<tcp::socket, false> socket;
  beast::flat_buffer in;
  std::weak_ptr<beast_session> partner;
  std::size_t& open;
};

void serve_beast(boost::asio::io_context& io, tcp::acceptor& listener, std::uint32_t pairs) {
  std::size_t open = 0, accepted = 0;
  std::shared_ptr<beast_session> waiting;
  std::function<void()> next = [&] {
    if (accepted++ == pairs * 2) return;
    listener.async_accept([&](beast::error_code why, tcp::socket socket) {
      if (why) return;
      socket.set_option(tcp::no_delay{true});
      auto session = std::make_shared<beast_session>(std::move(socket), open);
      if (waiting) {
        session->partner = waiting;
        waiting->partner = session;
        waiting.reset();
      } else {
        waiting = session;
      }
      session->socket.async_accept([session](beast::error_code failed) {
        if (!failed) session->read();
      });
      next();
    });
  };
  next();
  io.run();
}

void measure_caf(int seconds) {
  caf::core::init_global_meta_objects();
  caf::actor_system_config config;
  config.set("caf.scheduler.max-threads", std::size_t{1});
  config.set("caf.scheduler.policy", "sharing");
  caf::actor_system system{config};
  const auto echo = system.spawn([] { return caf::behavior{[](std::uint64_t n) { return n; }}; });
  const auto end = std::chrono::steady_clock::now() + std::chrono::seconds{seconds};
  const double before = own_cpu_seconds();
  auto done = std::make_shared<std::uint64_t>(0);
  const auto asker = system.spawn([echo, end, done](caf::event_based_actor* self) {
    self->send(echo, std::uint64_t{0});
    return caf::behavior{[=](std::uint64_t n) {
      *done = n + 1;
      if (n % 1024 == 0 && std::chrono::steady_clock::now() > end)
        self->quit();
      else
        self->send(echo, n + 1);
    }};
  });
  {
    caf::scoped_actor self{system};
    self->wait_for(asker);
    caf::anon_send_exit(echo, caf::exit_reason::user_shutdown);
  }
  std::printf("%-44s %8.0f round trips/s %5.2f us of CPU each\n", "CAF, two actors, one thread",
              static_cast<double>(*done) / seconds,
              (own_cpu_seconds() - before) * 1e6 / static_cast<double>(*done));
}

}  // namespace

int main(int argc, char** argv) {
  const int seconds = argc > 1 ? std::max(1, std::atoi(argv[1])) : 5;
  {
    boost::asio::io_context io{1};
    tcp::acceptor listener{io, {boost::asio::ip::address_v4::loopback(), 0}};
    echo_load what{listener.local_endpoint().port(), 400, seconds, false};
    measure("bare epoll: one read, two writes", what,
            [&] { serve_bare(listener.native_handle(), what.pairs); });
    what.websocket = true;
    measure("Beast WebSocket: one read, two writes", what,
            [&] { serve_beast(io, listener, what.pairs); });
  }
  measure_caf(seconds);
}
