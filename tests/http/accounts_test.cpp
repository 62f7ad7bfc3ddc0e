#include <catch2/catch_test_macros.hpp>

#include "http/accounts.hpp"

using namespace baraza::http::accounts;

namespace {
std::string name(std::string_view raw) {
  auto out = normalise_name(raw);
  return std::holds_alternative<std::string>(out) ? std::get<std::string>(out) : "refused";
}
bool is_display(std::string_view raw) {
  return std::holds_alternative<std::string>(normalise_display(raw));
}
}  // namespace

TEST_CASE("phone numbers have one form", "[accounts]") {
  for (const auto* same : {"+254712345678", "+254 712 345 678", "00254712345678", "0712345678",
                           "0712-345-678", "254712345678", " (+254) 712.345678 "}) {
    CAPTURE(same);
    CHECK(name(same) == "+254712345678");
  }
  CHECK(name("0112345678") == "+254112345678");
  for (const auto* bad : {"", "12345", "+1", "+0123456789", "0712", "+1234567890123456",
                          "07123x5678", "++254712345678", "+254;712345678"}) {
    CAPTURE(bad);
    CHECK(name(bad) == "refused");
  }
}

TEST_CASE("e-mail addresses are lower case and plain", "[accounts]") {
  CHECK(name("Asha.N+x@Mail.Example.COM") == "asha.n+x@mail.example.com");
  for (const auto* bad :
       {"@b.example", "a@", "a@b", "a@b..example", "a@-b.example", "a@@b.example", "a b@c.example",
        ".a@b.example", "a..b@c.example", "a@b.example\n", "\xC3\xA9@b.example", "a@b_c.example"}) {
    CAPTURE(bad);
    CHECK(name(bad) == "refused");
  }
  CHECK(name(std::string(300, 'a') + "@b.example") == "refused");
}

TEST_CASE("passwords have 8 to 128 bytes of text", "[accounts]") {
  CHECK_FALSE(check_password("12345678", "a@b.example"));
  CHECK_FALSE(check_password(std::string(128, 'x'), "a@b.example"));
  CHECK_FALSE(check_password("nenosiri la siri \xC3\xA9", "a@b.example"));
  CHECK(check_password("1234567", "a@b.example"));
  CHECK(check_password(std::string(129, 'x'), "a@b.example"));
  CHECK(check_password("1234567\n", "a@b.example"));
  CHECK(check_password("12345678\xFF", "a@b.example"));
  CHECK(check_password("a@b.example", "a@b.example"));
}

TEST_CASE("display names are short and printable", "[accounts]") {
  CHECK(is_display("Asha"));
  CHECK(is_display("  Björn 🎱 "));
  CHECK_FALSE(is_display(""));
  CHECK_FALSE(is_display("   "));
  CHECK_FALSE(is_display(std::string(33, 'x')));
  CHECK_FALSE(is_display("a\x1B[31m"));
  CHECK_FALSE(is_display("\xFF"));
}

TEST_CASE("logs see masked names", "[accounts]") {
  CHECK(masked("+254712345678") == "+25471*****78");
  CHECK(masked("asha@b.example") == "a***@b.example");
  CHECK(masked("+1234567") == "***");
}
