#include "scenarios/codec.h"

#include <algorithm>
#include <numeric>
#include <optional>

#include "base/check.h"

namespace godwit::scenarios {
namespace {

static_assert(kNameMost == 100);
constexpr std::string_view kNamePattern = "^[A-Za-z0-9_.-]{1,100}$";
constexpr std::string_view kAllPattern = "^([A-Za-z0-9_.-]{1,100}|[A-Za-z0-9_.-]{0,100}\\*)$";

bool is_name(std::string_view text) {
  return !text.empty() && text.size() <= kNameMost && std::all_of(text.begin(), text.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-' ||
           c == '.';
  });
}

/// The bound of a table, which must be right.
std::uint64_t bound(Dimension dimension, std::string_view text) {
  const auto parsed = parse_quantity(dimension, text);
  GODWIT_CHECK(std::holds_alternative<std::uint64_t>(parsed));
  return std::get<std::uint64_t>(parsed);
}

/// A quantity of a table, with its bounds as numbers.
struct Bounded {
  Dimension dimension;
  Range range;
  std::uint64_t least = bound(dimension, range.least), most = bound(dimension, range.most);
};

std::optional<std::uint64_t> read_quantity(const Bounded& bounded, const Node& node, Issues& issues) {
  const auto& [dimension, range, least, most] = bounded;
  if (!node.is(Node::Type::kString)) {
    const char* list = node.is(Node::Type::kArray) ? "; a list is taken in turn only where there is a count" : "";
    issues.at(node, fmt::format("expected {}, got {}{}", expected(dimension), shown(node), list));
    return std::nullopt;
  }
  const auto parsed = parse_quantity(dimension, node.text);
  if (const auto* error = std::get_if<QuantityError>(&parsed)) {
    issues.at(node, fmt::format("expected {}, got {}: {}", expected(dimension), shown(node), error->what));
    return std::nullopt;
  }
  const auto value = std::get<std::uint64_t>(parsed);
  if (value < least || value > most) {
    issues.at(node, fmt::format("expected {} to {}, got {}", range.least, range.most, shown(node)));
    return std::nullopt;
  }
  return value;
}

/// The element of a list whose turn it is. All of them are judged in the first turn.
std::optional<std::uint64_t> read_in_turn(const Bounded& bounded, const Node& list, Turn& turn, Issues& issues) {
  const std::size_t size = list.children.size();
  if (size == 0 || size > turn.count) {
    issues.at(list, fmt::format("expected a list of 1 to {} quantities, as the count says, got {}", turn.count, size));
    return std::nullopt;
  }
  turn.period = static_cast<std::uint32_t>(
      std::min<std::uint64_t>(turn.count, std::lcm(std::uint64_t{turn.period}, std::uint64_t{size})));
  bool ok = true;
  for (std::size_t i = 0; turn.index == 0 && i < size; ++i)
    ok &= read_quantity(bounded, list.children[i], issues).has_value();
  return ok ? read_quantity(bounded, list.children[turn.index % size], issues) : std::nullopt;
}

/// `wrap` makes a T of the number, `unwrap` the number of a T.
template <class T, class Wrap, class Unwrap>
Codec<T> quantity(Dimension dimension, Range range, std::string word, Wrap wrap, Unwrap unwrap) {
  const Bounded bounded{dimension, range};
  return {.read =
              [=](const Node& node, T& value, Issues& issues) {
                Turn* turn = node.is(Node::Type::kArray) ? issues.turn() : nullptr;
                const std::optional<std::uint64_t> number = turn != nullptr && turn->count > 0
                                                                ? read_in_turn(bounded, node, *turn, issues)
                                                                : read_quantity(bounded, node, issues);
                if (number) value = wrap(*number);
                return number.has_value();
              },
          .write = [=](const T& value) { return Json(format_quantity(dimension, unwrap(value))); },
          .schema =
              [=] {
                return Json{{"type", "string"}, {"pattern", quantity_pattern(dimension)}};
              },
          .kind = fmt::format("{}, {} to {}", word, range.least, range.most),
          .in_turn = true};
}

template <class T>
Codec<T> amount(Dimension dimension, Range range, std::string word) {
  return quantity<T>(
      dimension, range, std::move(word), [](std::uint64_t n) { return T{n}; }, [](const T& v) { return v.value; });
}

Codec<std::uint64_t> number(Dimension dimension, Range range, std::string word) {
  return quantity<std::uint64_t>(
      dimension, range, std::move(word), [](std::uint64_t n) { return n; }, [](std::uint64_t v) { return v; });
}

bool read_whole(const Node& node, std::uint64_t least, std::uint64_t most, std::uint64_t& value, Issues& issues) {
  const std::string& digits = node.text;
  const bool whole = node.is(Node::Type::kNumber) && digits.size() <= 20 &&
                     std::all_of(digits.begin(), digits.end(), [](char c) { return c >= '0' && c <= '9'; });
  u128 parsed = 0;
  for (const char c : whole ? digits : std::string()) parsed = parsed * 10 + static_cast<unsigned>(c - '0');
  if (!whole || parsed < least || parsed > most) {
    issues.at(node, fmt::format("expected a whole number from {} to {}, got {}", least, most, shown(node)));
    return false;
  }
  return value = static_cast<std::uint64_t>(parsed), true;
}

/// The name itself, or with `or_all` what comes before a * at the end, which may be nothing.
bool is_word(std::string_view text, bool or_all) {
  if (!or_all || !text.ends_with('*')) return is_name(text);
  text.remove_suffix(1);
  return text.empty() || is_name(text);
}

Codec<std::string> word(std::string what, bool or_all = false) {
  return {[=](const Node& node, std::string& value, Issues& issues) {
            if (!node.is(Node::Type::kString) || !is_word(node.text, or_all)) {
              issues.at(node, fmt::format("expected {} of at most {} letters, digits, '_', '-' and '.'{}, got {}", what,
                                          kNameMost, or_all ? ", or the beginning of names and a *" : "", shown(node)));
              return false;
            }
            return value = node.text, true;
          },
          [](const std::string& value) { return Json(value); },
          [=] {
            return Json{{"type", "string"}, {"pattern", or_all ? kAllPattern : kNamePattern}};
          },
          or_all ? what + ", or the beginning of names and a *" : what};
}

}  // namespace

