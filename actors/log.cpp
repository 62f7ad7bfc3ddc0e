#include "actors/log.hpp"

#include <signal.h>
#include <spdlog/async_logger.h>
#include <spdlog/details/thread_pool.h>
#include <spdlog/sinks/basic_file_sink.h>
#include <spdlog/sinks/stdout_sinks.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <chrono>
#include <cmath>
#include <ctime>
#include <memory>
#include <mutex>

#include "storage/ids.hpp"

namespace baraza::log {
namespace {

/// The writer. Replaced by start and stop only, when nobody else logs.
struct writer {
  std::shared_ptr<spdlog::async_logger> logger;
  std::shared_ptr<spdlog::details::thread_pool> pool;  // ends first: its thread writes to the sink
  bool json = false;
};
std::unique_ptr<writer> current;  // NOLINT: the one log of the process

constexpr std::array<std::string_view, 6> level_names{"trace", "debug", "info",
                                                      "warn",  "error", "off"};

/// Length of the UTF-8 sequence at the front of `text`; 0 if it is not one (overlong forms,
/// surrogates and the like included).
std::size_t sequence_length(std::string_view text) {
  const auto at = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const auto c = at(0);
  const std::size_t length = c < 0x80   ? 1
                             : c < 0xC2 ? 0
                             : c < 0xE0 ? 2
                             : c < 0xF0 ? 3
                             : c < 0xF5 ? 4
                                        : 0;
  if (length == 0 || length > text.size()) return 0;
  for (std::size_t i = 1; i < length; ++i)
    if ((at(i) & 0xC0) != 0x80) return 0;
  if (c == 0xE0 && at(1) < 0xA0) return 0;
  if (c == 0xED && at(1) > 0x9F) return 0;
  if (c == 0xF0 && at(1) < 0x90) return 0;
  if (c == 0xF4 && at(1) > 0x8F) return 0;
  return length;
}

/// Characters that could forge a line or turn the reading direction of a terminal.
bool is_dangerous(std::string_view sequence) {
  const auto c = static_cast<unsigned char>(sequence[0]);
  if (sequence.size() == 1) return c < 0x20 || c == 0x7F;
  const auto d = static_cast<unsigned char>(sequence[1]);
  if (c == 0xC2) return d < 0xA0;  // C1 controls
  if (c != 0xE2 || sequence.size() != 3) return false;
  const auto e = static_cast<unsigned char>(sequence[2]);
  if (d == 0x80) return (e >= 0x8B && e <= 0x8F) || (e >= 0xA8 && e <= 0xAE);
  return d == 0x81 && e >= 0xA6 && e <= 0xA9;
}

void append_hex(std::string& out, unsigned code) {
  constexpr std::string_view digits = "0123456789abcdef";
  out += "\\u";
  for (int shift = 12; shift >= 0; shift -= 4) out += digits[code >> unsigned(shift) & 0xF];
}

unsigned code_point(std::string_view sequence) {
  const auto at = [&](std::size_t i) { return static_cast<unsigned char>(sequence[i]); };
  if (sequence.size() == 1) return at(0);
  if (sequence.size() == 2) return (at(0) & 0x1Fu) << 6 | (at(1) & 0x3Fu);
  return (at(0) & 0x0Fu) << 12 | (at(1) & 0x3Fu) << 6 | (at(2) & 0x3Fu);
}

/// Appends `text` between quotes, safe in JSON and on a terminal; what is not UTF-8 becomes U+FFFD.
void append_quoted(std::string& out, std::string_view text) {
  const auto from = out.size();
  out += '"';
  while (!text.empty()) {
    const auto length = sequence_length(text);
    const auto sequence = text.substr(0, std::max<std::size_t>(length, 1));
    if (out.size() - from >= value_bytes_max) {
      out += "…";
      break;
    }
    if (length == 0) {
      out += "\\ufffd";
    } else if (is_dangerous(sequence)) {
      append_hex(out, code_point(sequence));
    } else {
      if (sequence == "\"" || sequence == "\\") out += '\\';
      out += sequence;
    }
    text.remove_prefix(sequence.size());
  }
  out += '"';
}

/// In text lines a plain word stands without quotes.
void append_text(std::string& out, std::string_view text) {
  const bool plain = !text.empty() && text.size() <= 128 &&
                     std::all_of(text.begin(), text.end(), [](unsigned char c) {
                       return c > 0x20 && c < 0x7F && c != '"' && c != '=' && c != '\\';
                     });
  if (plain)
    out += text;
  else
    append_quoted(out, text);
}

template <class T>
void append_number(std::string& out, T v) {
  std::array<char, 40> buffer{};
  const auto end = std::to_chars(buffer.data(), buffer.data() + buffer.size(), v).ptr;
  out.append(buffer.data(), end);
}

void append_value(std::string& out, bool json, const field& f) {
  const auto text = [&](std::string_view v) { json ? append_quoted(out, v) : append_text(out, v); };
  if (const auto* s = std::get_if<std::string_view>(&f.value)) text(*s);
  if (const auto* n = std::get_if<std::int64_t>(&f.value)) append_number(out, *n);
  if (const auto* n = std::get_if<std::uint64_t>(&f.value)) append_number(out, *n);
  if (const auto* b = std::get_if<bool>(&f.value)) out += *b ? "true" : "false";
  if (const auto* id = std::get_if<const uuid*>(&f.value)) text((*id)->to_string());
  if (const auto* id = std::get_if<const entity_id*>(&f.value)) text((*id)->to_string());
  if (const auto* d = std::get_if<double>(&f.value)) {
    if (std::isfinite(*d))
      append_number(out, *d);
    else
      text(std::isnan(*d) ? "nan" : "infinite");  // JSON has no number for it
  }
}

/// The net under the rule that nobody logs secrets.
bool speaks_of_secret(std::string_view key) {
  for (std::string_view word :
       {"password", "token", "secret", "authorization", "cookie", "seed", "private"})
    if (key.find(word) != std::string_view::npos) return true;
  return false;
}

void append_time(std::string& out, std::int64_t millis_utc) {
  const std::time_t seconds = millis_utc / 1000;
  std::tm parts{};
  gmtime_r(&seconds, &parts);
  std::array<char, 32> buffer{};
  const auto length = std::strftime(buffer.data(), buffer.size(), "%Y-%m-%dT%H:%M:%S.", &parts);
  out.append(buffer.data(), length);
  const auto ms = static_cast<int>(millis_utc % 1000);
  out += static_cast<char>('0' + ms / 100);
  out += static_cast<char>('0' + ms / 10 % 10);
  out += static_cast<char>('0' + ms % 10);
  out += 'Z';
}

std::int64_t now_millis() {
  using namespace std::chrono;
  return duration_cast<milliseconds>(system_clock::now().time_since_epoch()).count();
}

}  // namespace

std::string_view to_string(level l) { return level_names[static_cast<std::size_t>(l)]; }

std::optional<level> parse_level(std::string_view text) {
  const auto* found = std::find(level_names.begin(), level_names.end(), text);
  if (found == level_names.end()) return std::nullopt;
  return static_cast<level>(found - level_names.begin());
}

std::string format(bool json, std::int64_t millis_utc, level l, std::string_view what,
                   std::string_view correlation, std::initializer_list<field> fields) {
  std::string out;
  out.reserve(256);
  if (json) out += "{\"ts\":\"";
  append_time(out, millis_utc);
  out += json ? "\",\"level\":\"" : " ";
  out += to_string(l);
  out += json ? "\",\"msg\":" : " ";
  json ? append_quoted(out, what) : append_text(out, what);
  const auto append = [&](const field& f) {
    out += json ? "," : " ";
    json ? append_quoted(out, f.key) : append_text(out, f.key);
    out += json ? ":" : "=";
    if (speaks_of_secret(f.key))
      out += json ? "\"***\"" : "***";
    else
      append_value(out, json, f);
  };
  if (!correlation.empty()) append({"correlation", correlation});
  constexpr std::size_t field_bytes_max = value_bytes_max + 128;  // our keys are short words
  std::size_t left_out = 0;
  for (const auto& f : fields) {
    if (out.size() > line_bytes_max - field_bytes_max)
      ++left_out;
    else
      append(f);
  }
  if (left_out > 0) append({"fields_left_out", left_out});
  if (json) out += '}';
  return out;
}

std::string start(const options& how) {
  stop();
  auto next = std::make_unique<writer>();
  next->json = how.json;
  try {
    std::shared_ptr<spdlog::sinks::sink> sink;
    if (how.file.empty())
      sink = std::make_shared<spdlog::sinks::stderr_sink_mt>();
    else
      sink = std::make_shared<spdlog::sinks::basic_file_sink_mt>(how.file, false);
    const auto lines = std::clamp<std::size_t>(how.queue_lines_max, 1, queue_lines_limit);
    // Signals are for the thread that waits for them: one that reached the writer, which blocks
    // none, would end the process.
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    next->pool = std::make_shared<spdlog::details::thread_pool>(lines, 1);
    pthread_sigmask(SIG_SETMASK, &before, nullptr);
    next->logger = std::make_shared<spdlog::async_logger>(
        "baraza", std::move(sink), next->pool, spdlog::async_overflow_policy::overrun_oldest);
  } catch (const spdlog::spdlog_ex& why) {
    return why.what();
  }
  next->logger->set_pattern("%v", spdlog::pattern_time_type::utc);
  next->logger->set_level(spdlog::level::trace);  // ours decides
  next->logger->flush_on(
      spdlog::level::trace);  // one write a line, on the writer's thread: a kill loses little
  current = std::move(next);
  detail::least.store(how.least, std::memory_order_relaxed);
  return {};
}

void stop() {
  detail::least.store(level::off, std::memory_order_relaxed);
  if (!current) return;
  if (const auto lost = dropped(); lost > 0)
    current->logger->log(spdlog::level::warn, format(current->json, now_millis(), level::warn,
                                                     "log.dropped", {}, {{"lines", lost}}));
  current->logger->flush();
  current.reset();  // the pool's destructor waits until its queue is empty
}

void flush() {
  if (current) current->logger->flush();
}

std::uint64_t dropped() { return current ? current->pool->overrun_counter() : 0; }

void write(level l, std::string_view what, std::string_view correlation,
           std::initializer_list<field> fields) {
  if (!current) return;
  const auto now = now_millis();
  // Levels have the same order and, up to error, the same numbers.
  static_assert(static_cast<int>(level::error) == SPDLOG_LEVEL_ERROR);
  const auto line = format(current->json, now, l, what, correlation, fields);
  current->logger->log(static_cast<spdlog::level::level_enum>(l), spdlog::string_view_t{line});
}

std::string mask_phone(std::string_view phone) {
  const auto kept = phone.size() > 6 ? std::size_t{3} : 0;
  return std::string(phone.size() - kept, '*') + std::string{phone.substr(phone.size() - kept)};
}

std::string mask_email(std::string_view email) {
  const auto at = email.rfind('@');
  if (at == std::string_view::npos || at == 0) return "***";
  // The first character may take several bytes.
  const auto first = std::max<std::size_t>(sequence_length(email), 1);
  return std::string{email.substr(0, std::min(first, at))} + "***" + std::string{email.substr(at)};
}

std::string mask_name(std::string_view name) {
  return name.find('@') != std::string_view::npos ? mask_email(name) : mask_phone(name);
}

}  // namespace baraza::log
