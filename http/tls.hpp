// The TLS side of the player port: 1.3 only, no early data (a replayed bet is a bet), no tickets,
// HTTP/1.1 only.
#pragma once

#include <memory>
#include <string>

namespace boost::asio::ssl {
class context;
}

namespace baraza::http {

/// Throws boost::system::system_error if the files do not hold a matching certificate chain and key
/// (PEM).
std::unique_ptr<boost::asio::ssl::context> make_tls_context(const std::string& certificate_file,
                                                            const std::string& key_file);

}  // namespace baraza::http
