// What an account may be called and how a password must look: decisions without store, clock or
// socket.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <variant>

namespace baraza::http::accounts {

/// A refusal of user input: the code is of docs/protocol.md, the sentence says what is allowed.
struct refusal {
  std::string_view code, sentence;
};

/// A login name in its one stored form: a phone number in E.164 ("+254712345678"; spaces, dashes,
/// dots and brackets are dropped, "00" becomes "+"; "07…" and "01…" are Kenyan), or an e-mail
/// address with its domain (and, as every provider of note does, its local part) in lower case,
/// ASCII only.
std::variant<std::string, refusal> normalise_name(std::string_view name);

/// 8–128 bytes of UTF-8 without control characters, and not the name itself. No composition rules
/// (NIST 800-63B, ASVS 2.1). The bytes are hashed as they come: without a Unicode library there is
/// no NFC here, so that a client must send composed characters always or never.
std::optional<refusal> check_password(std::string_view password, std::string_view normalised_name);

/// 1–32 bytes of UTF-8 without control characters, trimmed.
std::variant<std::string, refusal> normalise_display(std::string_view display);

/// For logs: "+25471*****78", "j***@example.com".
std::string masked(std::string_view normalised_name);

}  // namespace baraza::http::accounts
