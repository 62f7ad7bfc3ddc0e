// One socket thread: an io_context, a coarse timer wheel for all its sessions, and an inbox for
// frames from other threads.
#pragma once

#include <array>
#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <unordered_set>
#include <vector>

#include "http/adaptive_mutex.hpp"
#include "http/asio.hpp"
#include "http/counters.hpp"

namespace baraza::http {

/// Something with one deadline on the wheel. All of it is used on the owner's thread only.
class timed {
 public:
  virtual ~timed() = default;
  /// The deadline has passed. It may arm itself again.
  virtual void expired() = 0;
  /// The edge stops: end in good order, soon.
  virtual void farewell() = 0;

 private:
  friend class io_thread;
  std::int64_t due_ms_ = 0;     // 0: none
  std::int64_t queued_ms_ = 0;  // where the wheel holds it; 0: nowhere
};

/// What takes the frames that other threads hand to a session.
class inbox_target {
 public:
  virtual ~inbox_target() = default;
  virtual void take(std::shared_ptr<const std::string> frame,
                    std::uint16_t close_code) = 0;  // frame null: close
};

class io_thread;

/// The way into a socket thread from any other. It outlives the thread: what comes later is
/// dropped. Nobody outside ever owns a session, so that none is destroyed on a foreign thread or
/// after its io_context.
class io_inbox {
 public:
  void push(std::weak_ptr<inbox_target> to, std::shared_ptr<const std::string> frame,
            std::uint16_t close_code = 0);
  /// What was pushed is to be taken. Frames share one wake-up, so that a broadcast to a thousand
  /// sessions costs one system call.
  void wake();
  /// Runs `work` on the thread.
  void post(std::function<void()> work);

 private:
  friend class io_thread;
  struct letter {
    std::weak_ptr<inbox_target> to;
    std::shared_ptr<const std::string> frame;
    std::uint16_t close_code = 0;
  };
  adaptive_mutex mutex_;
  std::vector<letter> letters_;
  bool woken_ = false;
  io_thread* owner_ = nullptr;  // null once stopped
};

class io_thread {
 public:
  io_thread();
  ~io_thread();
  io_thread(const io_thread&) = delete;
  io_thread& operator=(const io_thread&) = delete;

  void start();
  void stop();  // drops what is left and joins

  [[nodiscard]] const std::shared_ptr<io_inbox>& inbox() const { return inbox_; }
  void post(std::function<void()> work) { inbox_->post(std::move(work)); }
  /// Own thread. Keeps a session that waits for another thread's answer, and so has nothing pending
  /// on its socket.
  void hold(std::shared_ptr<void> who) { held_.insert(std::move(who)); }
  void release(const std::shared_ptr<void>& who) { held_.erase(who); }
  /// Own thread. Replaces the deadline of `who`; precise to a tick (100 ms), never early.
  void arm(const std::shared_ptr<timed>& who, std::chrono::milliseconds from_now);
  static void disarm(timed& who) { who.due_ms_ = 0; }
  /// Own thread. Says farewell to everyone on the wheel.
  void say_farewell();

  asio::io_context& context() { return context_; }
  io_counters& counters() { return counters_; }
  [[nodiscard]] const io_counters& counters() const { return counters_; }

 private:
  static constexpr std::int64_t tick_ms = 100;
  static constexpr std::size_t slots =
      1024;  // 102 s ahead; later deadlines are looked at again on the way
  struct wheel_entry {
    std::weak_ptr<timed> who;
    std::int64_t when = 0;
  };
  friend class io_inbox;
  void drain();
  void tick();
  void insert(const std::shared_ptr<timed>& who, std::int64_t when, std::int64_t now);
  void look_at(const std::shared_ptr<timed>& who, std::int64_t now);

  io_counters counters_;  // first: sessions that end with the context still count
  asio::io_context context_;
  asio::steady_timer ticker_;
  std::array<std::vector<wheel_entry>, slots> wheel_;
  std::int64_t ticked_ = 0;  // the last tick handled
  std::shared_ptr<io_inbox> inbox_ = std::make_shared<io_inbox>();
  std::vector<io_inbox::letter> draining_;
  std::unordered_set<std::shared_ptr<void>> held_;
  std::thread thread_;
};

}  // namespace baraza::http
