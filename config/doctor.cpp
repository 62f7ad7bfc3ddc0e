#include "config/doctor.hpp"

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <memory>
#include <system_error>

#include "config/commands.hpp"
#include "config/load.hpp"
#include "config/values.hpp"

namespace baraza::config {
namespace {

using grade = finding::grade;

constexpr std::uint64_t mib = 1024 * 1024;
constexpr std::uint64_t disk_free_min =
    100 * mib;  // less: a busy day fills it before anybody looks
constexpr std::uint64_t disk_free_wanted = 1024 * mib;
constexpr std::int64_t sync_p99_wanted_us = 30000;  // a player waits for one sync at least
constexpr std::uint64_t descriptors_spare = 256;    // files, database, admin, logs
constexpr std::uint64_t session_bytes = 12 * 1024;  // what an idle session may cost
constexpr std::uint64_t process_bytes = 256 * mib;  // the rest of a small node
constexpr int backlog_wanted = 1024;
constexpr std::int64_t now_least_s = 1704067200;  // 2024-01-01: older than this program

std::string number(double v, const char* unit) {
  std::array<char, 40> buffer{};
  std::snprintf(buffer.data(), buffer.size(), "%.*f %s", v < 10 ? 2 : 0, v, unit);
  return buffer.data();
}
std::string milliseconds(std::int64_t us) { return number(double(us) / 1000, "ms"); }
std::string mebibytes(std::uint64_t bytes) { return number(double(bytes) / double(mib), "MiB"); }

class verdicts {
 public:
  void add(grade how, std::string check, std::string what, std::string remedy = "") {
    all_.push_back({how, std::move(check), std::move(what), std::move(remedy)});
  }
  std::vector<finding> take() { return std::move(all_); }

