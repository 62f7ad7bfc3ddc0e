// Commits batches until it is killed, and prints "INDEX NUMBER" for each commit the store has
// acknowledged. usage: crash_writer URL BASE-UUID MERGE-AT-BYTES
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <string>

#include "tests/storage/crash_plan.hpp"

using namespace baraza;
using namespace baraza::storage;
using namespace baraza::tests;

namespace {

constexpr std::uint64_t batches_max = 100'000;  // its parent kills it long before

int fail(const std::string& why) {
  std::fprintf(stderr, "crash_writer: %s\n", why.c_str());
  return 1;
}

bool tell(const std::string& text) {
  // Straight to the pipe: what a buffer holds at the kill would be lost.
  return ::write(STDOUT_FILENO, text.data(), text.size()) == static_cast<ssize_t>(text.size());
}

int run(store& opened, const crash_plan& plan) {
  const auto node = opened.join(crash_node);
  if (!node) return fail(node.why().message);
  auto writer = opened.open_writer(*node, 0);
  if (!writer) return fail(writer.why().message);
  auto reader = opened.open_reader();
  if (!reader) return fail(reader.why().message);
  std::array<entity_id, crash_entities> entities;
  for (std::size_t i = 0; i < crash_entities; ++i) entities[i] = plan.entity(i);
  const auto active = (*reader)->activate(entities);
  if (!active) return fail(active.why().message);
  std::array<std::uint64_t, crash_entities> numbers{};
  for (std::size_t i = 0; i < crash_entities; ++i) numbers[i] = (*active)[i].head / crash_events;
  if (!tell("ready\n")) return fail("the pipe is closed");
  for (std::uint64_t n = 1; n <= batches_max; ++n) {
    std::array<commit, crash_entities> commits;
    batch work{{node->incarnation, 0, n}, {}};
    for (std::size_t i = 0; i < crash_entities; ++i) {
      commits[i] = plan.commit_of(i, numbers[i] + 1, node->epoch);
      work.members.push_back(&commits[i]);
    }
    const auto answer = (*writer)->apply(work);
    if (answer.code != errc::none) return fail(answer.detail);
    std::string acknowledged;
    for (std::size_t i = 0; i < crash_entities; ++i) {
      const auto& member = answer.members[i];
      if (member.code != errc::none) return fail(member.detail);
      acknowledged += std::to_string(i) + " " + std::to_string(++numbers[i]) + "\n";
    }
    if (!tell(acknowledged)) return fail("the pipe is closed");
  }
  return fail("nobody killed it");
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 4) return fail("usage: crash_writer URL BASE-UUID MERGE-AT-BYTES");
  const auto base = uuid::parse(argv[2]);
  if (!base) return fail("the base is not a UUID");
  auto opened = open(argv[1], {.merge_at_bytes = std::strtoull(argv[3], nullptr, 10)});
  if (!opened) return fail(opened.why().message);
  return run(**opened, {*base});
}
