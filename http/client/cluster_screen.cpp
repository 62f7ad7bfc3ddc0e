#include "http/client/cluster_screen.hpp"

#include <algorithm>
#include <array>
#include <cstdint>
#include <ctime>
#include <vector>

#include "http/client/fields.hpp"

namespace baraza::client {
namespace {

using fields::find;

std::string text_of(std::string_view map, std::string_view name) {
  return std::string{fields::text(find(map, name))};
}
std::uint64_t number_of(std::string_view map, std::string_view name) {
  return fields::number(find(map, name));
}

/// Exactly `width` columns: filled with blanks, or cut, with a mark at the cut.
std::string cell(std::string text, std::size_t width, bool to_the_right = false) {
  if (text.size() > width) return text.substr(0, width - 1) + "~";
  const std::string blanks(width - text.size(), ' ');
  return to_the_right ? blanks + text : text + blanks;
}

std::string line(std::string text) {
  while (text.ends_with(' ')) text.pop_back();
  if (text.size() > screen_columns) text = text.substr(0, screen_columns - 1) + "~";
  return text + '\n';
}

/// "850us", "12ms", "3s": of a bound of a bucket, so no more digits than it has meaning.
std::string duration(std::uint64_t us) {
  if (us == 0) return "-";
  if (us < 1000) return std::to_string(us) + "us";
  if (us < 1'000'000) return std::to_string(us / 1000) + "ms";
  return std::to_string(us / 1'000'000) + "s";
}

struct column {
  const char* title;
  std::size_t width;
  bool to_the_right;
};
constexpr std::array<column, 10> columns{{{"node", 13, false},
                                          {"status", 8, false},
                                          {"roles", 9, false},
                                          {"zone", 5, false},
                                          {"vers", 5, false},
                                          {"shards", 6, true},
                                          {"players", 7, true},
                                          {"tables", 6, true},
                                          {"msg/s", 6, true},
                                          {"commit", 6, true}}};
constexpr std::size_t table_width = [] {
  std::size_t out = columns.size() - 1;
  for (const auto& each : columns) out += each.width;
  return out;
}();
static_assert(table_width <= screen_columns);

std::string row(const std::array<std::string, columns.size()>& cells) {
  std::string out;
  for (std::size_t i = 0; i < columns.size(); ++i)
    out += (i == 0 ? "" : " ") + cell(cells[i], columns[i].width, columns[i].to_the_right);
  return line(out);
}

std::string member_row(std::string_view m) {
  const auto load = find(m, "load");
  const bool is_known = !fields::text(find(m, "name")).empty() && !find(load, "tables").empty();
  const auto count = [&](std::string_view name) {
    return is_known ? std::to_string(number_of(load, name)) : std::string{"?"};
  };
  const bool is_suspended = fields::flag(find(load, "suspended"));
  return row(
      {text_of(m, "name"), is_suspended ? "suspend!" : text_of(m, "status"), text_of(m, "roles"),
       text_of(m, "zone"), text_of(m, "version"), std::to_string(number_of(m, "shards")),
       count("sessions"), count("tables"),
       is_known ? std::to_string(number_of(load, "sent_per_s") + number_of(load, "received_per_s"))
                : "?",
       is_known ? duration(number_of(load, "commit_us_p99")) : "?"});
}

std::string clock_of(std::int64_t at_ms) {
  const auto seconds = static_cast<std::time_t>(at_ms / 1000);
  std::tm day{};
  ::gmtime_r(&seconds, &day);
  char out[16];
  std::strftime(out, sizeof out, "%H:%M:%S", &day);
  return out;
}

std::string totals(std::string_view cluster) {
  std::uint64_t players = 0, tables = 0, sent = 0, commits = 0;
  fields::elements(find(cluster, "members"), [&](std::string_view m) {
    const auto load = find(m, "load");
    players += number_of(load, "sessions");
    tables += number_of(load, "tables");
    sent += number_of(load, "sent_per_s");
    commits += number_of(load, "commits_per_s");
  });
  return line(std::to_string(players) + " players, " + std::to_string(tables) + " tables, " +
              std::to_string(sent) + " messages/s between nodes, " + std::to_string(commits) +
              " commits/s");
}

std::string broken_links(std::string_view cluster) {
  std::string out;
  fields::elements(find(cluster, "links"), [&](std::string_view link) {
    const bool to = fields::flag(find(link, "out")), from = fields::flag(find(link, "in"));
    if (to && from) return;
    out += line("link " + text_of(cluster, "self") +
                (to     ? " <- "
                 : from ? " -> "
                        : " <-> ") +
                text_of(link, "name") + " is down: " + text_of(link, "error"));
  });
  return out;
}

std::string last_events(std::string_view cluster, std::size_t most) {
  std::vector<std::string> all;
  fields::elements(find(cluster, "events"), [&](std::string_view event) {
    all.push_back(line(clock_of(fields::signed_number(find(event, "at"))) + "  " +
                       text_of(event, "event") + "  " + text_of(event, "detail")));
  });
  std::string out;
  for (auto i = all.size() - std::min(most, all.size()); i < all.size(); ++i) out += all[i];
  return out.empty() ? out : line("last events on " + text_of(cluster, "self") + " (UTC)") + out;
}

}  // namespace

std::string node_table(std::string_view cluster) {
  std::array<std::string, columns.size()> titles;
  for (std::size_t i = 0; i < columns.size(); ++i) titles[i] = columns[i].title;
  std::string out = row(titles);
  fields::elements(find(cluster, "members"), [&](std::string_view m) { out += member_row(m); });
  return out;
}

std::string cluster_screen(std::string_view cluster, std::size_t events_max) {
  if (fields::flag(find(cluster, "alone"))) {
    const auto load = find(cluster, "load");
    return line("a node alone: " + std::to_string(number_of(load, "sessions")) + " players, " +
                std::to_string(number_of(load, "tables")) + " tables");
  }
  const auto coordinator = text_of(cluster, "coordinator");
  std::string out =
      line("view " + std::to_string(number_of(cluster, "view")) + ", level " +
           std::to_string(number_of(cluster, "level")) + ", " +
           std::to_string(number_of(cluster, "shards")) + " shards (" +
           std::to_string(number_of(cluster, "free")) + " free), coordinator " +
           (coordinator.empty() ? "none" : coordinator) + ", told by " + text_of(cluster, "self"));
  if (fields::flag(find(cluster, "suspended")))
    out += line("this node is past its lease: what it shows may be old");
  out += '\n' + node_table(cluster) + totals(cluster) + broken_links(cluster);
  if (const auto events = last_events(cluster, events_max); !events.empty()) out += '\n' + events;
  return out;
}

std::string shard_table(std::string_view shards) {
  std::string out = line("view " + std::to_string(number_of(shards, "view")) + ", " +
                         std::to_string(number_of(shards, "shards")) + " shards");
  constexpr std::size_t indent = 21;
  fields::elements(find(shards, "owners"), [&](std::string_view owner) {
    auto rest = text_of(owner, "shards");
    auto head = cell(text_of(owner, "name"), 13) + ' ' +
                cell(std::to_string(number_of(owner, "count")), 5, true) + "  ";
    do {
      auto cut = rest.size();
      if (cut > screen_columns - indent) cut = rest.rfind(',', screen_columns - indent - 1) + 1;
      out += line(head + rest.substr(0, cut));
      rest.erase(0, cut);
      head = std::string(indent, ' ');
    } while (!rest.empty());
  });
  fields::elements(find(shards, "free"), [&](std::string_view row) {
    const auto next = text_of(row, "next");
    out += line("shard " + std::to_string(number_of(row, "shard")) + " is free" +
                (next.empty() ? "" : ", on its way to " + next));
  });
  return out;
}

}  // namespace baraza::client
