#include "http/listener.hpp"

#include <boost/asio/ip/address.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/ssl/context.hpp>
#include <boost/asio/steady_timer.hpp>

#include "http/tls.hpp"

namespace baraza::http {
namespace {

constexpr int backlog = 4096;
constexpr std::chrono::milliseconds retry_after_error{
    50};  // out of descriptors: give sessions time to end

address address_of(const asio::ip::address& from) {
  address out;
  const auto v6 = from.is_v4()
                      ? asio::ip::make_address_v6(asio::ip::v4_mapped, from.to_v4()).to_bytes()
                      : from.to_v6().to_bytes();
  std::copy(v6.begin(), v6.end(), out.bytes.bytes.begin());
  return out;
}

}  // namespace

struct listener::state : std::enable_shared_from_this<state> {
  state(edge_shared& s, std::vector<io_thread*> t, service& r, const tls_certificate* c, bool w)
      : shared{s},
        threads{std::move(t)},
        routes{r},
        tls{c},
        websockets{w},
        acceptor{threads.front()->context()},
        pause{threads.front()->context()} {}

  void accept() {
    auto& thread = *threads[next++ % threads.size()];
    acceptor.async_accept(
        thread.context(),
        [self = shared_from_this(), &thread](boost::system::error_code why, plain_socket socket) {
          if (why == asio::error::operation_aborted || !self->acceptor.is_open()) return;
          if (why) {
            self->pause.expires_after(retry_after_error);
            self->pause.async_wait([self](boost::system::error_code ended) {
              if (!ended) self->accept();
            });
            return;
          }
          self->admit(thread, std::move(socket));
          self->accept();
        });
  }

  /// Refused sockets are closed without a word: whoever opens too many does not read answers.
  void admit(io_thread& thread, plain_socket socket) {
    auto& counters = threads.front()->counters();  // this code runs on the first thread
    boost::system::error_code why;
    const auto peer = socket.remote_endpoint(why);
    if (why) return;
    const auto from = address_of(peer.address());
    const bool exempt = shared.is_exempt(from);
    const auto most = shared.options.sockets_max + (websockets ? 0 : limits::operator_sockets_max);
    if (shared.sockets.load(std::memory_order_relaxed) >= most)
      return counters.refuse(refusal_reason::sockets_total);
    if (!exempt && shared.accepts.take(from.network().bytes, steady_nanos()) > 0)
      return counters.refuse(refusal_reason::address_rate);
    if (!exempt &&
        !shared.sockets_by_address.enter(from.bytes, shared.options.sockets_per_address_max)) {
      return counters.refuse(refusal_reason::sockets_address);
    }
    shared.sockets.fetch_add(1, std::memory_order_relaxed);
    counters.sockets_accepted.add();
    socket.set_option(tcp::no_delay{true}, why);
    socket.non_blocking(true, why);
    // Nothing of the acceptor travels along: its thread may end before this one.
    const session_origin origin{shared, thread, routes, websockets};
    asio::post(thread.context(), [origin, from, context = tls == nullptr ? nullptr : tls->current(),
                                  socket = std::move(socket)]() mutable {
      origin.thread.counters().sockets_open.add();
      socket_place place{origin.shared, origin.thread.counters(), from};
      if (context) {
        start_tls_session(origin, std::move(socket), std::move(place), *context);
      } else {
        start_plain_session(origin, std::move(socket), std::move(place));
      }
    });
  }

  edge_shared& shared;
  std::vector<io_thread*> threads;
  service& routes;
  const tls_certificate* tls;
  const bool websockets;
  std::size_t next = 0;
  asio::basic_socket_acceptor<tcp, asio::io_context::executor_type> acceptor;
  asio::basic_waitable_timer<std::chrono::steady_clock> pause;
};

listener::listener(edge_shared& shared, std::vector<io_thread*> threads, service& routes,
                   const tls_certificate* tls, bool websockets)
    : state_{std::make_shared<state>(shared, std::move(threads), routes, tls, websockets)} {}
listener::~listener() = default;

std::string listener::bind(const std::string& where, std::uint16_t port) {
  boost::system::error_code why;
  const auto ip = asio::ip::make_address(where, why);
  if (why) return "the address " + where + " is no IP address";
  const tcp::endpoint endpoint{ip, port};
  auto& a = state_->acceptor;
  const auto failed = [&](const char* what) {
    return std::string{what} + " " + where + ":" + std::to_string(port) + ": " + why.message();
  };
  if (a.open(endpoint.protocol(), why); why) return failed("cannot open");
  if (a.set_option(asio::socket_base::reuse_address{true}, why); why)
    return failed("cannot prepare");
  if (a.bind(endpoint, why); why) return failed("cannot bind");
  if (a.listen(backlog, why); why) return failed("cannot listen on");
  port_ = a.local_endpoint(why).port();
  return {};
}

void listener::accept() {
  asio::post(state_->threads.front()->context(), [s = state_] { s->accept(); });
}

void listener::release() { state_.reset(); }

void listener::stop() {
  asio::post(state_->threads.front()->context(), [s = state_] {
    boost::system::error_code ignored;
    s->acceptor.close(ignored);
    s->pause.cancel();
  });
}

}  // namespace baraza::http