 private:
  std::vector<finding> all_;
};

void judge_disk(const machine_facts& m, verdicts& v) {
  const auto& d = m.disk;
  if (!d.error.empty()) {
    v.add(grade::fail, "data", "nothing can be written in " + d.folder + ": " + d.error,
          "choose another folder with --data, or give this user the right to write there");
    return;
  }
  v.add(grade::ok, "data",
        d.folder +
            (d.is_data_dir ? " is writable" : " is writable; the data folder will be made in it"));
  if (d.free_bytes < disk_free_wanted)
    v.add(d.free_bytes < disk_free_min ? grade::fail : grade::warn, "space",
          mebibytes(d.free_bytes) + " are free in " + d.folder,
          "free some: a full disk refuses every bet until there is space again");
  else
    v.add(grade::ok, "space", mebibytes(d.free_bytes) + " are free");
  const auto times = "p50 " + milliseconds(d.sync_p50_us) + ", p99 " + milliseconds(d.sync_p99_us) +
                     " over " + std::to_string(d.syncs) + " syncs";
  if (d.filesystem == "tmpfs")
    v.add(grade::warn, "fsync", d.folder + " is in memory: nothing in it survives a power cut",
          "choose a folder on a disk with --data");
  else if (d.filesystem == "nfs")
    v.add(grade::fail, "fsync",
          d.folder + " is on a network file system, whose locks SQLite cannot trust",
          "choose a folder on a local disk with --data, or PostgreSQL with --store");
  else if (d.sync_p99_us > sync_p99_wanted_us)
    v.add(grade::warn, "fsync", times, "a slow disk: every acknowledged move waits for a sync");
  else
    v.add(grade::ok, "fsync", times);
}

void judge_limits(const machine_facts& m, const settings& s, verdicts& v) {
  const auto wanted = static_cast<std::uint64_t>(s.http.sessions_total) + descriptors_spare;
  const auto have = std::to_string(m.descriptors_soft) + " file descriptors";
  if (m.descriptors_soft >= wanted)
    v.add(grade::ok, "descriptors", have);
  else
    v.add(m.descriptors_hard < 2 * descriptors_spare ? grade::fail : grade::warn, "descriptors",
          have + " (hard limit " + std::to_string(m.descriptors_hard) +
              "), but http.sessions_total " + std::to_string(s.http.sessions_total) + " wants " +
              std::to_string(wanted),
          m.descriptors_hard >= wanted
              ? "ulimit -n " + std::to_string(wanted) + ", or LimitNOFILE= in the service"
              : "raise the hard limit (/etc/security/limits.conf or LimitNOFILE=), or lower "
                "http.sessions_total");
  if (m.memory_available_bytes) {
    const auto needed =
        process_bytes +
        static_cast<std::uint64_t>(s.auth.threads * s.auth.argon2_memory_kib) * 1024 +
        static_cast<std::uint64_t>(s.http.sessions_total) * session_bytes;
    const auto what = mebibytes(*m.memory_available_bytes) + " of memory are available";
    if (*m.memory_available_bytes < needed)
      v.add(grade::warn, "memory",
            what + "; all sessions and logins at once would take " + mebibytes(needed),
            "lower http.sessions_total, auth.threads or auth.argon2_memory_kib, or add memory");
    else
      v.add(grade::ok, "memory", what);
  }
  if (m.listen_backlog_max) {
    const auto what = "net.core.somaxconn is " + std::to_string(*m.listen_backlog_max);
    if (*m.listen_backlog_max < backlog_wanted)
      v.add(grade::warn, "backlog", what,
            "sysctl -w net.core.somaxconn=4096, else a rush of players is turned away");
    else
      v.add(grade::ok, "backlog", what);
  }
}

void judge_clock(const machine_facts& m, verdicts& v) {
  if (m.now_s < now_least_s)
    v.add(grade::fail, "clock", "the clock stands before 2024",
          "set it: ids carry the time (timedatectl set-ntp true)");
  else if (!m.clock_synchronised)
    v.add(grade::warn, "clock", "the kernel says that the clock is not synchronised",
          "run a time service (timedatectl set-ntp true)");
  else
    v.add(grade::ok, "clock", "synchronised");
}

void judge_ports(const machine_facts& m, const settings& s, verdicts& v) {
  for (const auto& p : m.ports) {
    if (p.error == 0)
      v.add(grade::ok, "port", p.key + " " + p.listen + " is free");
    else
      v.add(grade::fail, "port",
            p.key + " " + p.listen + ": " + std::generic_category().message(p.error),
            p.error == EADDRINUSE ? "stop what listens there (ss -ltnp), or choose another port"
            : p.error == EACCES ? "ports below 1024 need CAP_NET_BIND_SERVICE: choose a higher one"
                                : "choose an address of this machine (ip addr)");
  }
  const auto http = parse_address(s.http.listen);
  if (http && !is_loopback(*http) && s.http.tls_certificate_file.empty())
    v.add(grade::warn, "tls", "http.listen is reachable from outside without TLS",
          "set http.tls_certificate_file and http.tls_key_file, or put a proxy with TLS in front");
}

void judge_files(const machine_facts& m, verdicts& v) {
  for (const auto& f : m.files) {
    if (!f.error.empty())
      v.add(grade::fail, "file", f.key + " " + f.path + ": " + f.error,
            "make it readable for this user, or correct the path");
    else if (f.secret && f.others_read)
      v.add(grade::warn, "file", f.key + " " + f.path + " may be read by others",
            "chmod 600 " + f.path);
    else
      v.add(grade::ok, "file", f.key + " " + f.path + " is readable");
  }
}

void judge_answer(const store_answer& store, const std::string& url, verdicts& v) {
  const auto levels = "schema " + std::to_string(store.schema) + ", this binary knows " +
                      std::to_string(store.newest);
  if (store.is_absent)
    v.add(grade::ok, "store", url + " does not exist yet: serve makes it");
  else if (!store.error.empty())
    v.add(grade::fail, "store", url + ": " + store.error,
          "check that it runs, storage.url and the password; baraza migrate status says more");
  else if (store.schema == 0)
    v.add(grade::ok, "store", url + " answers and is empty: serve prepares it");
  else if (store.schema < store.newest)
    v.add(grade::fail, "store", url + " answers: " + levels, "run baraza migrate up");
  else if (store.oldest_level > store.newest)
    v.add(grade::fail, "store",
          url + " answers: " + levels + ", and it admits no binary below " +
              std::to_string(store.oldest_level),
          "run a newer baraza");
  else
    v.add(grade::ok, "store", url + " answers: " + levels);
}

void judge_store(const machine_facts& m, const settings& s, verdicts& v) {
  const auto url = mask_url(s.storage.url);
  if (m.store) judge_answer(*m.store, url, v);
  if (s.storage.allow_loss)
    v.add(grade::warn, "store", "storage.allow_loss is on: acknowledged bets may be forgotten",
          "turn it off for real money");
}

}  // namespace

std::vector<finding> judge(const machine_facts& m, const settings& s) {
  verdicts v;
  judge_disk(m, v);
  judge_store(m, s, v);
  judge_ports(m, s, v);
  judge_files(m, v);
  judge_limits(m, s, v);
  judge_clock(m, v);
  return v.take();
}

std::string report_text(const std::vector<finding>& findings) {
  constexpr std::array<const char*, 3> words{"OK   ", "WARN ", "FAIL "};
  std::string out;
  for (const auto& f : findings) {
    out += words[static_cast<std::size_t>(f.how)] + f.check + ": " + f.what + "\n";
    if (!f.remedy.empty()) out += "     " + std::string(f.check.size() + 2, ' ') + f.remedy + "\n";
  }
  return out;
}

std::string report_json(const std::vector<finding>& findings) {
  constexpr std::array<const char*, 3> words{"ok", "warn", "fail"};
  std::string out =
      "{\"ok\":" + std::string{report_exit(findings) == 0 ? "true" : "false"} + ",\"findings\":[";
  for (const auto& f : findings)
    out += std::string{out.back() == '[' ? "" : ","} + "{\"check\":" + to_json(f.check) +
           ",\"grade\":\"" + words[static_cast<std::size_t>(f.how)] +
           "\",\"what\":" + to_json(f.what) + ",\"remedy\":" + to_json(f.remedy) + "}";
  return out + "]}";
}

int report_exit(const std::vector<finding>& findings) {
  return std::any_of(findings.begin(), findings.end(),
                     [](const finding& f) { return f.how == grade::fail; })
             ? 1
             : 0;
}

void add_doctor_command(CLI::App& app, int& exit_code, store_probe probe) {
  auto flags = std::make_shared<settings_flags>();
  auto json = std::make_shared<bool>(false);
  auto* command =
      app.add_subcommand("doctor", "Say what is missing or misconfigured on this machine");
  add_settings_flags(*command, *flags);
  command->add_flag("--json", *json, "one object on one line");
  command->footer("Example: baraza doctor --data /var/lib/baraza");
  command->callback([flags, json, &exit_code, probe = std::move(probe)] {
    const auto all = load_or_complain(*flags);
    if (!all) {
      exit_code = exit_usage;
      return;
    }
    const auto findings = judge(measure(all->values, probe), all->values);
    std::fputs((*json ? report_json(findings) + "\n" : report_text(findings)).c_str(), stdout);
    exit_code = report_exit(findings);
  });
}

}  // namespace baraza::config
