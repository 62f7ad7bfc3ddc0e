// A mutex for sections of microseconds that several busy threads enter all the time: who meets it
// locked looks again for a moment before the kernel is asked to wait. With a plain one, half of the
// edge's system calls were waits and wake-ups for a section that was over before they returned.
#pragma once

#include <pthread.h>

namespace baraza::http {

class adaptive_mutex {
 public:
  adaptive_mutex() = default;
  ~adaptive_mutex() { ::pthread_mutex_destroy(&mutex_); }
  adaptive_mutex(const adaptive_mutex&) = delete;
  adaptive_mutex& operator=(const adaptive_mutex&) = delete;

  void lock() { ::pthread_mutex_lock(&mutex_); }
  bool try_lock() { return ::pthread_mutex_trylock(&mutex_) == 0; }
  void unlock() { ::pthread_mutex_unlock(&mutex_); }

 private:
  ::pthread_mutex_t mutex_ = PTHREAD_ADAPTIVE_MUTEX_INITIALIZER_NP;
};

}  // namespace baraza::http
