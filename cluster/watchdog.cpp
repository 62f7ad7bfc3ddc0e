#include "cluster/watchdog.hpp"

#include <signal.h>
#include <time.h>

#include <bit>
#include <cstdio>
#include <memory>

#include "cluster/cluster_clock.hpp"

namespace baraza::cluster {
namespace {

constexpr auto look_every = 100ms;
constexpr std::size_t signal_stack_bytes = 64 * 1024;

// Sanitizers have handlers of their own, and unmap whatever signal stack an ending thread has.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr bool hears_crashes_here = false;
#else
constexpr bool hears_crashes_here = true;
#endif

/// A thread that has overrun its stack has none left for a handler.
class signal_stack {
 public:
  signal_stack() {
    stack_t stack{};
    stack.ss_sp = bytes_.get();
    stack.ss_size = signal_stack_bytes;
    ::sigaltstack(&stack, nullptr);
  }
  ~signal_stack() {
    stack_t none{};
    none.ss_flags = SS_DISABLE;
    ::sigaltstack(&none, nullptr);
  }
  signal_stack(const signal_stack&) = delete;
  signal_stack& operator=(const signal_stack&) = delete;

 private:
  std::unique_ptr<char[]> bytes_ = std::make_unique<char[]>(signal_stack_bytes);
};

void give_signal_stack() {
  if constexpr (hears_crashes_here) thread_local const signal_stack own;
}

}  // namespace

watchdog::watchdog(std::function<void(const alarm&)> bark) : bark_{std::move(bark)} {
  ::sem_init(&bell_, 0, 0);
  thread_ = std::thread{[this] { watch(); }};
}

watchdog::~watchdog() {
  stopping_ = true;
  ::sem_post(&bell_);
  thread_.join();
  ::sem_destroy(&bell_);
}

void watchdog::watch() {
  while (!stopping_.load()) {
    timespec until{};
    ::clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_nsec += std::chrono::nanoseconds{look_every}.count();
    until.tv_sec += until.tv_nsec / 1'000'000'000;
    until.tv_nsec %= 1'000'000'000;
    (void)::sem_clockwait(&bell_, CLOCK_MONOTONIC, &until);
    if (crash_.load() != 0) return tell_crash();
    if (look_for_held()) return;
  }
}

bool watchdog::look_for_held() {
  const auto now = cluster_clock::steady();
  for (std::size_t i = 0; i < std::min(used_.load(), threads_max); ++i) {
    const auto since = lanes_[i].since.load(std::memory_order_acquire);
    if (since == 0 || now - since <= thread_hold_max.count()) continue;
    const auto who = lanes_[i].holder(since);
    if (!who) continue;
    bark_({*who, std::chrono::milliseconds{now - since}, 0, false});
    return true;
  }
  return false;
}

void watchdog::tell_crash() {
  const auto& where = lanes_[crash_.load() / 256];
  const auto signal = static_cast<int>(crash_.load() % 256);
  const auto since = where.since.load(std::memory_order_acquire);
  if (const auto who = where.holder(since)) {
    std::fprintf(stderr, "baraza: signal %d in the code of %s\n", signal, who->to_string().c_str());
    bark_({*who, std::chrono::milliseconds{cluster_clock::steady() - since}, signal,
           where.is_counted.load()});
  }
  is_told_ = true;
}

void watchdog::lane::enter(const entity_id& whom, millis now, bool counted) {
  const auto halves = std::bit_cast<std::array<std::uint64_t, 2>>(whom.key.bytes);
  kind.store(whom.kind, std::memory_order_release);
  key[0].store(halves[0], std::memory_order_release);
  key[1].store(halves[1], std::memory_order_release);
  is_counted.store(counted, std::memory_order_release);
  since.store(now, std::memory_order_release);
}

std::optional<entity_id> watchdog::lane::holder(millis held_since) const {
  entity_id out;
  out.kind = kind.load(std::memory_order_acquire);
  out.key.bytes = std::bit_cast<decltype(out.key.bytes)>(
      std::array{key[0].load(std::memory_order_acquire), key[1].load(std::memory_order_acquire)});
  // Whoever saw a piece of a later holder sees here that the earlier one has let go.
  if (since.load(std::memory_order_relaxed) != held_since) return std::nullopt;
  return out;
}

watchdog::place& watchdog::here() {
  thread_local place mine{nullptr, threads_max};
  return mine;
}

watchdog::scope::scope(watchdog& dog, const entity_id& who, millis steady_now, bool is_counted) {
  auto& mine = here();
  if (mine.dog != &dog) {
    mine = {&dog, dog.used_.fetch_add(1)};
    give_signal_stack();
  }
  if (mine.lane >= threads_max) return;
  auto& lane = dog.lanes_[mine.lane];
  if (lane.since.load(std::memory_order_relaxed) != 0)
    return;  // nested: the outer scope keeps counting
  lane.enter(who, steady_now, is_counted);
  since_ = &lane.since;
}

watchdog::scope::~scope() {
  if (since_ != nullptr) since_->store(0, std::memory_order_release);
}

// ---- crashes

/// On the thread that crashed, whatever state its memory is in: touches atomics only, and leaves
/// the words to the watchdog's thread.
void watchdog::crashed(int signal) {
  const auto mine = here();
  std::uint64_t none = 0;
  if (mine.dog != nullptr && mine.lane < threads_max &&
      mine.dog->lanes_[mine.lane].since.load(std::memory_order_relaxed) != 0 &&
      mine.dog->crash_.compare_exchange_strong(
          none, mine.lane * 256 + static_cast<std::uint64_t>(signal))) {
    ::sem_post(&mine.dog->bell_);
    const timespec moment{0, 1'000'000};
    for (auto waited = 0ms; waited < crash_words_max && !mine.dog->is_told_.load(); waited += 1ms)
      ::nanosleep(&moment, nullptr);
  }
  ::signal(signal, SIG_DFL);
  ::raise(signal);  // held back until the handler returns
}

void watchdog::hear_crashes() {
  if constexpr (!hears_crashes_here) return;
  struct sigaction how {};
  how.sa_handler = &watchdog::crashed;
  how.sa_flags = SA_ONSTACK;
  ::sigemptyset(&how.sa_mask);
  for (const auto which : {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT})
    ::sigaction(which, &how, nullptr);
}

}  // namespace baraza::cluster