Codec<Bytes> bytes(Range range) { return amount<Bytes>(Dimension::kBytes, range, "memory"); }
Codec<Pages> pages(Range range) { return amount<Pages>(Dimension::kPages, range, "pages"); }
Codec<BitsPerSecond> rate(Range range) { return amount<BitsPerSecond>(Dimension::kRate, range, "bandwidth"); }

Codec<Nanos> time(Range range) {
  return quantity<Nanos>(
      Dimension::kTime, range, "time", [](std::uint64_t n) { return Nanos{static_cast<std::int64_t>(n)}; },
      [](Nanos v) { return static_cast<std::uint64_t>(v.count()); });
}

Codec<std::uint64_t> write_rate(Range range) { return number(Dimension::kWriteRate, range, "write rate"); }
Codec<Share> share(Range range) { return number(Dimension::kShare, range, "share"); }

Codec<std::uint64_t> decimal(Range range) {
  const auto millionths = [](std::string_view digits) {
    const auto parsed = parse_millionths(digits);
    GODWIT_CHECK(std::holds_alternative<std::uint64_t>(parsed));
    return std::get<std::uint64_t>(parsed);
  };
  const std::uint64_t least = millionths(range.least), most = millionths(range.most);
  return {
      [=](const Node& node, std::uint64_t& value, Issues& issues) {
        const auto parsed = parse_millionths(node.is(Node::Type::kNumber) ? node.text : "");
        const auto* number = std::get_if<std::uint64_t>(&parsed);
        if (number == nullptr || *number < least || *number > most) {
          issues.at(node, fmt::format("expected a number from {} to {} with at most six decimals, got {}", range.least,
                                      range.most, shown(node)));
          return false;
        }
        return value = *number, true;
      },
      [](std::uint64_t value) { return Json::parse(fmt::format("{}.{:06}", value / 1'000'000, value % 1'000'000)); },
      [=] {
        return Json{{"type", "number"},
                    {"minimum", Json::parse(std::string(range.least))},
                    {"maximum", Json::parse(std::string(range.most))}};
      },
      fmt::format("number, {} to {}", range.least, range.most)};
}

Codec<std::uint64_t> whole_number(std::uint64_t least, std::uint64_t most) {
  return {[=](const Node& node, std::uint64_t& value, Issues& issues) {
            return read_whole(node, least, most, value, issues);
          },
          [](std::uint64_t value) { return Json(value); },
          [=] {
            return Json{{"type", "integer"}, {"minimum", least}, {"maximum", most}};
          },
          fmt::format("whole number, {} to {}", least, most)};
}

Codec<std::uint32_t> count(std::uint32_t least, std::uint32_t most) {
  return {[=](const Node& node, std::uint32_t& value, Issues& issues) {
            std::uint64_t wide = 0;
            if (!read_whole(node, least, most, wide, issues)) return false;
            return value = static_cast<std::uint32_t>(wide), true;
          },
          [](std::uint32_t value) { return Json(value); },
          [=] {
            return Json{{"type", "integer"}, {"minimum", least}, {"maximum", most}};
          },
          fmt::format("whole number, {} to {}", least, most)};
}

Codec<bool> flag() {
  return {[](const Node& node, bool& value, Issues& issues) {
            if (!node.is(Node::Type::kBoolean)) {
              issues.at(node, fmt::format("expected true or false, got {}", shown(node)));
              return false;
            }
            return value = node.text == "true", true;
          },
          [](bool value) { return Json(value); },
          [] {
            return Json{{"type", "boolean"}};
          },
          "true or false"};
}

Codec<std::string> text() {
  return {[](const Node& node, std::string& value, Issues& issues) {
            if (!node.is(Node::Type::kString)) {
              issues.at(node, fmt::format("expected a text, got {}", shown(node)));
              return false;
            }
            return value = node.text, true;
          },
          [](const std::string& value) { return Json(value); },
          [] {
            return Json{{"type", "string"}};
          },
          "text"};
}

Codec<std::string> name() { return word("a name"); }
Codec<std::string> name_of(std::string what) { return word(std::move(what)); }
Codec<std::string> name_or_all_of(std::string what) { return word(std::move(what), true); }

std::string not_one_of(const Node& node, const std::vector<std::string>& names) {
  const std::string hint = node.is(Node::Type::kString) ? did_you_mean(node.text, names) : "";
  return fmt::format("expected one of {}, got {}{}", joined(names), shown(node), hint);
}

}  // namespace godwit::scenarios
