// A node as a process of its own, for tests that kill and stop it: it echoes what it hears.
// Usage: peer_process NAME INCARNATION PEER_NAME PEER_INCARNATION PEER_PORT
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <memory>

#include "tests/cluster/link/link_fixture.hpp"

int main(int argc, char** argv) {
  using namespace baraza::cluster;
  if (argc != 6) return 2;
  std::atomic<class link*> self{nullptr};
  link_events events;
  events.received = [&](const std::string& name, std::uint64_t, std::string bytes) {
    if (auto* to = self.load()) to->send(name, std::move(bytes), tests::in(1000ms), 0);
  };
  auto made = link::start(tests::quick_options(argv[1], std::strtoull(argv[2], nullptr, 10)),
                          std::move(events));
  if (auto* why = std::get_if<std::string>(&made))
    return std::fprintf(stderr, "%s\n", why->c_str()), 1;
  auto& mine = std::get<0>(made);
  self = mine.get();
  mine->set_peers({{argv[3], std::strtoull(argv[4], nullptr, 10), "127.0.0.1",
                    static_cast<std::uint16_t>(std::atoi(argv[5]))}});
  std::printf("port %u\n", mine->port());
  std::fflush(stdout);
  // A parent that dies without killing us leaves us to init.
  for (const auto parent = ::getppid(); ::getppid() == parent;) ::usleep(50'000);  // polls: parent
  return 0;
}
