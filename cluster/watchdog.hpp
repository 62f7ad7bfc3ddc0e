// Ends the node when an actor holds its thread too long (rule D3): players of its neighbours wait,
// and another node can take over. And the last thing that a process does which crashes is to say
// whose code ran: a command that ends every process it comes to would else be repeated at the next.
#pragma once

#include <semaphore.h>

#include <array>
#include <atomic>
#include <functional>
#include <optional>
#include <thread>

#include "cluster/limits.hpp"
#include "storage/ids.hpp"

namespace baraza::cluster {

class watchdog {
 public:
  static constexpr std::size_t threads_max = 256;  // further threads go unwatched

  struct alarm {
    entity_id who;                     // whose code ran
    std::chrono::milliseconds held{};  // the thread, so far
    int signal = 0;                    // 0: it holds its thread; else what ends the process
    bool is_counted = false;           // a strike for this very death was counted before
  };
  /// `bark` is called once, from the watchdog's thread. Of a thread that is held it is expected to
  /// end the process; after a crash it has crash_words_max, then the process ends in any case.
  explicit watchdog(std::function<void(const alarm&)> bark);
  ~watchdog();
  watchdog(const watchdog&) = delete;

  /// Marks the calling thread as working for `who` until the scope ends.
  class scope {
   public:
    scope(watchdog& dog, const entity_id& who, millis steady_now, bool is_counted = false);
    ~scope();
    scope(const scope&) = delete;

   private:
    std::atomic<millis>* since_ = nullptr;
  };

  /// For the whole process, once: SIGSEGV, SIGBUS, SIGFPE, SIGILL and SIGABRT inside a scope reach
  /// its watchdog before they end the process as ever. Nothing in a build with sanitizers, which
  /// have a word of their own.
  static void hear_crashes();

 private:
  struct lane {
    void enter(const entity_id& whom, millis now, bool counted);
    /// Whoever has held the thread since `held_since`; nothing if he let go of it meanwhile.
    [[nodiscard]] std::optional<entity_id> holder(millis held_since) const;

    std::atomic<millis> since{0};  // 0: idle
    // Written before `since`, in pieces: the thread may let go while the watchdog reads.
    std::atomic<entity_kind> kind{};
    std::array<std::atomic<std::uint64_t>, 2> key{};
    std::atomic<bool> is_counted{false};
  };
  /// Of the calling thread; plain data, since a signal handler reads it.
  struct place {
    watchdog* dog;
    std::size_t lane;
  };
  static place& here();
  static void crashed(int signal);

  void watch();
  bool look_for_held();
  void tell_crash();

  std::array<lane, threads_max> lanes_;
  std::atomic<std::size_t> used_{0};
  std::atomic<bool> stopping_{false};
  std::atomic<std::uint64_t> crash_{0};  // 0: none; else lane * 256 + signal
  std::atomic<bool> is_told_{false};
  sem_t bell_;  // the one thing that a signal handler may ring
  std::function<void(const alarm&)> bark_;
  std::thread thread_;
};

}  // namespace baraza::cluster
