#include "tests/cluster/link/link_fixture.hpp"

#include <algorithm>
#include <stdexcept>

namespace baraza::cluster::tests {

link_options quick_options(const std::string& name, std::uint64_t incarnation) {
  link_options out;
  out.self = {.cluster = "nairobi",
              .name = name,
              .incarnation = incarnation,
              .shards = 1024,
              .system_id = "store-1"};
  out.heartbeat_every = 50ms;
  out.silence_max = 600ms;
  out.dial_max = 800ms;
  out.backoff_max = 200ms;
  return out;
}

std::chrono::steady_clock::time_point in(std::chrono::milliseconds from_now) {
  return std::chrono::steady_clock::now() + from_now;
}

test_node::test_node(link_options options) : options_{std::move(options)} {
  const auto way = [](link_direction d) {
    return d == link_direction::outgoing ? " out " : " in ";
  };
  link_events events;
  events.up = [=, this](link_direction d, const std::string& name, std::uint64_t incarnation) {
    note("up" + std::string{way(d)} + name + ' ' + std::to_string(incarnation));
  };
  events.down = [=, this](link_direction d, const std::string& name, std::uint64_t incarnation,
                          const std::string& why) {
    note("down" + std::string{way(d)} + name + ' ' + std::to_string(incarnation) + ' ' + why);
  };
  events.received = [this](const std::string& name, std::uint64_t, const std::string& bytes) {
    note("got " + name + ' ' + (bytes.size() < 100 ? bytes : std::to_string(bytes.size())));
  };
  events.lost = [this](std::uint64_t owner, link_loss why) {
    note("lost " + std::to_string(owner) +
         (why == link_loss::expired ? " expired" : " disconnected"));
  };
  events.log = [this](link_log, std::string_view event, std::string_view detail) {
    note("log " + std::string{event} + ' ' + std::string{detail});
  };
  auto made = link::start(options_, std::move(events));
  if (auto* why = std::get_if<std::string>(&made)) throw std::runtime_error{*why};
  link_ = std::move(std::get<0>(made));
}

void test_node::note(std::string line) {
  const std::lock_guard lock{mutex_};
  lines_.push_back(std::move(line));
  changed_.notify_all();
}

link_peer test_node::as_peer() const {
  return {options_.self.name, options_.self.incarnation, "127.0.0.1", link_->port()};
}

bool test_node::saw(const std::string& text, std::chrono::milliseconds limit, std::size_t times) {
  std::unique_lock lock{mutex_};
  return changed_.wait_for(lock, limit, [&] {
    return static_cast<std::size_t>(
               std::count_if(lines_.begin(), lines_.end(), [&](const std::string& line) {
                 return line.find(text) != std::string::npos;
               })) >= times;
  });
}

std::size_t test_node::count(const std::string& text) {
  const std::lock_guard lock{mutex_};
  return static_cast<std::size_t>(
      std::count_if(lines_.begin(), lines_.end(),
                    [&](const std::string& line) { return line.find(text) != std::string::npos; }));
}

std::string test_node::all() {
  const std::lock_guard lock{mutex_};
  std::string out;
  for (const auto& line : lines_) out += line + '\n';
  return out;
}

void test_node::forget() {
  const std::lock_guard lock{mutex_};
  lines_.clear();
}

void join(test_node& a, test_node& b) {
  a->set_peers({b.as_peer()});
  b->set_peers({a.as_peer()});
  const auto name = [](test_node& n) { return n.as_peer().name; };
  if (!a.saw("up out " + name(b)) || !a.saw("up in " + name(b)) || !b.saw("up out " + name(a)) ||
      !b.saw("up in " + name(a)))
    throw std::runtime_error{"no link:\n" + a.all() + b.all()};
}

}  // namespace baraza::cluster::tests
