#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstring>
#include <filesystem>

#include "storage/checks.hpp"
#include "storage/embedded/embedded.hpp"
#include "storage/embedded/shared.hpp"
#include "storage/identity.hpp"
#include "storage/limits.hpp"
#include "storage/membership.hpp"

namespace baraza::storage::embedded {

file_lock::file_lock(const std::string& path) {
  fd_ = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (fd_ < 0)
    throw failure{errc::unavailable, "cannot open " + path + ": " + std::strerror(errno)};
  if (::flock(fd_, LOCK_EX | LOCK_NB) == 0) {
    const auto mine = std::to_string(::getpid()) + "\n";
    // For people only: a full disk may leave it empty.
    if (::ftruncate(fd_, 0) == 0) [[maybe_unused]]
      const auto written = ::pwrite(fd_, mine.data(), mine.size(), 0);
    return;
  }
  char holder[24] = {};
  const auto size = ::pread(fd_, holder, sizeof holder - 1, 0);
  ::close(fd_);
  std::string who{holder, size > 0 ? static_cast<std::size_t>(size) : 0};
  while (!who.empty() && who.back() == '\n') who.pop_back();
  throw failure{errc::unavailable, "the data folder is in use by process " +
                                       (who.empty() ? "?" : who) + ", which holds " + path +
                                       ": one `baraza serve` at a time"};
}

file_lock::~file_lock() { ::close(fd_); }

millis shared::now() {
  using namespace std::chrono;
  const millis wall = duration_cast<milliseconds>(system_clock::now().time_since_epoch()).count();
  millis newest = newest_.load(std::memory_order_relaxed);
  while (newest < wall && !newest_.compare_exchange_weak(newest, wall, std::memory_order_relaxed)) {
  }
  return std::max(newest, wall);
}

commit_log& shared::open_log() {
  if (!log) log = std::make_shared<commit_log>(*db, merge_at_bytes);
  return *log;
}

shared::~shared() {
  if (!log) return;
  try {
    log->merge_all();
  } catch (const failure&) {
    // Nothing is lost: the log keeps it for the next process, which says what is wrong with it.
  }
}

namespace {

constexpr std::uint16_t writers_max = 64;  // fence rows of one incarnation
constexpr std::uint32_t shards_max = 1u << 20;

class embedded_writer final : public writer {
 public:
  embedded_writer(std::shared_ptr<shared> common) : common_{std::move(common)} {}

  batch_result apply(const batch& work) override {
    const std::lock_guard hold{common_->write};
    if (!common_->ledger) return {errc::unavailable, "the store's schema has changed", {}};
    return common_->ledger->apply(work, common_->now());
  }

  batch_result resolve(const batch& work) override {
    const std::lock_guard hold{common_->write};
    if (!common_->ledger) return {errc::unavailable, "the store's schema has changed", {}};
    return common_->ledger->resolve(work);
  }

 private:
  std::shared_ptr<shared> common_;
};

class embedded_store final : public store {
 public:
  explicit embedded_store(std::shared_ptr<shared> common) : common_{std::move(common)} {}

  result<std::unique_ptr<writer>> open_writer(const node_grant& node,
                                              std::uint16_t index) override {
    return guarded<std::unique_ptr<writer>>([&]() -> result<std::unique_ptr<writer>> {
      const std::lock_guard hold{common_->write};
      auto& db = writable();
      require_schema(db);
      statement open{db.handle(), "SELECT open FROM fence WHERE incarnation=? AND writer=?"};
      if (!open.run(node.incarnation, std::uint32_t{index}).step())
        return error{errc::invalid, "the node did not register a writer " + std::to_string(index)};
      if (open.integer(0) == 0) return error{errc::fenced, "this incarnation is fenced off"};
      if (!common_->ledger) common_->ledger = std::make_unique<applier>(db, common_->open_log());
      return std::unique_ptr<writer>{std::make_unique<embedded_writer>(common_)};
    });
  }

  result<std::unique_ptr<reader>> open_reader() override {
    return guarded<std::unique_ptr<reader>>([&] { return make_reader(common_); });
  }

  std::unique_ptr<identity_store> open_identity() override { return make_identity(common_); }

