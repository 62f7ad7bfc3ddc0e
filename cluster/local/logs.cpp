#include "cluster/local/logs.hpp"

#include <algorithm>
#include <fstream>
#include <iterator>
#include <ostream>
#include <sstream>
#include <thread>

#include "cluster/local/failure.hpp"
#include "cluster/local/limits.hpp"
#include "cluster/local/process.hpp"

namespace baraza::cluster::local {
namespace {

namespace fs = std::filesystem;

struct followed {
  std::string name;
  fs::path file;
  std::uintmax_t at = 0;  // what has been read
  std::string begun;      // a line without its end yet
};

fs::path file_of(const fs::path& folder, const std::string& name) {
  if (name == "store") return folder / "postgres" / "postgres.log";
  if (name == "keeper") return folder / "keeper.log";
  return folder / name / "log";
}

std::vector<std::string> all_nodes(const fs::path& folder) {
  std::vector<std::string> found;
  std::error_code ignored;
  for (const auto& entry : fs::directory_iterator{folder, ignored})
    if (fs::exists(entry.path() / "baraza.toml", ignored)) found.push_back(entry.path().filename());
  std::sort(found.begin(), found.end());
  return found;
}

void write_lines(const std::string& text, const std::string& prefix, std::ostream& to) {
  std::istringstream in{text};
  for (std::string line; std::getline(in, line);) to << prefix << line << '\n';
}

/// What has been written since; whole lines only.
std::string news(followed& of) {
  std::error_code why;
  const auto size = fs::file_size(of.file, why);
  if (why || size <= of.at) return {};
  std::ifstream in{of.file, std::ios::binary};
  in.seekg(static_cast<std::streamoff>(of.at));
  std::string text(static_cast<std::size_t>(size - of.at), '\0');
  in.read(text.data(), static_cast<std::streamsize>(text.size()));
  text.resize(static_cast<std::size_t>(in.gcount()));
  of.at += text.size();
  text = of.begun + text;
  const auto end = text.rfind('\n') == std::string::npos ? 0 : text.rfind('\n') + 1;
  of.begun = text.substr(end);
  return text.substr(0, end);
}

}  // namespace

void show_logs(const fs::path& folder, const std::vector<std::string>& names, std::size_t lines,
               bool follow, std::ostream& to) {
  if (!fs::exists(folder / "baraza-cluster"))
    throw failure{"no cluster is up in " + folder.string() + " (`baraza cluster up` starts one)"};
  std::vector<followed> all;
  for (const auto& each : names.empty() ? all_nodes(folder) : names) {
    const auto file = file_of(folder, each);
    if (!fs::exists(file)) throw wrong_usage("there is no log of " + each);
    all.push_back({each, file, fs::file_size(file), {}});
  }
  const auto prefix = [&](const followed& of) {
    return all.size() > 1 ? of.name + "  " : std::string{};
  };
  for (const auto& each : all) write_lines(tail(each.file, lines), prefix(each), to);
  to.flush();
  while (follow && fs::exists(folder / "baraza-cluster")) {
    for (auto& each : all) write_lines(news(each), prefix(each), to);
    to.flush();
    if (!to) return;
    std::this_thread::sleep_for(10 * poll_every);
  }
}

}  // namespace baraza::cluster::local
