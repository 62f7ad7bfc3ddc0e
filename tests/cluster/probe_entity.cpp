#include "tests/cluster/probe_entity.hpp"

#include <signal.h>
#include <unistd.h>

#include <caf/actor_system.hpp>
#include <caf/event_based_actor.hpp>
#include <caf/send.hpp>
#include <thread>

#include "actors/games/game.hpp"

namespace baraza::testing {
namespace {

class probe final : public actors::entity {
 public:
  explicit probe(const entity_id& id) : id_{id} {}
  void restore(std::string_view) override { throw games::cannot_fold{"probes write no snapshots"}; }
  void fold(std::uint64_t, millis, std::string_view event) override {
    if (probe_folds) probe_folds(id_);
    if (event == "poison") throw games::cannot_fold{"poison"};
    if (event.starts_with("add") || event == "join") ++count_;
    if (event == "fuse") is_lit_ = true;
    if (event.starts_with("wake")) wake_at_ = std::stoll(std::string{event.substr(5)});
  }
  void recall(const std::vector<actors::poison>& known, bool just_now) override {
    poisons_ = known;
    just_now_ = just_now;
  }
  void activated(actors::context& ctx, bool) override {
    if (is_lit_) ctx.set_timer(ctx.now());
    if (wake_at_ != 0) ctx.set_timer(wake_at_);
  }
  void handle(const actors::request& what, const actors::reply_to& from,
              actors::context& ctx) override {
    const auto* act = std::get_if<actors::table_act>(&what);
    if (act == nullptr) return;
    const auto& command = act->action;
    if (command == "get")
      return ctx.reply(
          from, actors::table_view{ctx.epoch(), ctx.head(), 0, false, std::to_string(count_)});
    if (command == "known")
      return ctx.reply(from, actors::table_view{ctx.epoch(), ctx.head(), just_now_, false,
                                                std::to_string(poisons_.size())});
    if (command == "ask_twice") {
      from_ = from;
      reads_answered_ = 0;
      ctx.read_balances(
          {storage::system_account(storage::account_kind::rake, storage::currency::demo, 0)}, 7);
      ctx.read_balances({}, 7);
      is_asking_ = true;
      return ctx.set_timer(ctx.now() + 300);
    }
    if (command == "venom") throw actors::poisoned{{0, act->command}, "as told"};
    if (command == "die late") {
      std::this_thread::sleep_for(std::chrono::milliseconds{300});  // as a long calculation would
      ::raise(SIGSEGV);
    }
    if (command == "throw") throw std::runtime_error{"as told"};
    from_ = from;
    actors::change change;
    if (command.starts_with("wake ")) {
      wake_at_ = ctx.now() + std::stoll(command.substr(5));
      change.events = {"wake " + std::to_string(wake_at_)};
      change.wake = storage::commit::wake_change::set;
      change.wake_at = wake_at_;
      ctx.set_timer(wake_at_);
    } else {
      change.events = {command};
      change.is_progress = command != "life";
    }
    if (command == "slow") {
      ++probes_busy;
      std::this_thread::sleep_for(std::chrono::milliseconds{300});  // as a long calculation would
      --probes_busy;
    }
    if (command == "snap") change.snapshot = "that no version reads";
    if (command == "fuse") is_lit_ = true, ctx.set_timer(ctx.now());
    if (command == "twice") {
      const auto id = uuid::v7(ctx.now());
      const auto money = storage::currency::demo;
      const auto from_bonus = storage::system_account(storage::account_kind::bonus, money, 0);
      const auto to_rake = storage::system_account(storage::account_kind::rake, money, 0);
      for (int i = 0; i < 2; ++i)
        change.transfers.push_back(
            {id, from_bonus, to_rake, 1, money, storage::transfer_kind::grant, id});
    }
    pending_ = change.events.front();
    ctx.commit(std::move(change));
  }
  std::optional<actors::change> join(const actors::request& what, const actors::reply_to& from,
                                     actors::context&) override {
    const auto* act = std::get_if<actors::table_act>(&what);
    if (act == nullptr || pending_ != "join") return std::nullopt;
    if (act->action == "venom") throw actors::poisoned{{0, act->command}, "as told"};
    if (act->action != "join") return std::nullopt;
    joined_.push_back(from);
    ++probe_joins;
    actors::change more;
    more.events = {"join"};
    return more;
  }
  void committed(const storage::member_result& result, actors::context& ctx) override {
    if (result.code != storage::errc::none)
      return ctx.reply(from_, actors::refused{std::string{storage::to_string(result.code)}, {}, 0});
    if (pending_ == "crash_after_commit")
      throw std::runtime_error{"after the commit, before the answer"};
    if (pending_.starts_with("add") || pending_ == "join") ++count_;
    ctx.reply(from_, actors::accepted{ctx.head() - joined_.size()});
    count_ += joined_.size();
    for (std::size_t i = 0; i < joined_.size(); ++i)
      ctx.reply(joined_[i], actors::accepted{ctx.head() - joined_.size() + i + 1});
    joined_.clear();
  }
  void balances_read(std::uint64_t, const std::vector<storage::balance>& rows,
                     actors::context&) override {
    ++reads_answered_;
    rows_ = rows.size();
  }
  void answered(std::uint64_t, const actors::answer&, actors::context&) override {}
  void timer(actors::context& ctx) override {
    if (is_lit_) throw std::runtime_error{"the fuse"};
    if (std::exchange(is_asking_, false))
      return ctx.reply(from_,
                       actors::table_view{0, rows_, 0, false, std::to_string(reads_answered_)});
    wake_at_ = 0;
    from_ = {};
    actors::change change;
    change.events = {"add by clock"};
    change.wake = storage::commit::wake_change::clear;
    pending_ = change.events.front();
    ctx.commit(std::move(change));
  }

