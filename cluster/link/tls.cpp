#include "cluster/link/tls.hpp"

#include <openssl/x509v3.h>

#include <boost/asio/ssl/context.hpp>
#include <boost/system/system_error.hpp>

#include "cluster/link/link.hpp"

namespace baraza::cluster {
namespace ssl = boost::asio::ssl;

std::variant<std::shared_ptr<ssl::context>, std::string> make_link_context(
    const link_certificates& files) {
  auto out = std::make_shared<ssl::context>(ssl::context::tls);
  SSL_CTX* raw = out->native_handle();
  boost::system::error_code why;
  const auto wrong = [&](const std::string& file, const std::string& what) {
    return "certificates between nodes: " + file + ": " + what;
  };
  if (SSL_CTX_set_min_proto_version(raw, TLS1_3_VERSION) != 1) return wrong("TLS 1.3", "missing");
  SSL_CTX_set_session_cache_mode(raw, SSL_SESS_CACHE_OFF);
  SSL_CTX_set_num_tickets(raw, 0);
  SSL_CTX_set_mode(raw, SSL_MODE_RELEASE_BUFFERS);
  out->set_verify_mode(ssl::verify_peer | ssl::verify_fail_if_no_peer_cert);
  if (out->load_verify_file(files.ca, why); why) return wrong(files.ca, why.message());
  if (out->use_certificate_chain_file(files.certificate, why); why)
    return wrong(files.certificate, why.message());
  if (out->use_private_key_file(files.key, ssl::context::pem, why); why)
    return wrong(files.key, why.message());
  if (SSL_CTX_check_private_key(raw) != 1)
    return wrong(files.key, "is not the key of " + files.certificate);
  return out;
}

bool shows_name(ssl_st* session, const std::string& name) {
  X509* shown = SSL_get0_peer_certificate(session);
  return shown != nullptr &&
         X509_check_host(shown, name.data(), name.size(),
                         X509_CHECK_FLAG_NO_WILDCARDS | X509_CHECK_FLAG_NEVER_CHECK_SUBJECT,
                         nullptr) == 1;
}

}  // namespace baraza::cluster
