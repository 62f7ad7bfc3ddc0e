// Invariants of entities. Stays on in release; a broken one ends that entity, and its supervisor
// activates it again.
#pragma once

#include <stdexcept>
#include <string>

namespace baraza::actors {

struct broken_invariant : std::logic_error {
  using std::logic_error::logic_error;
};

[[noreturn]] inline void fail_invariant(const char* what, const char* file, int line) {
  throw broken_invariant{std::string{file} + ':' + std::to_string(line) + ": " + what};
}

}  // namespace baraza::actors

#define ENTITY_ASSERT(cond) \
  ((cond) ? void(0) : ::baraza::actors::fail_invariant(#cond, __FILE__, __LINE__))
