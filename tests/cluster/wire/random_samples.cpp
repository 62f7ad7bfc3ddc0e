#include "tests/cluster/wire/samples.hpp"

#include <limits>

#include "cluster/wire/fields.hpp"

namespace baraza::cluster::tests {
namespace {

using namespace baraza::cluster::wire;

/// An archive that fills fields: from a counter (golden values) or at random.
class filler {
 public:
  explicit filler(std::mt19937_64& random) : random_{random} {}

  template <class... Fields>
  void operator()(Fields&&... fields) {
    (fill(fields), ...);
  }
  template <class T>
  void fill(T&& value) {
    using type = std::remove_cvref_t<T>;
    if constexpr (std::is_same_v<type, bool>) {
      value = next() % 2 == 1;
    } else if constexpr (std::is_same_v<type, entity_kind>) {
      value = static_cast<entity_kind>(1 + next() % 6);
    } else if constexpr (std::is_same_v<type, storage::currency>) {
      value = static_cast<storage::currency>(1 + next() % 2);
    } else if constexpr (std::is_enum_v<type>) {
      do value = static_cast<type>(next() % 4);
      while (!is_known(value));
    } else if constexpr (std::is_integral_v<type>) {
      value = number<type>();
    } else {
      fill_value(value);
    }
  }

 private:
  std::uint64_t next() { return random_(); }
  template <class T>
  T number() {
    switch (next() % 6) {
      case 0:
        return std::numeric_limits<T>::min();
      case 1:
        return std::numeric_limits<T>::max();
      case 2:
        return static_cast<T>(0);
      default:
        return static_cast<T>(next() >> next() % 64);
    }
  }
  void fill_value(std::string& bytes) {
    bytes.resize(next() % 300);
    for (auto& c : bytes) c = static_cast<char>(next());
  }
  template <class S>
  void fill_value(added_field<S> field) {
    fill(field.value);
  }
  template <class S>
  void fill_value(text_field<S> text) {
    static constexpr std::string_view words[] = {"", "draw", "Wanjikũ", "日本", "z"};
    text.value = words[next() % 5];
  }
  void fill_value(uuid& id) { fill_value(id.bytes); }
  template <std::size_t N>
  void fill_value(std::array<std::uint8_t, N>& bytes) {
    for (auto& b : bytes) b = static_cast<std::uint8_t>(next());
  }
  template <class T>
  void fill_value(std::optional<T>& value) {
    next() % 2 == 1 ? fill(value.emplace()) : value.reset();
  }
  template <class T>
  void fill_value(std::vector<T>& list) {
    list.resize(next() % 5);
    for (auto& one : list) fill(one);
  }
  template <class T>
  void fill_value(T& structure) {
    fields(*this, structure);
  }

  std::mt19937_64& random_;
};

void fill_head(filler& with, head& about) {
  with(about.view, about.epoch, about.to, about.correlation, about.deadline, about.from,
       about.cause);
}

template <class Case>
void fill_case(filler& with, Case& chosen) {
  fields_of(chosen, [&](auto&&... each) { (with.fill(each), ...); });
}

template <class... Cases>
std::variant<Cases...> blank(std::type_identity<std::variant<Cases...>>, std::size_t which) {
  std::variant<Cases...> out;
  std::size_t i = 0;
  ((i++ == which ? void(out.template emplace<Cases>()) : void()), ...);
  return out;
}

template <class Variant>
payload filled(filler& with, std::size_t which) {
  auto v = blank(std::type_identity<Variant>{}, which);
  std::visit([&](auto& chosen) { fill_case(with, chosen); }, v);
  return v;
}

}  // namespace

message random_message(std::mt19937_64& random) {
  filler with{random};
  message m;
  fill_head(with, m.about);
  switch (random() % 5) {
    case 0:
      m.what = filled<actors::request>(with, random() % std::variant_size_v<actors::request>);
      break;
    case 1:
      m.what = filled<actors::answer>(with, random() % std::variant_size_v<actors::answer>);
      break;
    case 2:
      m.what = filled<actors::push>(with, random() % std::variant_size_v<actors::push>);
      break;
    case 3:
      m.what = filled<control>(with, random() % std::variant_size_v<control>);
      break;
    default: {
      moved where;
      fill_case(with, where);
      m.what = where;
    }
  }
  return m;
}

}  // namespace baraza::cluster::tests