 private:
  const entity_id id_;
  std::uint64_t count_ = 0;
  millis wake_at_ = 0;
  bool is_lit_ = false, just_now_ = false, is_asking_ = false;
  std::uint64_t reads_answered_ = 0, rows_ = 0;
  std::vector<actors::poison> poisons_;
  std::string pending_;
  actors::reply_to from_;
  std::vector<actors::reply_to> joined_;
};

caf::behavior gateway(caf::event_based_actor*, const std::shared_ptr<probe_edge>& edge) {
  return {
      [edge](cluster::edge_answer& m) { edge->got(m.request, std::move(m.what)); },
      [edge](cluster::edge_push& m) {
        if (std::holds_alternative<actors::table_restarted>(*m.what)) ++edge->restarts;
      },
  };
}

}  // namespace

std::unique_ptr<actors::entity> make_probe(const entity_id& id) {
  return std::make_unique<probe>(id);
}

temporary_folder::temporary_folder() {
  auto pattern = (std::filesystem::temp_directory_path() / "baraza-test-XXXXXX").string();
  path = ::mkdtemp(pattern.data());
}
temporary_folder::~temporary_folder() { std::filesystem::remove_all(path); }

std::uint64_t probe_edge::send(cluster::node& node, const entity_id& to,
                               const std::string& command) {
  std::uint64_t request;
  {
    const std::lock_guard lock{mutex_};
    request = ++last_;
  }
  auto what = std::make_shared<cluster::envelope>();
  what->to = to;
  what->from = {1, 1, request, std::nullopt};
  what->what = actors::table_act{{}, request, command};
  caf::anon_send(node.services()->region.get(), cluster::deliver{std::move(what)});
  return request;
}

void probe_edge::got(std::uint64_t request, actors::answer what) {
  const std::lock_guard lock{mutex_};
  answers_.emplace(request, std::move(what));
  arrived_.notify_all();
}

actors::answer probe_edge::wait(std::uint64_t request, std::chrono::milliseconds limit) {
  std::unique_lock lock{mutex_};
  if (!arrived_.wait_for(lock, limit, [&] { return answers_.contains(request); }))
    return actors::refused{"no_answer", {}, 0};
  return answers_.at(request);
}

actors::answer probe_edge::ask(cluster::node& node, const entity_id& to,
                               const std::string& command) {
  return wait(send(node, to, command));
}

probe_node::probe_node(const std::string& url, millis passivate_after,
                       std::chrono::milliseconds restart_backoff, std::size_t gate_waiting_max) {
  auto opened = storage::open(url);
  if (!opened) throw std::runtime_error{opened.why().message};
  store = make_faulty(std::move(*opened), faults);
  if (auto ready = cluster::prepare(*store); !ready) throw std::runtime_error{ready.why().message};
  cluster::node_options options;
  options.shards = 16;
  options.scheduler_threads = 2;
  options.passivate_after = passivate_after;
  options.restart_backoff = restart_backoff;
  options.gate_waiting_max = gate_waiting_max;
  options.stop_node = [this](std::string_view) { ++stops; };
  options.log = [](cluster::severity, std::string_view, std::string_view, std::string_view) {};
  auto started = cluster::node::start(*store, options, [](const storage::node_grant&) {
    cluster::entity_factory factory;
    factory.make = make_probe;
    factory.escrows_of = [](const entity_id&, const std::vector<storage::journal_event>&) {
      return std::vector<storage::account_id>{};
    };
    factory.plan_void = [](const entity_id&, const std::vector<storage::journal_event>& events,
                           const std::vector<storage::transfer>&, std::string_view,
                           millis) -> std::optional<actors::void_plan> {
      if (events.back().payload == "voided") return std::nullopt;
      actors::void_plan plan;
      plan.what.events = {"voided"};
      plan.what.wake = storage::commit::wake_change::clear;
      return plan;
    };
    return factory;
  });
  if (!started) throw std::runtime_error{started.why().message};
  node = std::move(*started);
  node->attach_edge(1, node->system().spawn(gateway, edge));
}

probe_node::~probe_node() { node.reset(); }

bool probe_node::eventually(const std::function<bool()>& expected) {
  const auto until = std::chrono::steady_clock::now() + std::chrono::seconds{10};
  while (!expected()) {
    if (std::chrono::steady_clock::now() > until) return false;
    std::this_thread::sleep_for(
        std::chrono::milliseconds{2});  // polls: a condition with a deadline
  }
  return true;
}

std::uint64_t probe_node::count(const entity_id& who) {
  const auto answer = edge->ask(*node, who, "get");
  const auto* view = std::get_if<actors::table_view>(&answer);
  return view == nullptr ? UINT64_MAX : std::stoull(view->body);
}

}  // namespace baraza::testing
