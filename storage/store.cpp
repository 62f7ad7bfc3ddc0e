#include "storage/store.hpp"

#include "storage/embedded/embedded.hpp"
#ifdef BARAZA_POSTGRES
#include "storage/postgres/postgres.hpp"
#endif

namespace baraza::storage {

result<std::unique_ptr<store>> open(std::string_view url, const open_options& options) {
  constexpr std::string_view sqlite = "sqlite:";
  if (url.starts_with(sqlite)) {
    const auto path = url.substr(sqlite.size());
    if (path.empty()) return error{errc::invalid, "the store URL sqlite: names no path"};
    return embedded::open(path, options);
  }
  if (url.starts_with("postgresql://") || url.starts_with("postgres://")) {
#ifdef BARAZA_POSTGRES
    return postgres::open(url, options);
#else
    return error{errc::invalid, "this binary was built without PostgreSQL"};
#endif
  }
  // The URL itself is not repeated: it may hold a password.
  return error{errc::invalid, "a store URL is sqlite:PATH or postgresql://…"};
}

}  // namespace baraza::storage
