// The TLS side of the player port: 1.3 only, no early data (a replayed bet is a bet), no tickets,
// HTTP/1.1 only.
#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <string>

namespace boost::asio::ssl {
class context;
}

namespace baraza::http {

/// The certificate that the port shows, read again without a restart: connections keep the one they
/// began with, new ones get the new one. Safe from any thread.
class tls_certificate {
 public:
  /// Takes chain and key (PEM) from these files if they fit together.
  /// @returns what is wrong, in one line, and the earlier certificate stays; empty on success
  std::string load(const std::string& certificate_file, const std::string& key_file);
  /// For the next connection. Null before the first load.
  [[nodiscard]] std::shared_ptr<boost::asio::ssl::context> current() const;
  /// When the certificate ends to be valid, in seconds since 1970.
  [[nodiscard]] std::int64_t expires_at() const;

 private:
  mutable std::mutex mutex_;
  std::shared_ptr<boost::asio::ssl::context> current_;
};

}  // namespace baraza::http
