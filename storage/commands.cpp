#include "storage/commands.hpp"

#include <cstdio>
#include <string>

#include "storage/store.hpp"

namespace baraza::storage {
namespace {

/// Text as the inside of a JSON string.
std::string escaped(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c == '"' || c == '\\') {
      out.push_back('\\');
      out.push_back(c);
    } else if (static_cast<unsigned char>(c) < 0x20) {
      char code[8];
      std::snprintf(code, sizeof code, "\\u%04x", static_cast<unsigned>(c));
      out += code;
    } else {
      out.push_back(c);
    }
  }
  return out;
}

int fail(const error& why, bool json, int exit_code) {
  std::fprintf(stderr, "baraza: %s\n", why.message.c_str());
  if (json)
    std::printf("{\"error\":\"%s\",\"message\":\"%s\"}\n", std::string{to_string(why.code)}.c_str(),
                escaped(why.message).c_str());
  return exit_code;
}

void print_report(const verify_report& r, bool json) {
  const unsigned long long accounts = r.accounts, transfers = r.transfers,
                           events = r.journal_events, matches = r.matches;
  std::printf("%llu accounts, %llu transfers, %llu journal events, %llu matches\n", accounts,
              transfers, events, matches);
  if (r.clean)
    std::printf("clean: every balance is the sum of its transfers\n");
  else
    std::printf("VIOLATION: %s\n", r.first_violation.c_str());
  if (!json) return;
  const auto violation = r.clean ? std::string{"null"} : '"' + escaped(r.first_violation) + '"';
  std::printf(
      "{\"clean\":%s,\"first_violation\":%s,\"accounts\":%llu,\"transfers\":%llu,\"journal_"
      "events\":%llu,"
      "\"matches\":%llu}\n",
      r.clean ? "true" : "false", violation.c_str(), accounts, transfers, events, matches);
}

int print_state(store& opened, bool json) {
  const auto state = opened.migrations();
  if (!state) return fail(state.why(), json, 1);
  std::printf("schema %d (newest %d), usable by binaries of level %d or later\n", state->schema,
              state->newest, state->oldest_level);
  if (json)
    std::printf("{\"schema\":%d,\"newest\":%d,\"oldest_level\":%d}\n", state->schema, state->newest,
                state->oldest_level);
  return 0;
}

}  // namespace

int ledger_verify(std::string_view url, bool json) {
  const auto opened = open(url, {.read_only = true});
  if (!opened) return fail(opened.why(), json, 2);
  const auto report = (*opened)->verify();
  if (!report) return fail(report.why(), json, 2);
  print_report(*report, json);
  return report->clean ? 0 : 1;
}

int migrate(std::string_view url, std::string_view action, std::optional<int> target, bool json) {
  const bool up = action == "up", down = action == "down", status = action == "status";
  if (!up && !down && !status)
    return fail({errc::invalid, "migrate takes up, down or status"}, json, 2);
  const auto opened = open(url, {.read_only = status});
  if (!opened) return fail(opened.why(), json, 2);
  auto& store = **opened;
  if (status) return print_state(store, json);
  const auto state = store.migrations();
  if (!state) return fail(state.why(), json, 1);
  const int wanted = target.value_or(up ? state->newest : state->schema - 1);
  if (wanted < 0 || wanted > state->newest)
    return fail({errc::invalid, "the target lies between 0 and " + std::to_string(state->newest)},
                json, 2);
  if ((up && wanted < state->schema) || (down && wanted > state->schema))
    return fail({errc::invalid, "the store is at schema " + std::to_string(state->schema) +
                                    ": that target lies the other way"},
                json, 2);
  if (down && wanted == 0 && !target)
    return fail({errc::invalid,
                 "this step drops the ledger and everything else: name the target 0 to do it"},
                json, 2);
  const auto answer = store.migrate(wanted);
  if (!answer) return fail(answer.why(), json, answer.why().code == errc::incompatible ? 2 : 1);
  return print_state(store, json);
}

}  // namespace baraza::storage
