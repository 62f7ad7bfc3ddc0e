#include "cluster/certs/certs.hpp"

#include <arpa/inet.h>
#include <openssl/ec.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include <algorithm>
#include <memory>
#include <optional>

#include "cluster/certs/files.hpp"

namespace baraza::cluster::certs {
namespace {

template <auto Free>
struct freed_by {
  void operator()(auto* what) const { Free(what); }
};
using key_ptr = std::unique_ptr<EVP_PKEY, freed_by<EVP_PKEY_free>>;
using certificate_ptr = std::unique_ptr<X509, freed_by<X509_free>>;
using bio_ptr = std::unique_ptr<BIO, freed_by<BIO_free_all>>;
using extension_ptr = std::unique_ptr<X509_EXTENSION, freed_by<X509_EXTENSION_free>>;
using number_ptr = std::unique_ptr<BIGNUM, freed_by<BN_free>>;

constexpr long skew_seconds = 300;  // nodes' clocks may be this late when a certificate is new
constexpr long day_seconds = 24 * 60 * 60;

struct authority {
  std::vector<certificate_ptr> trusted;  // as in ca.pem, newest first
  key_ptr key;
  X509* current = nullptr;  // the one of `trusted` that the key belongs to
};

std::string text_of(BIO* memory) {
  char* data = nullptr;
  const auto size = BIO_get_mem_data(memory, &data);
  return {data, static_cast<std::size_t>(size)};
}
std::string pem(X509* certificate) {
  bio_ptr out{BIO_new(BIO_s_mem())};
  PEM_write_bio_X509(out.get(), certificate);
  return text_of(out.get());
}
std::string pem(EVP_PKEY* key) {
  bio_ptr out{BIO_new(BIO_s_secmem())};
  PEM_write_bio_PrivateKey(out.get(), key, nullptr, nullptr, 0, nullptr, nullptr);
  return text_of(out.get());
}
std::string pem(const std::vector<certificate_ptr>& all) {
  std::string out;
  for (const auto& one : all) out += pem(one.get());
  return out;
}

bool add_extension(X509* to, X509* issuer, int what, const std::string& value) {
  X509V3_CTX context;
  X509V3_set_ctx_nodb(&context);
  X509V3_set_ctx(&context, issuer, to, nullptr, nullptr, 0);
  const extension_ptr made{X509V3_EXT_conf_nid(nullptr, &context, what, value.c_str())};
  return made && X509_add_ext(to, made.get(), -1) == 1;
}

bool set_random_serial(X509* to) {
  const number_ptr number{BN_new()};
  return number && BN_rand(number.get(), 127, BN_RAND_TOP_ONE, BN_RAND_BOTTOM_ANY) == 1 &&
         BN_to_ASN1_INTEGER(number.get(), X509_get_serialNumber(to)) != nullptr;
}

bool set_name(X509* to, const std::string& common_name) {
  return X509_NAME_add_entry_by_txt(X509_get_subject_name(to), "CN", MBSTRING_UTF8,
                                    reinterpret_cast<const unsigned char*>(common_name.data()),
                                    static_cast<int>(common_name.size()), -1, 0) == 1;
}

/// All but the extensions and the signature.
certificate_ptr blank(EVP_PKEY* key, const std::string& common_name, int days) {
  certificate_ptr out{X509_new()};
  if (!out || X509_set_version(out.get(), X509_VERSION_3) != 1 || !set_random_serial(out.get()) ||
      X509_gmtime_adj(X509_getm_notBefore(out.get()), -skew_seconds) == nullptr ||
      X509_gmtime_adj(X509_getm_notAfter(out.get()), days * day_seconds) == nullptr ||
      !set_name(out.get(), common_name) || X509_set_pubkey(out.get(), key) != 1)
    return nullptr;
  return out;
}

certificate_ptr make_authority(EVP_PKEY* key, const std::string& common_name) {
  auto out = blank(key, common_name, authority_days);
  if (!out || X509_set_issuer_name(out.get(), X509_get_subject_name(out.get())) != 1 ||
      !add_extension(out.get(), out.get(), NID_basic_constraints, "critical,CA:TRUE,pathlen:0") ||
      !add_extension(out.get(), out.get(), NID_key_usage, "critical,keyCertSign,cRLSign") ||
      !add_extension(out.get(), out.get(), NID_subject_key_identifier, "hash") ||
      X509_sign(out.get(), key, EVP_sha256()) == 0)
    return nullptr;
  return out;
}

/// Each authority has a name of its own, so that no chain is tried with the wrong one.
std::string authority_name(const std::string& cluster) {
  const number_ptr number{BN_new()};
  if (!number || BN_rand(number.get(), 64, BN_RAND_TOP_ANY, BN_RAND_BOTTOM_ANY) != 1) return {};
  const std::unique_ptr<char, void (*)(char*)> hex{BN_bn2hex(number.get()),
                                                   [](char* c) { OPENSSL_free(c); }};
  return "baraza " + cluster + " nodes " + hex.get();
}

std::string cluster_of(X509* certificate) {
  char name[256] = {};
  X509_NAME_get_text_by_NID(X509_get_subject_name(certificate), NID_commonName, name, sizeof name);
  const std::string whole{name};
  const auto from = whole.find(' ') + 1, to = whole.find(' ', from);
  return to == std::string::npos ? std::string{"nodes"} : whole.substr(from, to - from);
}

bool is_label(const std::string& name) {
  return !name.empty() && name.size() <= 63 && name.front() != '-' && name.back() != '-' &&
         std::all_of(name.begin(), name.end(), [](char c) {
           return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-';
         });
}

/// "IP:…" or "DNS:…"; nothing if it is neither.
std::optional<std::string> san_of(const std::string& address) {
  unsigned char raw[16];
  if (inet_pton(AF_INET, address.c_str(), raw) == 1 ||
      inet_pton(AF_INET6, address.c_str(), raw) == 1)
    return "IP:" + address;
  if (address.empty() || address.size() > 253) return std::nullopt;
  for (std::size_t from = 0; from <= address.size();) {
    const auto to = std::min(address.find('.', from), address.size());
    if (!is_label(address.substr(from, to - from))) return std::nullopt;
    from = to + 1;
  }
  return "DNS:" + address;
}

std::string load(const std::filesystem::path& folder, authority& out) {
  std::string bundle, key;
  if (auto why = read_whole(folder / "ca.pem", bundle); !why.empty()) return why;
  if (auto why = read_whole(folder / "ca.key", key); !why.empty()) return why;
  const bio_ptr certificates{BIO_new_mem_buf(bundle.data(), static_cast<int>(bundle.size()))};
  while (auto* one = PEM_read_bio_X509(certificates.get(), nullptr, nullptr, nullptr))
    out.trusted.emplace_back(one);
  const bio_ptr secret{BIO_new_mem_buf(key.data(), static_cast<int>(key.size()))};
  out.key.reset(PEM_read_bio_PrivateKey(secret.get(), nullptr, nullptr, nullptr));
  OPENSSL_cleanse(key.data(), key.size());
  if (!out.key) return (folder / "ca.key").string() + ": holds no private key";
  for (const auto& one : out.trusted)
    if (X509_check_private_key(one.get(), out.key.get()) == 1) out.current = one.get();
  if (out.current == nullptr)
    return (folder / "ca.key").string() + ": is the key of no certificate in ca.pem";
  return {};
}

certificate_ptr make_node(const authority& by, EVP_PKEY* key, const node_request& request,
                          const std::string& names) {
  auto out = blank(key, request.name, request.days);
  if (!out || X509_set_issuer_name(out.get(), X509_get_subject_name(by.current)) != 1 ||
      !add_extension(out.get(), by.current, NID_basic_constraints, "critical,CA:FALSE") ||
      !add_extension(out.get(), by.current, NID_key_usage, "critical,digitalSignature") ||
      !add_extension(out.get(), by.current, NID_ext_key_usage, "serverAuth,clientAuth") ||
      !add_extension(out.get(), by.current, NID_subject_key_identifier, "hash") ||
      !add_extension(out.get(), by.current, NID_authority_key_identifier, "keyid:always") ||
      !add_extension(out.get(), by.current, NID_subject_alt_name, names) ||
      X509_sign(out.get(), by.key.get(), EVP_sha256()) == 0)
    return nullptr;
  return out;
}

const std::string openssl_failed = "OpenSSL could not make a certificate";

}  // namespace

std::string init(const std::filesystem::path& folder, const std::string& cluster) {
  if (!is_label(cluster))
    return "a cluster's name is lower-case letters, digits and dashes, at most 63";
  std::error_code failed;
  std::filesystem::create_directories(folder, failed);
  if (failed) return folder.string() + ": " + failed.message();
  for (const auto* name : {"ca.key", "ca.pem"})
    if (std::filesystem::exists(folder / name))
      return (folder / name).string() + " exists: use rotate for a new authority";
  const key_ptr key{EVP_EC_gen("P-256")};
  const auto made = key ? make_authority(key.get(), authority_name(cluster)) : nullptr;
  if (!made) return openssl_failed;
  if (auto why = write_private(folder / "ca.key", pem(key.get())); !why.empty()) return why;
  return write_private(folder / "ca.pem", pem(made.get()));
}

std::string issue(const std::filesystem::path& folder, const node_request& request) {
  if (!is_label(request.name))
    return "a node's name is lower-case letters, digits and dashes, at most 63";
  if (request.name == "ca") return "no node can be called ca: its files would be the authority's";
  if (request.days < 1 || request.days > node_days_max)
    return "a certificate is valid for 1 to " + std::to_string(node_days_max) + " days";
  if (request.addresses.size() > addresses_max)
    return "at most " + std::to_string(addresses_max) + " addresses";
  auto names = "DNS:" + request.name;
  for (const auto& address : request.addresses) {
    const auto san = san_of(address);
    if (!san) return address + " is neither an IP address nor a DNS name";
    names += ',' + *san;
  }
  authority by;
  if (auto why = load(folder, by); !why.empty()) return why;
  const key_ptr key{EVP_EC_gen("P-256")};
  const auto made = key ? make_node(by, key.get(), request, names) : nullptr;
  if (!made) return openssl_failed;
  std::error_code failed;
  std::filesystem::create_directories(request.out, failed);
  if (failed) return request.out.string() + ": " + failed.message();
  const auto file = [&](const char* ending) { return request.out / (request.name + ending); };
  // A node that reads between these writes meets a key that does not fit, and keeps what it has.
  if (auto why = write_private(request.out / "ca.pem", pem(by.trusted)); !why.empty()) return why;
  if (auto why = write_private(file(".key"), pem(key.get())); !why.empty()) return why;
  return write_private(file(".pem"), pem(made.get()));
}

std::string rotate(const std::filesystem::path& folder) {
  authority now;
  if (auto why = load(folder, now); !why.empty()) return why;
  if (now.trusted.size() >= authorities_max)
    return "ca.pem holds " + std::to_string(now.trusted.size()) + " authorities: finish first";
  const key_ptr key{EVP_EC_gen("P-256")};
  auto made = key ? make_authority(key.get(), authority_name(cluster_of(now.current))) : nullptr;
  if (!made) return openssl_failed;
  now.trusted.insert(now.trusted.begin(), std::move(made));
  // Trust first: if only this is written, the old key still signs what everybody trusts.
  if (auto why = write_private(folder / "ca.pem", pem(now.trusted)); !why.empty()) return why;
  return write_private(folder / "ca.key", pem(key.get()));
}

std::string finish(const std::filesystem::path& folder) {
  authority now;
  if (auto why = load(folder, now); !why.empty()) return why;
  return write_private(folder / "ca.pem", pem(now.current));
}

}  // namespace baraza::cluster::certs
