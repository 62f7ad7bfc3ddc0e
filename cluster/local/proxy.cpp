#include "cluster/local/proxy.hpp"

#include <atomic>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <future>
#include <list>
#include <map>
#include <set>
#include <thread>
#include <vector>

#include "cluster/local/failure.hpp"
#include "cluster/local/proxied_connection.hpp"

namespace baraza::cluster::local {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;
using boost::system::error_code;

/// Where one target is reached. Refuses, but keeps its port, while the target refuses.
struct route {
  route(asio::io_context& io, const proxy_route& what)
      : what{what},
        acceptor{io},
        timer{io},
        check{io},
        target{asio::ip::make_address(what.target_address), what.target_port} {}
  proxy_route what;
  tcp::acceptor acceptor;
  asio::steady_timer timer;
  tcp::socket check;
  tcp::endpoint target;
  tcp::endpoint at;
  bool is_listening = false, is_checking = false;
};

}  // namespace

class proxy::loop final : public connection_host {
 public:
  loop() : thread_{[this] { io_.run(); }} {}
  /// Runs `what` on the proxy's thread, and returns when it has.
  template <class What>
  auto run(What what) {
    std::packaged_task<decltype(what())()> task{std::move(what)};
    auto done = task.get_future();
    asio::post(io_, [&task] { task(); });
    return done.get();
  }

  ~loop() override {
    run([this] {
      for (auto& each : routes_) {
        error_code ignored;
        each.acceptor.close(ignored);
        each.check.close(ignored);
        each.timer.cancel();
      }
      is_over_ = true;
      reset_all();
    });
    guard_.reset();
    thread_.join();
  }

  std::uint16_t add_route(const proxy_route& what) {
    auto& made = routes_.emplace_back(io_, what);
    made.at = {asio::ip::make_address(what.listen_address), 0};
    if (const auto why = listen(made); why) {
      routes_.pop_back();
      throw failure{"the proxy cannot listen at " + what.listen_address + ": " + why.message()};
    }
    return made.at.port();
  }

  void name_source(const std::string& address, party who) {
    sources_[asio::ip::make_address(address)] = who;
  }

  void set_road(party from, party to, road how) {
    how == road::open ? void(roads_.erase({from, to})) : void(roads_[{from, to}] = how);
    roads_changed();
  }
  void open_all_roads() {
    roads_.clear();
    roads_changed();
  }
  [[nodiscard]] road road_of(party from, party to) const override {
    const auto found = roads_.find({from, to});
    return found == roads_.end() ? road::open : found->second;
  }
  void gone(const std::shared_ptr<proxied_connection>& which) override {
    connections_.erase(which);
  }
  [[nodiscard]] std::size_t count() const { return connections_.size(); }

 private:
  /// Binds where it was, or takes a port of its own the first time.
  error_code bind(route& r) {
    error_code why;
    r.acceptor.close(why);
    r.is_listening = false;
    r.acceptor.open(tcp::v4(), why);
    if (!why) r.acceptor.set_option(tcp::acceptor::reuse_address{true}, why);
    if (!why) r.acceptor.bind(r.at, why);
    if (!why) r.at = r.acceptor.local_endpoint(why);
    return why;
  }
  error_code listen(route& r) {
    if (auto why = bind(r); why) return why;
    error_code why;
    r.acceptor.listen(tcp::acceptor::max_listen_connections, why);
    r.is_listening = !why;
    if (!why) accept(r);
    return why;
  }

  void accept(route& r) {
    r.acceptor.async_accept([this, &r](error_code why, tcp::socket dialler) {
      if (is_over_ || why == asio::error::operation_aborted) return;
      if (!why && connections_.size() < proxied_max) carry(r, std::move(dialler));
      if (r.is_listening) accept(r);
    });
  }

  void carry(route& r, tcp::socket dialler) {
    error_code why;
    const auto source = dialler.remote_endpoint(why);
    if (why) return;  // gone already
    const auto named = sources_.find(source.address());
    const party from =
        r.what.from.value_or(named == sources_.end() ? party_unknown : named->second);
    const auto made = std::make_shared<proxied_connection>(
        *this, std::move(dialler), r.target, from, r.what.to, [this, &r] { look_at_target(r); });
    connections_.insert(made);
    made->look_at_roads();
  }

  /// Does the target still listen? Not through any road: this is the target's own machine.
  void look_at_target(route& r) {
    if (r.is_checking || is_over_) return;
    r.is_checking = true;
    error_code ignored;
    r.check.close(ignored);
    r.check.async_connect(r.target, [this, &r](error_code why) {
      r.is_checking = false;
      if (is_over_) return;
      error_code closing;
      r.check.close(closing);
      if (why) {
        if (r.is_listening) bind(r);
        r.timer.expires_after(target_poll);
        r.timer.async_wait([this, &r](error_code) { look_at_target(r); });
      } else if (!r.is_listening && listen(r)) {
        r.timer.expires_after(target_poll);  // a port that is not given back yet
        r.timer.async_wait([this, &r](error_code) { look_at_target(r); });
      }
    });
  }

  void roads_changed() {
    // A copy: connections that end take themselves out.
    const std::vector all(connections_.begin(), connections_.end());
    for (const auto& each : all) each->look_at_roads();
  }
  void reset_all() {
    const std::vector all(connections_.begin(), connections_.end());
    for (const auto& each : all) each->reset();
  }

  asio::io_context io_{1};
  asio::executor_work_guard<asio::io_context::executor_type> guard_{io_.get_executor()};
  std::list<route> routes_;
  std::map<asio::ip::address, party> sources_;
  std::map<std::pair<party, party>, road> roads_;
  std::set<std::shared_ptr<proxied_connection>> connections_;
  bool is_over_ = false;
  std::thread thread_;
};

proxy::proxy() : loop_{std::make_unique<loop>()} {}
proxy::~proxy() = default;

std::uint16_t proxy::add_route(const proxy_route& route) {
  return loop_->run([&] { return loop_->add_route(route); });
}
void proxy::name_source(const std::string& address, party who) {
  loop_->run([&] { loop_->name_source(address, who); });
}
void proxy::set_road(party from, party to, road how) {
  loop_->run([&] { loop_->set_road(from, to, how); });
}
void proxy::open_all_roads() {
  loop_->run([&] { loop_->open_all_roads(); });
}
std::size_t proxy::connections() const {
  return loop_->run([&] { return loop_->count(); });
}

}  // namespace baraza::cluster::local