  result<std::unique_ptr<membership_store>> open_membership() override {
    return error{errc::invalid, "the embedded store serves one node only"};
  }

  result<node_grant> join(const node_registration& node) override {
    if (node.name.empty() || node.writers == 0 || node.writers > writers_max || node.shards == 0 ||
        node.shards > shards_max)
      return error{errc::invalid, "a node needs a name, 1 to 64 writers and 1 to 1048576 shards"};
    return guarded<node_grant>([&] { return register_node(node); });
  }

  status claim_key(std::string_view fingerprint) override {
    if (auto why = check_fingerprint(fingerprint); why.code != errc::none) return why;
    return guarded<done>([&]() -> status {
      const std::lock_guard hold{common_->write};
      auto& db = writable();
      require_schema(db);
      transaction change{db, access::write};
      statement{db.handle(), "UPDATE store SET key_fingerprint=coalesce(key_fingerprint,?)"}.exec(
          words{fingerprint});
      statement read{db.handle(), "SELECT key_fingerprint FROM store"};
      if (!read.run().step()) return error{errc::corrupt, "the store's own row is missing"};
      if (read.text(0) != fingerprint) return other_key();
      read.reset();
      change.commit();
      return done{};
    });
  }

  status fence(std::uint64_t incarnation) override {
    return guarded<done>([&] {
      const std::lock_guard hold{common_->write};
      transaction change{writable(), access::write};
      statement{common_->db->handle(), "UPDATE fence SET open=0 WHERE incarnation=?"}.exec(
          incarnation);
      change.commit();
      return done{};
    });
  }

  status record_incident(const incident& what) override {
    return guarded<done>([&] {
      const std::lock_guard hold{common_->write};
      transaction change{writable(), access::write};
      const entity_key entity{what.entity};
      statement{common_->db->handle(),
                "INSERT OR IGNORE INTO incident(id,at,entity,kind,detail) VALUES(?,?,?,?,?)"}
          .exec(what.id, what.at, std::string_view{entity}, words{what.kind}, words{what.detail});
      change.commit();
      return done{};
    });
  }

  /// A hold takes one load back: that of the same life, which ends in it before it was forgotten.
  status count_attempt(std::span<const entity_id> entities, strike what) override {
    return for_each(entities,
                    what == strike::load
                        ? "INSERT INTO attempt(entity,loads) VALUES(?,1)"
                          " ON CONFLICT(entity) DO UPDATE SET loads=loads+1"
                        : "INSERT INTO attempt(entity,holds) VALUES(?,1)"
                          " ON CONFLICT(entity) DO UPDATE SET holds=holds+1, loads=max(loads-1,0)");
  }
  status forget_attempts(std::span<const entity_id> entities, strike up_to) override {
    if (up_to == strike::hold) return for_each(entities, "DELETE FROM attempt WHERE entity=?");
    auto done = for_each(entities, "UPDATE attempt SET loads=0 WHERE entity=? AND holds>0");
    return done ? for_each(entities, "DELETE FROM attempt WHERE entity=? AND holds=0") : done;
  }

  status maintain(millis) override { return done{}; }  // nothing is partitioned here

  result<migration_state> migrations() override {
    return guarded<migration_state>([&]() -> result<migration_state> {
      connection db{common_->file, access::read, false};
      return read_schema(db);
    });
  }

  status migrate(int target) override {
    return guarded<done>([&] {
      const std::lock_guard hold{common_->write};
      auto& db = writable();
      common_->ledger.reset();  // its statements are of the schema that goes
      if (common_->log) common_->log->close();
      common_->log.reset();
      change_schema(db, target);
      return done{};
    });
  }

  result<verify_report> verify() override {
    return guarded<verify_report>([&] {
      connection db{common_->file, access::read, false};
      require_schema(db);
      return verify_ledger(db);
    });
  }

 private:
  connection& writable() {
    if (common_->read_only) throw failure{errc::invalid, "the store is open for reading only"};
    return *common_->db;
  }

  result<node_grant> register_node(const node_registration& node);

