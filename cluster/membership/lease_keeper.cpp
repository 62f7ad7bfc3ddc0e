#include "cluster/membership/lease_keeper.hpp"

#include <algorithm>

namespace baraza::cluster {

using std::chrono::milliseconds;

void lease_keeper::sent(time_point now) { sent_ = now; }

void lease_keeper::renewed(time_point now, std::uint64_t connection, millis store_now) {
  if (!sent_ || dead_) return;
  const auto sent = *std::exchange(sent_, std::nullopt);
  until_ = std::max(until_, sent + options_.length);
  next_ = std::max(now, sent + options_.renew_every);
  const auto in_step = [&] {
    const auto ours = std::chrono::duration_cast<milliseconds>(now - last_->at);
    const milliseconds theirs{store_now - last_->store_now};
    return std::chrono::abs(ours - theirs) <= store_clock_step_max;
  };
  const bool goes_on = last_ && last_->connection == connection && now - last_->at <= gap_max() &&
                       now - sent <= gap_max() && in_step();
  if (!goes_on) streak_began_ = now;
  last_ = {now, connection, store_now};
}

void lease_keeper::failed(time_point now) {
  sent_.reset();
  last_.reset();
  next_ = now + options_.retry_every;
}

bool lease_keeper::may_judge(time_point now) const {
  return may_commit(now) && last_ && now - last_->at <= gap_max() &&
         now - streak_began_ > options_.length + options_.judge_margin;
}

lease_keeper::time_point lease_keeper::next_look(time_point now) const {
  const auto far = now + options_.length;
  const auto renewal = sent_ || dead_ ? far : std::max(now, next_);
  return until_ > now ? std::min(renewal, until_) : renewal;
}

}  // namespace baraza::cluster
