// Just enough HTTP to ask many nodes of this machine how they are, all at once.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

namespace baraza::cluster::local {

struct http_question {
  std::string address;  // IPv4
  std::uint16_t port = 0;
  std::string path;
};
struct http_reply {
  int status = 0;  // 0: none came in time
  std::string body;
};

/// GET, in the order of the questions. Takes at most `limit`.
std::vector<http_reply> http_get(const std::vector<http_question>& questions,
                                 std::chrono::milliseconds limit);

}  // namespace baraza::cluster::local
