// All settings of a node as plain values. The member initialisers are the defaults; bounds and
// documentation stand in keys.cpp. Only main reads this: every folder declares the small options
// struct it needs and main fills it in.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace baraza::config {

using integer = std::int64_t;

struct settings {
  struct {
    std::string name;      // load() fills in the host name
    std::string data_dir;  // load() fills in $XDG_DATA_HOME/baraza or ~/.local/share/baraza
    std::vector<std::string> roles{"edge", "game", "payments"};
    std::string zone;
    integer weight = 1;
  } node;

  struct {
    std::string url;  // load() fills in sqlite:DATA_DIR/baraza.db
    integer writers = 2;
    integer readers = 2;
    bool allow_loss = false;
  } storage;

  struct {
    std::string listen = "127.0.0.1:7777";
    integer threads = 1;
    std::vector<std::string> hosts{"localhost", "127.0.0.1", "[::1]"};
    std::vector<std::string> origins;
    std::vector<std::string> trusted_proxies;
    integer frame_bytes = 65536;
    integer inflight = 8;
    integer outbox_frames = 256;
    integer sockets_per_address = 1024;
    integer sessions_total = 50000;
    integer idle_timeout_s = 60;
    integer handshake_timeout_s = 5;
    integer requests_per_s = 50;
    integer messages_per_s = 200;
    integer joins_per_s = 20;
    integer stakes_per_s = 20;
    std::string tls_certificate_file;
    std::string tls_key_file;
  } http;

  struct {
    std::string listen = "127.0.0.1:7778";
    std::string token_file;
  } admin;

  struct {
    std::string name = "baraza";
    std::string listen;     // empty: alone
    std::string advertise;  // empty: listen
    std::string ca_file;
    std::string certificate_file;
    std::string private_key_file;
    integer lease_ms = 5000;
    integer shards = 1024;
    std::string key_file;  // load() fills in DATA_DIR/cluster.key
  } cluster;

  struct {
    integer rake_bp = 250;  // basis points: 1/100 of a percent
    integer ready_timeout_s = 10;
    integer reveal_timeout_s = 30;
    integer buy_in_timeout_s = 15;
    integer passivate_after_s = 120;
    integer demo_grant_minor = 100000;  // minor units: 1/100 of the currency
    bool house_bot = false;
    integer lobby_window = 100;  // rating points
    integer lobby_widen_per_s = 20;
    integer lobby_window_max = 1000;
    integer lobby_grace_s = 10;
  } game;

  struct {
    integer access_ttl_s = 900;
    integer refresh_idle_s = 1800;
    integer absolute_h = 12;
    integer argon2_ops = 2;
    integer argon2_memory_kib = 19456;
    integer threads = 2;
    integer queue = 64;
    std::string breached_passwords_file;
    std::string pepper_file;
  } auth;

  struct {
    std::string level = "info";
    std::string format = "text";
    std::string file;
    integer queue_lines = 8192;
  } log;

  struct {
    integer scheduler_threads = 0;  // 0: one per core
  } runtime;
};

}  // namespace baraza::config
