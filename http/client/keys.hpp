// What a person types, key by key on a terminal, or byte by byte from a pipe or file.
#pragma once

#include <functional>
#include <memory>

namespace boost::asio {
class io_context;
}

namespace baraza::client {

class keys {
 public:
  /// Reads standard input on a thread of its own (a file cannot be waited for) and calls `pressed`
  /// in the io_context; 0 is the end of the input. On a terminal, keys count at once and are not
  /// echoed, until this object goes.
  keys(boost::asio::io_context& io, std::function<void(char)> pressed);
  ~keys();
  keys(const keys&) = delete;
  keys& operator=(const keys&) = delete;

 private:
  class impl;
  std::unique_ptr<impl> impl_;
};

}  // namespace baraza::client
