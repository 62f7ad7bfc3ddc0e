// TLS in the hand of a test: a certificate of its own making, and a client that says what it offers
// and sees what comes back.
#pragma once

#include <openssl/ssl.h>

#include <filesystem>
#include <memory>
#include <string>

#include "tests/http/raw_client.hpp"

namespace baraza::http::tests {

/// Writes a self-signed certificate for localhost and 127.0.0.1 (PEM, valid for a day) and its key.
/// @param serial tells one certificate from another
void write_certificate(const std::filesystem::path& certificate, const std::filesystem::path& key,
                       long serial);

/// One TLS connection to a port of this machine; believes any certificate. Blocks, with patience.
class tls_client {
 public:
  /// @param version_max of TLS, e.g. TLS1_2_VERSION
  explicit tls_client(std::uint16_t port, int version_max = TLS1_3_VERSION);
  ~tls_client();
  tls_client(const tls_client&) = delete;
  tls_client& operator=(const tls_client&) = delete;

  [[nodiscard]] bool is_open() const { return open_; }
  /// OpenSSL's reason why the handshake failed; 0 if it did not.
  [[nodiscard]] int failure() const { return failure_; }
  [[nodiscard]] std::string version() const { return SSL_get_version(ssl_.get()); }
  [[nodiscard]] std::string protocol() const;  // chosen by ALPN
  [[nodiscard]] long serial() const;           // of the certificate shown
  [[nodiscard]] bool offers_resumption();      // after the first answer was read

  bool send(std::string_view bytes);
  /// Reads until `wanted` has come. @returns all that has come; it may lack `wanted`
  std::string read_until(std::string_view wanted);

 private:
  struct free_ssl {
    void operator()(SSL* s) const { SSL_free(s); }
    void operator()(SSL_CTX* c) const { SSL_CTX_free(c); }
  };
  int fd_ = -1;
  std::unique_ptr<SSL_CTX, free_ssl> context_;
  std::unique_ptr<SSL, free_ssl> ssl_;
  bool open_ = false;
  int failure_ = 0;
  std::string in_;
};

}  // namespace baraza::http::tests
