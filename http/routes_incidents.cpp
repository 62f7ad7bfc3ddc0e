// What operators see and decide of entities that stopped: incidents, retry, void.
#include <boost/json.hpp>
#include <charconv>

#include "http/admin.hpp"
#include "http/limits.hpp"

namespace baraza::http {
namespace {

namespace json = boost::json;
using order = actors::operator_order;

constexpr std::uint32_t incidents_default = 50, incidents_max = 200;  // of one page
constexpr std::chrono::seconds order_deadline{10};  // two writes of a store that may be slow

template <class Number>
bool read_number(std::string_view text, Number& into) {
  const auto end = std::from_chars(text.data(), text.data() + text.size(), into);
  return end.ec == std::errc{} && end.ptr == text.data() + text.size();
}

/// "AT.ID" of the last incident of the page before: both, since several may be of one millisecond.
bool read_cursor(std::string_view text, storage::incident& into) {
  const auto dot = text.find('.');
  if (dot == std::string_view::npos || !read_number(text.substr(0, dot), into.at)) return false;
  const auto id = uuid::parse(text.substr(dot + 1));
  if (id) into.id = *id;
  return id.has_value();
}

void list(cluster::read_pool& reads, const exchange& x) {
  std::uint32_t limit = incidents_default;
  if (const auto text = x.query("limit");
      !text.empty() && (!read_number(text, limit) || limit < 1 || limit > incidents_max))
    return x.fail(422, "bad_field", "limit is a number from 1 to 200.");
  std::optional<storage::incident> before;
  if (const auto text = x.query("before"); !text.empty() && !read_cursor(text, before.emplace()))
    return x.fail(422, "bad_field", "before is the next_before of the page before.");
  const bool queued = reads.submit([x, limit, before](storage::reader& from) {
    const auto rows = from.incidents(limit, before ? &*before : nullptr);
    if (!rows) return x.fail(503, "unavailable", "The incidents cannot be read right now.", 1000);
    json::array out;
    for (const auto& row : *rows)
      out.push_back(json::object{{"id", row.id.to_string()},
                                 {"at", row.at},
                                 {"what", row.kind},
                                 {"kind", std::string{to_string(row.entity.kind)}},
                                 {"entity", row.entity.key.to_string()},
                                 {"detail", row.detail}});
    json::object body{{"incidents", std::move(out)}};
    if (rows->size() == limit)
      body["next_before"] = std::to_string(rows->back().at) + '.' + rows->back().id.to_string();
    x.ok(json::serialize(body));
  });
  if (!queued) x.fail(503, "overloaded", "Too many reads are waiting.", 1000);
}

void tell(bridge& to, order::action what, const exchange& x) {
  const auto kind = parse_entity_kind(x.parts.at(0));
  const auto key = uuid::parse(x.parts.at(1));
  if (!kind || !key)
    return x.fail(404, "not_found", "There is no such kind, or the id is no uuid.");
  auto by = x.query("by");
  if (!is_operator_name(by))
    return x.fail(422, "bad_field",
                  "by names who decides this: 1 to 64 letters, digits or one of -_.@");
  to.ask({*kind, *key}, order{what, std::move(by)}, x.what.request_id, order_deadline,
         [x](const actors::answer& said) {
           const auto* no = std::get_if<actors::refused>(&said);
           if (no == nullptr) return x.ok("{\"begun\":true}", 202);
           const bool is_state = no->code == "not_quarantined";
           x.fail(is_state ? 409 : 503, no->code, no->message, no->retry_ms);
         });
}

}  // namespace

void add_incidents(std::vector<route>& routes, bridge& to, cluster::read_pool& reads) {
  routes.push_back(
      {"GET", "/admin/v1/incidents", 0, false, [&reads](const exchange& x) { list(reads, x); }});
  routes.push_back({"POST", "/admin/v1/entities/{kind}/{id}/retry", 0, false,
                    [&to](const exchange& x) { tell(to, order::action::retry, x); }});
  routes.push_back({"POST", "/admin/v1/entities/{kind}/{id}/void", 0, false,
                    [&to](const exchange& x) { tell(to, order::action::give_up, x); }});
}

}  // namespace baraza::http
