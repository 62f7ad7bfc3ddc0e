#include "cluster/read_pool.hpp"

namespace baraza::cluster {

read_pool::read_pool(storage::store& from, std::size_t threads, std::size_t queue_max)
    : store_{from}, queue_max_{queue_max} {
  for (std::size_t i = 0; i < threads; ++i) threads_.emplace_back([this] { run(); });
}

read_pool::~read_pool() { stop(); }

void read_pool::stop() {
  {
    const std::lock_guard lock{mutex_};
    stopping_ = true;
  }
  ready_.notify_all();
  for (auto& thread : threads_)
    if (thread.joinable()) thread.join();
}

bool read_pool::submit(job work) {
  {
    const std::lock_guard lock{mutex_};
    if (stopping_ || queue_.size() >= queue_max_) return false;
    queue_.push_back(std::move(work));
  }
  ready_.notify_one();
  return true;
}

namespace {

/// Stands in while the store cannot be reached: every read says so, so that a job never waits for a
/// connection.
class unavailable_reader final : public storage::reader {
 public:
  explicit unavailable_reader(storage::error why) : why_{std::move(why)} {}
  storage::result<std::vector<storage::activation>> activate(std::span<const entity_id>) override {
    return why_;
  }
  storage::result<std::vector<storage::journal_event>> events(const entity_id&, std::uint64_t,
                                                              std::uint32_t) override {
    return why_;
  }
  storage::result<std::vector<storage::balance>> balances(
      std::span<const storage::account_id>) override {
    return why_;
  }
  storage::result<std::vector<storage::transfer>> transfers(std::span<const uuid>) override {
    return why_;
  }
  storage::result<std::vector<storage::transfer>> transfers_of(const storage::account_id&,
                                                               const uuid&) override {
    return why_;
  }
  storage::result<std::vector<storage::history_row>> history(const uuid&, storage::currency,
                                                             std::optional<uuid>,
                                                             std::uint32_t) override {
    return why_;
  }
  storage::result<std::vector<storage::wake_row>> wakes(std::uint32_t, std::uint32_t, millis,
                                                        std::uint32_t,
                                                        const storage::wake_row*) override {
    return why_;
  }
  storage::result<std::vector<storage::incident>> incidents(std::uint32_t,
                                                            const storage::incident*) override {
    return why_;
  }
  storage::result<millis> now() override { return why_; }

 private:
  storage::error why_;
};

}  // namespace

/// A connection's first reads cost PostgreSQL its catalogue, ten times a read: better now than when
/// a player waits. Should the store be away, the first job tries again.
std::unique_ptr<storage::reader> read_pool::open() {
  auto opened = store_.open_reader();
  if (!opened) return nullptr;
  const entity_id nobody[] = {{entity_kind::table, {}}, {entity_kind::wallet, {}}};
  (void)(*opened)->activate(nobody);
  (void)(*opened)->activate(std::span{nobody, 1});
  (void)(*opened)->wakes(0, 0, 0, 1, nullptr);
  return std::move(*opened);
}

void read_pool::run() {
  auto reader = open();
  for (;;) {
    job work;
    {
      std::unique_lock lock{mutex_};
      ready_.wait(lock, [this] { return stopping_ || !queue_.empty(); });
      if (queue_.empty()) return;
      work = std::move(queue_.front());
      queue_.pop_front();
    }
    if (!reader) {
      auto opened = store_.open_reader();
      if (!opened) {
        unavailable_reader away{opened.why()};
        work(away);
        continue;
      }
      reader = std::move(*opened);
    }
    work(*reader);
  }
}

}  // namespace baraza::cluster
