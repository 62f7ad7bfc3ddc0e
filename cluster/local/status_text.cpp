#include "cluster/local/status_text.hpp"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <sstream>

namespace baraza::cluster::local {
namespace {

/// The words of one line; what is missing reads as empty.
class words {
 public:
  explicit words(const std::string& line) {
    std::istringstream in{line};
    for (std::string each; std::getline(in, each, '\t');) all_.push_back(each);
  }
  std::string next() { return at_ < all_.size() ? all_[at_++] : std::string{}; }

 private:
  std::vector<std::string> all_;
  std::size_t at_ = 0;
};

std::string json(const std::string& text) {
  std::string out = "\"";
  for (const char c : text) {
    if (static_cast<unsigned char>(c) < 0x20) {
      char code[8];
      std::snprintf(code, sizeof code, "\\u%04x", static_cast<unsigned>(c));
      out += code;
      continue;
    }
    if (c == '"' || c == '\\') out += '\\';
    out += c;
  }
  return out + '"';
}

/// `text` and blanks up to `width` columns, and one more.
std::string cell(const std::string& text, std::size_t width) {
  return text + std::string(width > text.size() ? width - text.size() : 0, ' ') + ' ';
}

}  // namespace

std::string to_lines(const cluster_status& s) {
  std::ostringstream out;
  out << "folder\t" << s.folder << "\nstore\t" << s.store_url << '\t' << s.store_state
      << "\nparted_by\t" << s.parted_by << '\n';
  for (const auto& each : s.cuts) out << "cut\t" << each << '\n';
  for (const auto& m : s.members)
    out << "member\t" << m.name << '\t' << m.roles << '\t' << m.state << '\t' << m.pid << '\t'
        << m.starts << '\t' << m.admin_url << '\t' << m.link << '\t' << m.http_url << '\t'
        << m.play_url << '\n';
  if (!s.view.empty()) out << "view\n" << s.view;  // the rest, line breaks and all
  return out.str();
}

cluster_status from_lines(const std::string& lines) {
  cluster_status s;
  std::istringstream in{lines};
  for (std::string line; std::getline(in, line);) {
    words each{line};
    const auto what = each.next();
    if (what == "folder") s.folder = each.next();
    if (what == "store") {
      s.store_url = each.next();
      s.store_state = each.next();
    }
    if (what == "parted_by") s.parted_by = each.next();
    if (what == "cut") s.cuts.push_back(each.next());
    if (what == "member") {
      auto& m = s.members.emplace_back();
      m.name = each.next();
      m.roles = each.next();
      m.state = each.next();
      m.pid = std::atoi(each.next().c_str());
      m.starts = std::atoi(each.next().c_str());
      m.admin_url = each.next();
      m.link = each.next();
      m.http_url = each.next();
      m.play_url = each.next();
    }
    if (what == "view") {
      s.view.assign(std::istreambuf_iterator<char>{in}, {});
      break;
    }
  }
  return s;
}

std::string to_table(const cluster_status& s) {
  std::size_t name = 4, roles = 5, state = 5, admin = 5;
  for (const auto& m : s.members) {
    name = std::max(name, m.name.size());
    roles = std::max(roles, m.roles.size());
    state = std::max(state, m.state.size());
    admin = std::max(admin, m.admin_url.size());
  }
  std::ostringstream out;
  out << "folder      " << s.folder << "\nstore       " << s.store_url << "  " << s.store_state
      << "\npartitions  by " << s.parted_by << (s.cuts.empty() ? ": none" : "") << '\n';
  for (const auto& each : s.cuts) out << "            " << each << '\n';
  out << '\n'
      << cell("node", name) << cell("roles", roles) << cell("state", state) << cell("pid", 7)
      << cell("admin", admin) << "players\n";
  for (const auto& m : s.members)
    out << cell(m.name, name) << cell(m.roles, roles) << cell(m.state, state)
        << cell(std::to_string(m.pid), 7) << cell(m.admin_url, admin) << m.play_url << '\n';
  return out.str();
}

std::string to_json(const cluster_status& s) {
  std::ostringstream out;
  out << "{\"folder\":" << json(s.folder) << ",\"store\":" << json(s.store_url)
      << ",\"store_state\":" << json(s.store_state) << ",\"parted_by\":" << json(s.parted_by)
      << ",\"cuts\":[";
  for (std::size_t i = 0; i < s.cuts.size(); ++i) out << (i > 0 ? "," : "") << json(s.cuts[i]);
  out << "],\"nodes\":[";
  for (std::size_t i = 0; i < s.members.size(); ++i) {
    const auto& m = s.members[i];
    out << (i > 0 ? "," : "") << "{\"name\":" << json(m.name) << ",\"roles\":" << json(m.roles)
        << ",\"state\":" << json(m.state) << ",\"pid\":" << m.pid << ",\"starts\":" << m.starts
        << ",\"admin\":" << json(m.admin_url) << ",\"link\":" << json(m.link)
        << ",\"http\":" << json(m.http_url) << ",\"play\":" << json(m.play_url) << '}';
  }
  out << ']';
  // As the node said it, which is JSON; without line breaks, as the last line is for scripts.
  if (!s.view.empty()) {
    auto view = s.view;
    std::erase(view, '\n');
    out << ",\"view\":" << view;
  }
  out << '}';
  return out.str();
}

}  // namespace baraza::cluster::local
