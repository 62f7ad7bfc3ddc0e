// TLS between nodes: 1.3 only, both sides show a certificate of the cluster's CA.
#pragma once

#include <memory>
#include <string>
#include <variant>

struct ssl_st;
namespace boost::asio::ssl {
class context;
}

namespace baraza::cluster {

struct link_certificates;

/// For both roles; or what is wrong with the files, in one sentence.
std::variant<std::shared_ptr<boost::asio::ssl::context>, std::string> make_link_context(
    const link_certificates& files);
/// Whether the peer's certificate is for this node name (a DNS name among its SANs, no wildcard).
bool shows_name(ssl_st* session, const std::string& name);

}  // namespace baraza::cluster
