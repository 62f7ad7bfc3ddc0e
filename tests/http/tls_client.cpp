#include "tests/http/tls_client.hpp"

#include <arpa/inet.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstdio>
#include <stdexcept>

namespace baraza::http::tests {
namespace {

template <class Write>
void write_file(const std::filesystem::path& path, Write write) {
  const auto aside = path.string() + ".new";
  FILE* file = std::fopen(aside.c_str(), "w");
  if (file == nullptr || !write(file)) throw std::runtime_error{"cannot write " + aside};
  std::fclose(file);
  std::filesystem::rename(aside, path);
}

void add_extension(X509* to, int kind, const char* value) {
  X509_EXTENSION* extension = X509V3_EXT_conf_nid(nullptr, nullptr, kind, value);
  X509_add_ext(to, extension, -1);
  X509_EXTENSION_free(extension);
}

}  // namespace

void write_certificate(const std::filesystem::path& certificate, const std::filesystem::path& key,
                       long serial) {
  EVP_PKEY* pair = EVP_EC_gen("P-256");
  X509* out = X509_new();
  X509_set_version(out, 2);
  ASN1_INTEGER_set(X509_get_serialNumber(out), serial);
  X509_gmtime_adj(X509_getm_notBefore(out), -3600);
  X509_gmtime_adj(X509_getm_notAfter(out), 86'400);
  X509_set_pubkey(out, pair);
  X509_NAME_add_entry_by_txt(X509_get_subject_name(out), "CN", MBSTRING_ASC,
                             reinterpret_cast<const unsigned char*>("localhost"), -1, -1, 0);
  X509_set_issuer_name(out, X509_get_subject_name(out));
  add_extension(out, NID_subject_alt_name, "DNS:localhost,IP:127.0.0.1");
  add_extension(out, NID_basic_constraints, "critical,CA:TRUE");
  X509_sign(out, pair, EVP_sha256());
  write_file(certificate, [&](FILE* to) { return PEM_write_X509(to, out) == 1; });
  write_file(key, [&](FILE* to) {
    return PEM_write_PrivateKey(to, pair, nullptr, nullptr, 0, nullptr, nullptr) == 1;
  });
  X509_free(out);
  EVP_PKEY_free(pair);
}

tls_client::tls_client(std::uint16_t port, int version_max)
    : fd_{::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)},
      context_{SSL_CTX_new(TLS_client_method())} {
  timeval most{.tv_sec = std::chrono::duration_cast<std::chrono::seconds>(patience).count(),
               .tv_usec = 0};
  ::setsockopt(fd_, SOL_SOCKET, SO_RCVTIMEO, &most, sizeof most);
  sockaddr_in to{};
  to.sin_family = AF_INET;
  to.sin_port = htons(port);
  to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (::connect(fd_, reinterpret_cast<const sockaddr*>(&to), sizeof to) != 0) {
    ::close(fd_);
    throw std::runtime_error{"cannot connect"};
  }
  SSL_CTX_set_max_proto_version(context_.get(), version_max);
  const unsigned char offered[] = {2, 'h', '2', 8, 'h', 't', 't', 'p', '/', '1', '.', '1'};
  SSL_CTX_set_alpn_protos(context_.get(), offered, sizeof offered);
  ssl_.reset(SSL_new(context_.get()));
  SSL_set_fd(ssl_.get(), fd_);
  ERR_clear_error();
  open_ = SSL_connect(ssl_.get()) == 1;
  if (!open_) failure_ = ERR_GET_REASON(ERR_peek_error());
}
tls_client::~tls_client() { ::close(fd_); }

std::string tls_client::protocol() const {
  const unsigned char* name = nullptr;
  unsigned length = 0;
  SSL_get0_alpn_selected(ssl_.get(), &name, &length);
  return {reinterpret_cast<const char*>(name), length};
}

long tls_client::serial() const {
  X509* shown = SSL_get1_peer_certificate(ssl_.get());
  if (shown == nullptr) return -1;
  const long out = ASN1_INTEGER_get(X509_get_serialNumber(shown));
  X509_free(shown);
  return out;
}

bool tls_client::offers_resumption() {
  return SSL_SESSION_is_resumable(SSL_get_session(ssl_.get())) == 1;
}

bool tls_client::send(std::string_view bytes) {
  return SSL_write(ssl_.get(), bytes.data(), static_cast<int>(bytes.size())) ==
         static_cast<int>(bytes.size());
}

std::string tls_client::read_until(std::string_view wanted) {
  char chunk[4096];
  while (in_.find(wanted) == std::string::npos) {
    const int n = SSL_read(ssl_.get(), chunk, sizeof chunk);
    if (n <= 0) break;
    in_.append(chunk, static_cast<std::size_t>(n));
  }
  return in_;
}

}  // namespace baraza::http::tests
