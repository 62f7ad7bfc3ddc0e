#include "storage/embedded/log_record.hpp"

#include <bit>
#include <cstring>
#include <type_traits>

#include "storage/embedded/sqlite.hpp"

namespace baraza::storage::embedded {
namespace {

static_assert(std::endian::native == std::endian::little, "numbers are stored as they lie here");

constexpr std::uint8_t format = 1;  // the first byte of a row
constexpr char member_tag = 'm', account_tag = 'a';

template <class T>
void put(std::string& into, T value) {
  static_assert(std::is_integral_v<T>);
  into.append(reinterpret_cast<const char*>(&value), sizeof value);
}

void put(std::string& into, const uuid& key) {
  into.append(reinterpret_cast<const char*>(key.bytes.data()), key.bytes.size());
}

class unpacker {
 public:
  explicit unpacker(std::string_view body) : rest_{body} {}
  [[nodiscard]] bool at_end() const { return rest_.empty(); }

  std::string_view bytes(std::size_t size) {
    if (size > rest_.size()) throw failure{errc::corrupt, "embedded store: a log row is cut short"};
    const auto taken = rest_.substr(0, size);
    rest_.remove_prefix(size);
    return taken;
  }
  template <class T>
  T number() {
    T value;
    std::memcpy(&value, bytes(sizeof value).data(), sizeof value);
    return value;
  }
  uuid key() {
    uuid id;
    std::memcpy(id.bytes.data(), bytes(id.bytes.size()).data(), id.bytes.size());
    return id;
  }

 private:
  std::string_view rest_;
};

/// @param position of its first transfer; moved on behind its last
void unpack_member(unpacker& in, std::uint64_t& position, log_listener& to) {
  entity_id entity;
  entity.kind = static_cast<entity_kind>(in.number<std::uint8_t>());
  entity.key = in.key();
  const auto before = in.number<std::uint64_t>();
  const auto events = in.number<std::uint32_t>();
  for (std::uint32_t i = 1; i <= events; ++i)
    to.event(entity, before + i, in.bytes(in.number<std::uint32_t>()));
  for (auto left = in.number<std::uint32_t>(); left > 0; --left) {
    transfer t;
    t.id = in.key();
    t.debit = in.key();
    t.credit = in.key();
    t.reference = in.key();
    t.amount = in.number<std::int64_t>();
    t.money = static_cast<currency>(in.number<std::uint16_t>());
    t.kind = static_cast<transfer_kind>(in.number<std::uint8_t>());
    to.moved(t, position++, before + 1);
  }
}

void unpack_account(unpacker& in, log_listener& to) {
  const auto id = in.key();
  account_state state;
  state.owner = in.key();
  state.amount = in.number<std::int64_t>();
  state.version = in.number<std::uint64_t>();
  state.kind = static_cast<account_kind>(in.number<std::uint8_t>());
  state.money = static_cast<currency>(in.number<std::uint16_t>());
  state.closed = in.number<std::uint8_t>() != 0;
  to.account(id, state);
}

}  // namespace

void log_packer::begin(const log_origin& origin) {
  body_.clear();
  filled_ = false;
  put(body_, format);
  put(body_, origin.batch.incarnation);
  put(body_, origin.batch.writer);
  put(body_, origin.batch.number);
  put(body_, origin.at);
  put(body_, origin.epoch);
  put(body_, origin.first_transfer);
}

void log_packer::member(const commit& what, const std::vector<const transfer*>& moves) {
  filled_ = true;
  body_.push_back(member_tag);
  put(body_, static_cast<std::uint8_t>(what.entity.kind));
  put(body_, what.entity.key);
  put(body_, what.expected_seq);
  put(body_, static_cast<std::uint32_t>(what.events.size()));
  for (const auto& event : what.events) {
    put(body_, static_cast<std::uint32_t>(event.size()));
    body_.append(event);
  }
  put(body_, static_cast<std::uint32_t>(moves.size()));
  for (const auto* t : moves) {
    for (const auto* key : {&t->id, &t->debit, &t->credit, &t->reference}) put(body_, *key);
    put(body_, t->amount);
    put(body_, static_cast<std::uint16_t>(t->money));
    put(body_, static_cast<std::uint8_t>(t->kind));
  }
}

void log_packer::account(const account_id& id, const account_state& state) {
  filled_ = true;
  body_.push_back(account_tag);
  put(body_, id);
  put(body_, state.owner);
  put(body_, state.amount);
  put(body_, state.version);
  put(body_, static_cast<std::uint8_t>(state.kind));
  put(body_, static_cast<std::uint16_t>(state.money));
  put(body_, static_cast<std::uint8_t>(state.closed ? 1 : 0));
}

std::string log_packer::take() {
  filled_ = false;
  return std::move(body_);
}

void unpack(std::string_view body, log_listener& to) {
  unpacker in{body};
  if (in.number<std::uint8_t>() != format)
    throw failure{errc::corrupt, "embedded store: a log row of a format this binary cannot read"};
  log_origin of;
  of.batch.incarnation = in.number<std::uint64_t>();
  of.batch.writer = in.number<std::uint16_t>();
  of.batch.number = in.number<std::uint64_t>();
  of.at = in.number<std::int64_t>();
  of.epoch = in.number<std::uint64_t>();
  of.first_transfer = in.number<std::uint64_t>();
  to.origin(of);
  auto position = of.first_transfer;
  while (!in.at_end()) {
    const char tag = in.number<char>();
    if (tag == member_tag)
      unpack_member(in, position, to);
    else if (tag == account_tag)
      unpack_account(in, to);
    else
      throw failure{errc::corrupt, "embedded store: a log row holds something unknown"};
  }
}

}  // namespace baraza::storage::embedded