  status for_each(std::span<const entity_id> entities, std::string_view sql) {
    if (entities.size() > read_keys_max) return error{errc::invalid, "too many entities in a call"};
    return guarded<done>([&] {
      const std::lock_guard hold{common_->write};
      transaction change{writable(), access::write};
      statement each{common_->db->handle(), sql};
      for (const auto& entity : entities) {
        const entity_key key{entity};
        each.exec(std::string_view{key});
      }
      change.commit();
      return done{};
    });
  }

  std::shared_ptr<shared> common_;
};

result<node_grant> embedded_store::register_node(const node_registration& node) {
  const std::lock_guard hold{common_->write};
  auto& db = writable();
  require_schema(db);
  transaction change{db, access::write};
  node_grant grant{uuid::v4(), 0, 0, common_->now()};
  {
    statement read{db.handle(), "SELECT shards,epoch,incarnation FROM store"};
    if (!read.run().step()) return error{errc::corrupt, "the store's own row is missing"};
    const auto shards = read.integer(0);
    if (shards != 0 && shards != node.shards)
      return error{errc::incompatible, "the store was created with " + std::to_string(shards) +
                                           " shards, not " + std::to_string(node.shards) +
                                           ": set cluster.shards"};
    grant.epoch = read.number(1) + 1;
    grant.incarnation = read.number(2) + 1;
  }
  // The lock on the folder proves that every earlier incarnation is gone. One that closed its fence
  // rows left in order; one that did not has died, perhaps of an entity: the node is told, and
  // counts the attempts to bring each back (rule D3).
  statement died{db.handle(), "SELECT 1 FROM fence WHERE open=1 LIMIT 1"};
  if (died.run().step()) {
    died.reset();
    grant.predecessor_died = true;
    statement{db.handle(), "UPDATE fence SET open=0 WHERE open=1"}.exec();
  }
  died.reset();
  statement{db.handle(), "UPDATE store SET shards=?,epoch=?,incarnation=?"}.exec(
      node.shards, grant.epoch, grant.incarnation);
  statement{db.handle(),
            "INSERT INTO node(incarnation,id,name,address,roles,joined_at) VALUES(?,?,?,?,?,?)"}
      .exec(grant.incarnation, grant.node, words{node.name}, words{node.address}, words{node.roles},
            grant.store_time);
  statement open{db.handle(), "INSERT INTO fence(incarnation,writer,open) VALUES(?,?,1)"};
  for (std::uint32_t i = 0; i < node.writers; ++i) open.exec(grant.incarnation, i);
  change.commit();
  return grant;
}

/// A path with an extension, or of a file that is there, is the file; anything else is the data
/// folder.
std::filesystem::path database_file(std::string_view path) {
  const std::filesystem::path given{path};
  std::error_code ignored;
  if (std::filesystem::is_directory(given, ignored)) return given / "baraza.db";
  if (given.has_extension() || std::filesystem::exists(given, ignored)) return given;
  return given / "baraza.db";
}

}  // namespace

result<std::unique_ptr<store>> open(std::string_view path, const open_options& options) {
  namespace fs = std::filesystem;
  return guarded<std::unique_ptr<store>>([&]() -> result<std::unique_ptr<store>> {
    auto common = std::make_shared<shared>();
    const auto file = database_file(path);
    common->file = file.string();
    common->read_only = options.read_only;
    if (options.merge_at_bytes != 0) common->merge_at_bytes = options.merge_at_bytes;
    std::error_code why;
    if (options.read_only) {
      if (!fs::exists(file, why))
        return error{errc::not_found, "there is no store at " + common->file};
      connection probe{common->file, access::read, false};
      read_schema(probe);
    } else {
      if (file.has_parent_path() && !fs::exists(file.parent_path(), why)) {
        fs::create_directories(file.parent_path(), why);
        if (why)
          return error{errc::unavailable,
                       "cannot create " + file.parent_path().string() + ": " + why.message()};
        fs::permissions(file.parent_path(), fs::perms::owner_all, why);
      }
      common->lock = std::make_unique<file_lock>(common->file + ".lock");
      common->db.emplace(common->file, access::write, true);
    }
    return std::unique_ptr<store>{std::make_unique<embedded_store>(std::move(common))};
  });
}

}  // namespace baraza::storage::embedded
