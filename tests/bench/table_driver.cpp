#include "tests/bench/table_driver.hpp"

#include <caf/actor_system.hpp>
#include <caf/send.hpp>

namespace baraza::tests {
namespace {

using namespace actors;

const std::string seed = "luck";
constexpr std::array<std::uint8_t, 16> salt{};
const std::string draw_a_card =
    "\x81\xA2"
    "do\xA4"
    "draw";
const std::string best_of_seven =
    "\x81\xA7"
    "best_of\x07";

request of_step(const scripted_match& m) {
  const auto hash =
      fair::client_commitment(seed, {reinterpret_cast<const char*>(salt.data()), salt.size()});
  const auto& who = m.step % 2 == 1 ? m.one : m.two;
  switch (m.step) {
    case 0:
      return table_create{
          "draw", best_of_seven, 1, storage::currency::demo, {{m.one, "A"}, {m.two, "B"}}};
    case 1:
    case 2:
      return table_ready{who, hash};
    case 3:
    case 4:
      return table_open{who, seed, salt};
    default:
      return table_act{who, (m.step - 3) / 2, draw_a_card};
  }
}

class table_driver final : public caf::event_based_actor {
 public:
  table_driver(caf::actor_config& config, std::shared_ptr<cluster::node_services> node,
               std::vector<scripted_match>& matches, table_script how, table_tally& tally)
      : caf::event_based_actor{config},
        node_{std::move(node)},
        matches_{matches},
        how_{how},
        tally_{tally} {}

 private:
  caf::behavior make_behavior() override {
    for (std::size_t i = 0; i < matches_.size(); ++i) waiting_.push_back(i);
    for (std::size_t i = 0; i < how_.window; ++i) next();
    return {[this](cluster::edge_answer& m) { got(m); },
            [this](cluster::edge_push& m) { got(*m.what); }};
  }

  void next() {
    if (waiting_.empty()) return;
    const auto index = waiting_.front();
    waiting_.pop_front();
    auto& m = matches_[index];
    auto what = std::make_shared<cluster::envelope>();
    what->to = {entity_kind::table, m.match};
    what->from = {1, index + 1, m.step + 1, std::nullopt};
    what->what = how_.watch_only ? table_watch{m.one, 0, 0} : of_step(m);
    caf::anon_send(node_->region.get(), cluster::deliver{std::move(what)});
  }

  void got(cluster::edge_answer& m) {
    auto& match = matches_.at(m.session - 1);
    if (m.request != match.step + 1) return;
    if (how_.watch_only) return finish(std::holds_alternative<refused>(m.what));
    const auto* no = std::get_if<refused>(&m.what);
    if (no != nullptr && no->code == "match_over") return finish(false);
    if (no != nullptr && no->code != "not_started") return finish(true);
    step(m.session - 1, no == nullptr);  // not started: the stakes are on their way
  }

  void got(const push& what) {
    const auto* events = std::get_if<table_events>(&what);
    if (events == nullptr || events->causes.empty()) return;
    const auto& cause = events->causes.front();  // a match asks for one thing at a time
    auto& match = matches_.at(cause.session - 1);
    match.seq = events->seq;
    if (events->ended) return finish(false);
    if (cause.request == match.step + 1) step(cause.session - 1, true);
  }

  void step(std::size_t index, bool done) {
    auto& match = matches_[index];
    match.step += done;
    if (match.step >= how_.last_step) return finish(false);
    waiting_.push_back(index);
    next();
  }

  void finish(bool refused) {
    {
      const std::lock_guard lock{tally_.mutex};
      ++tally_.finished;
      tally_.refused += refused;
    }
    tally_.changed.notify_all();
    next();
  }

  std::shared_ptr<cluster::node_services> node_;
  std::vector<scripted_match>& matches_;
  const table_script how_;
  table_tally& tally_;
  std::deque<std::size_t> waiting_;
};

}  // namespace

caf::actor spawn_table_driver(caf::actor_system& system,
                              std::shared_ptr<cluster::node_services> node,
                              std::vector<scripted_match>& matches, table_script how,
                              table_tally& tally) {
  return system.spawn<table_driver>(std::move(node), matches, how, tally);
}

}  // namespace baraza::tests
