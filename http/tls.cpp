#include "http/tls.hpp"

#include <boost/asio/ssl/context.hpp>
#include <boost/system/system_error.hpp>
#include <ctime>
#include <string_view>

namespace baraza::http {
namespace {

int choose_http11(SSL*, const unsigned char** out, unsigned char* out_length,
                  const unsigned char* in, unsigned length, void*) {
  static constexpr unsigned char ours[] = {8, 'h', 't', 't', 'p', '/', '1', '.', '1'};
  unsigned char* chosen = nullptr;
  if (SSL_select_next_proto(&chosen, out_length, ours, sizeof ours, in, length) !=
      OPENSSL_NPN_NEGOTIATED)
    return SSL_TLSEXT_ERR_ALERT_FATAL;
  *out = chosen;
  return SSL_TLSEXT_ERR_OK;
}

void must(int ok) {
  if (ok != 1)
    throw boost::system::system_error{boost::system::error_code{
        boost::system::errc::invalid_argument, boost::system::generic_category()}};
}

/// Throws boost::system::system_error if the files do not hold a matching chain and key.
std::shared_ptr<boost::asio::ssl::context> make_context(const std::string& certificate_file,
                                                        const std::string& key_file) {
  namespace ssl = boost::asio::ssl;
  auto out = std::make_shared<ssl::context>(ssl::context::tls_server);
  SSL_CTX* raw = out->native_handle();
  must(SSL_CTX_set_min_proto_version(raw, TLS1_3_VERSION));
  must(SSL_CTX_set_ciphersuites(
      raw, "TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256:TLS_AES_128_GCM_SHA256"));
  must(SSL_CTX_set1_groups_list(raw, "X25519:P-256"));
  must(SSL_CTX_set_max_early_data(raw, 0));
  must(SSL_CTX_set_num_tickets(raw, 0));
  SSL_CTX_set_session_cache_mode(raw, SSL_SESS_CACHE_OFF);
  SSL_CTX_set_mode(raw, SSL_MODE_RELEASE_BUFFERS);  // an idle socket holds no record buffers
  SSL_CTX_set_alpn_select_cb(raw, choose_http11, nullptr);
  out->use_certificate_chain_file(certificate_file);
  out->use_private_key_file(key_file, ssl::context::pem);
  must(SSL_CTX_check_private_key(raw));
  return out;
}

}  // namespace

std::string tls_certificate::load(const std::string& certificate_file,
                                  const std::string& key_file) {
  std::shared_ptr<boost::asio::ssl::context> fresh;
  try {
    fresh = make_context(certificate_file, key_file);
  } catch (const boost::system::system_error& why) {
    return "TLS: " + certificate_file + ", " + key_file + ": " + why.code().message();
  }
  const std::lock_guard lock{mutex_};
  current_ = std::move(fresh);
  return {};
}

std::shared_ptr<boost::asio::ssl::context> tls_certificate::current() const {
  const std::lock_guard lock{mutex_};
  return current_;
}

std::int64_t tls_certificate::expires_at() const {
  const auto context = current();
  const auto* shown = context ? SSL_CTX_get0_certificate(context->native_handle()) : nullptr;
  std::tm end{};
  if (shown == nullptr || ASN1_TIME_to_tm(X509_get0_notAfter(shown), &end) != 1) return 0;
  return ::timegm(&end);
}

}  // namespace baraza::http
