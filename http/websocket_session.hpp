// One player's connection after the WebSocket handshake: authentication, limits, requests in
// flight, outbox. All decisions, no bytes: websocket_io.hpp moves them. All of it runs on the
// session's own thread.
//
//   handshake with bearer ─────────────────────────► open ──► closing ──► gone
//   handshake without ──► waiting for hello ──ok──►  │  ▲        ▲
//                                │  bad or late      │  └ ready  │ violation, slow reader, logout,
//                                going away └───────────────────┴───────────┘
#pragma once

#include <array>
#include <optional>
#include <vector>

#include "http/bridge.hpp"
#include "http/edge_shared.hpp"

namespace baraza::http {

/// What the bridge holds of a session: a way into its thread's inbox, never the session itself.
class session_mailbox final : public session_sink {
 public:
  explicit session_mailbox(std::shared_ptr<io_inbox> inbox) : inbox_{std::move(inbox)} {}
  void address(std::weak_ptr<inbox_target> to) {
    to_ = std::move(to);
  }  // once, before it is handed out
  void deliver(std::shared_ptr<const std::string> frame) override {
    inbox_->push(to_, std::move(frame));
  }
  void wake() override { inbox_->wake(); }
  void close(std::uint16_t code, std::string_view) override {
    inbox_->push(to_, nullptr, code);
    inbox_->wake();
  }

 private:
  const std::shared_ptr<io_inbox> inbox_;
  std::weak_ptr<inbox_target> to_;
};

class websocket_session : public inbox_target,
                          public timed,
                          public std::enable_shared_from_this<websocket_session> {
 public:
  websocket_session(const session_origin& from, socket_place place, const address& client,
                    wire::encoding how);
  ~websocket_session() override;

  void take(std::shared_ptr<const std::string> frame, std::uint16_t close_code) override;
  void expired() override;
  void farewell() override;

 protected:
  // ---- called by the I/O side
  void opened(std::optional<caller> who);
  void received(std::string_view bytes, bool is_text);
  void control_received();
  void sent();  // the write in progress has ended
  void gone();  // the connection ended, whoever ended it
  [[nodiscard]] bool is_closing() const {
    return phase_ == phase::closing || phase_ == phase::gone;
  }
  [[nodiscard]] wire::encoding how() const { return how_; }

  // ---- done by the I/O side; each ends in one of the calls above
  virtual void write(const std::string& frame) = 0;
  virtual void start_close(std::uint16_t code, std::string_view reason) = 0;
  virtual void start_ping() = 0;
  virtual void abort() = 0;  // cuts the connection; what is pending ends in gone()
  /// Called a while after the end, should anything still hold this session.
  virtual void drop() = 0;

  io_thread& thread_;

 private:
  enum class phase : std::uint8_t { handshake, waiting_hello, checking, open, closing, gone };
  struct flight {
    std::uint64_t id = 0;  // 0: free
    std::int64_t since_us = 0;
  };
  void request(wire::client_frame frame);
  void hello(std::uint64_t id, const std::string& token);
  void welcome(caller who, std::uint64_t hello_id);
  bool is_within_rates(std::uint64_t id, action_class what = action_class::plain);
  void refuse(std::uint64_t id, std::string_view code, std::string_view message,
              std::uint32_t retry_ms = 0);
  void enqueue(std::shared_ptr<const std::string> frame);
  void write_next();
  void finish(std::uint16_t code, std::string_view reason);
  void try_close();
  void rearm();
  void land(std::uint64_t id);
  void count(refusal_reason why) { thread_.counters().refuse(why); }

  edge_shared& shared_;
  std::shared_ptr<session_mailbox> mailbox_;
  socket_place place_;
  std::vector<std::shared_ptr<const std::string>> outbox_;  // outbox_[head_] is being written
  std::size_t head_ = 0, outbox_bytes_ = 0;
  std::array<flight, limits::session_inflight_max> flights_{};
  std::uint64_t highest_id_ = 0;
  std::int64_t last_heard_ms_ = 0, write_since_ms_ = 0, close_since_ms_ = 0, opened_ms_ = 0;
  std::uint64_t number_ = 0;  // the bridge's; 0: not attached
  uuid player_, login_;
  uuid address_key_;
  millis absolute_expires_at_ = 0;
  token_bucket messages_, controls_;
  std::uint32_t refusals_ = 0;  // each message that is accepted makes up for one
  std::uint16_t close_code_ = 0;
  std::string_view close_reason_;  // static storage
  const wire::encoding how_;
  phase phase_ = phase::handshake;
  bool writing_ = false, close_started_ = false, is_counted_address_ = true;
};

}  // namespace baraza::http
