// One socket between two nodes, dialled or accepted, plain or TLS, as a stream of frames:
//
//   frame = length (4 bytes, big-endian, of what follows) type (1 byte) body
//
// All of it runs on the link's thread. It knows no time: its owner closes it when it is late.
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "cluster/wire/paging.hpp"

namespace baraza::cluster {

enum class frame_type : std::uint8_t {
  hello = 1,
  welcome = 2,
  refuse = 3,
  ping = 4,
  pong = 5,
  data = 6,
  bye = 7
};

class connection;

class connection_owner {
 public:
  virtual ~connection_owner() = default;
  virtual void on_open(connection& c) = 0;  // TCP and TLS are there
  virtual void on_frame(connection& c, frame_type type, std::string_view body) = 0;
  virtual void on_writable(connection& c) = 0;                        // all is written
  virtual void on_closed(connection& c, const std::string& why) = 0;  // once, never from within
};

class connection : public std::enable_shared_from_this<connection> {
 public:
  using tcp = boost::asio::ip::tcp;
  using context_ptr = std::shared_ptr<boost::asio::ssl::context>;

  /// @param tls null: plain
  connection(boost::asio::io_context& io, connection_owner& owner, context_ptr tls);
  ~connection();

  /// @param from the address to leave from, if it is one and of the same family
  void dial(const std::string& host, std::uint16_t port, const std::string& from);
  void accept(tcp::socket socket);
  /// A short frame that goes before any data.
  void say(frame_type type, std::string_view body);
  /// Data frames as append_frame wrote them; only while is_idle().
  void write(std::string frames);
  [[nodiscard]] bool is_idle() const { return open_ && !closed_ && writing_.empty(); }
  [[nodiscard]] bool is_closed() const { return closed_; }
  void close(std::string why);
  /// After what was said is written, or when the owner loses patience.
  void close_after_writing(std::string why);
  /// Plain connections show every name: they exist on loopback only.
  [[nodiscard]] bool peer_shows(const std::string& name);
  [[nodiscard]] const std::string& remote() const { return remote_; }
  void allow_long_frames() { frame_limit_ = wire::frame_bytes_max + 1; }

  static void append_frame(std::string& out, frame_type type, std::string_view body);

  // The owner's notes.
  bool dialled = false;
  bool greeted = false;  // the hello was accepted
  std::string peer;      // whose it is, once greeted; the dialler knows from the start
  std::uint64_t incarnation = 0;
  std::int64_t begun_ms = 0, heard_ms = 0, pinged_ms = 0;
  wire::reassembler pages;

 private:
  void connect(const tcp::endpoint& to);
  void start_tls(boost::asio::ssl::stream_base::handshake_type role);
  void opened();
  void read();
  void parse();
  void flush();
  void remember_remote();
  std::string reason(const boost::system::error_code& why);

  boost::asio::io_context& io_;
  connection_owner& owner_;
  context_ptr context_;
  tcp::socket socket_;
  tcp::resolver resolver_;
  std::optional<boost::asio::ssl::stream<tcp::socket&>> tls_;
  std::string remote_ = "?", from_;
  std::vector<char> in_;
  std::size_t in_size_ = 0;
  std::size_t frame_limit_;
  std::string control_, writing_;
  std::optional<std::string> last_words_;
  bool open_ = false, closed_ = false;
};

}  // namespace baraza::cluster
