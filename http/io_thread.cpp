#include "http/io_thread.hpp"

#include <algorithm>
#include <boost/asio/post.hpp>
#include <utility>

namespace baraza::http {
namespace {
std::int64_t steady_ms() {
  return std::chrono::duration_cast<std::chrono::milliseconds>(
             std::chrono::steady_clock::now().time_since_epoch())
      .count();
}
}  // namespace

void io_inbox::push(std::weak_ptr<inbox_target> to, std::shared_ptr<const std::string> frame,
                    std::uint16_t close_code) {
  const std::lock_guard lock{mutex_};
  if (owner_ == nullptr) return;
  letters_.push_back({std::move(to), std::move(frame), close_code});
}

void io_inbox::wake() {
  const std::lock_guard lock{mutex_};
  if (owner_ == nullptr || letters_.empty() || std::exchange(woken_, true)) return;
  asio::post(owner_->context_, [thread = owner_] { thread->drain(); });
}

void io_inbox::post(std::function<void()> work) {
  const std::lock_guard lock{mutex_};
  if (owner_ != nullptr) asio::post(owner_->context_, std::move(work));
}

io_thread::io_thread() : context_{1}, ticker_{context_}, ticked_{steady_ms() / tick_ms} {
  inbox_->owner_ = this;
}
io_thread::~io_thread() { stop(); }

void io_thread::start() {
  tick();
  thread_ = std::thread{[this] {
    const auto guard = asio::make_work_guard(context_);
    context_.run();
  }};
}

void io_thread::stop() {
  {
    const std::lock_guard lock{inbox_->mutex_};
    inbox_->owner_ = nullptr;
    inbox_->letters_.clear();
  }
  context_.stop();
  if (thread_.joinable()) thread_.join();
}

void io_thread::drain() {
  {
    const std::lock_guard lock{inbox_->mutex_};
    draining_.swap(inbox_->letters_);
    inbox_->woken_ = false;
  }
  counters_.inbox_wakeups.add();
  for (auto& one : draining_) {
    if (const auto to = one.to.lock()) to->take(std::move(one.frame), one.close_code);
  }
  draining_.clear();
}

void io_thread::insert(const std::shared_ptr<timed>& who, std::int64_t when, std::int64_t now) {
  who->queued_ms_ = when;
  const auto horizon = std::min(when, now + static_cast<std::int64_t>(slots - 2) * tick_ms);
  const auto tick = std::max(horizon / tick_ms + 1, ticked_ + 1);
  wheel_[static_cast<std::size_t>(tick) % slots].push_back({who, when});
}

void io_thread::arm(const std::shared_ptr<timed>& who, std::chrono::milliseconds from_now) {
  const auto now = steady_ms();
  who->due_ms_ = now + from_now.count();
  // An entry that comes earlier finds the later deadline by itself; most rearming costs no more
  // than this comparison.
  if (who->queued_ms_ == 0 || who->queued_ms_ > who->due_ms_) insert(who, who->due_ms_, now);
}

void io_thread::look_at(const std::shared_ptr<timed>& who, std::int64_t now) {
  who->queued_ms_ = 0;
  if (who->due_ms_ == 0) return;
  if (who->due_ms_ > now) return insert(who, who->due_ms_, now);
  who->due_ms_ = 0;
  who->expired();
}

void io_thread::say_farewell() {
  std::vector<std::shared_ptr<timed>> all;
  for (const auto& slot : wheel_) {
    for (const auto& one : slot) {
      if (auto who = one.who.lock()) all.push_back(std::move(who));
    }
  }
  for (const auto& one : all) one->farewell();
}

void io_thread::tick() {
  const auto now = steady_ms();
  for (const auto until = now / tick_ms; ticked_ < until;) {
    ++ticked_;
    auto& slot = wheel_[static_cast<std::size_t>(ticked_) % slots];
    if (slot.empty()) continue;
    std::vector<wheel_entry> due;
    due.swap(slot);
    for (const auto& one : due) {
      const auto who = one.who.lock();
      if (who && who->queued_ms_ == one.when) look_at(who, now);  // else: moved to an earlier place
    }
  }
  ticker_.expires_after(std::chrono::milliseconds{tick_ms});
  ticker_.async_wait([this](boost::system::error_code why) {
    if (!why) tick();
  });
}

}  // namespace baraza::http
