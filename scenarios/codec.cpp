#include "scenarios/codec.h"

#include <algorithm>
#include <optional>

#include "base/check.h"

namespace godwit::scenarios {
namespace {

static_assert(kNameMost == 100);
constexpr std::string_view kNamePattern = "^[A-Za-z0-9_.-]{1,100}$";

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

std::optional<std::uint64_t> read_quantity(Dimension dimension, Range range, const Node& node, Issues& issues) {
  if (!node.is(Node::Type::kString)) {
    issues.at(node, fmt::format("expected {}, got {}", expected(dimension), shown(node)));
    return std::nullopt;
  }
  const auto parsed = parse_quantity(dimension, node.text);
  if (const auto* error = std::get_if<QuantityError>(&parsed)) {
    issues.at(node, fmt::format("expected {}, got {}: {}", expected(dimension), shown(node), error->what));
    return std::nullopt;
  }
  const auto value = std::get<std::uint64_t>(parsed);
  if (value < bound(dimension, range.least) || value > bound(dimension, range.most)) {
    issues.at(node, fmt::format("expected {} to {}, got {}", range.least, range.most, shown(node)));
    return std::nullopt;
  }
  return value;
}

/// `wrap` makes a T of the number, `unwrap` the number of a T.
template <class T, class Wrap, class Unwrap>
Codec<T> quantity(Dimension dimension, Range range, std::string word, Wrap wrap, Unwrap unwrap) {
  return {[=](const Node& node, T& value, Issues& issues) {
            const std::optional<std::uint64_t> number = read_quantity(dimension, range, node, issues);
            if (number) value = wrap(*number);
            return number.has_value();
          },
          [=](const T& value) { return Json(format_quantity(dimension, unwrap(value))); },
          [=] {
            return Json{{"type", "string"}, {"pattern", quantity_pattern(dimension)}};
          },
          fmt::format("{}, {} to {}", word, range.least, range.most)};
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

Codec<std::string> word(std::string what) {
  return {[=](const Node& node, std::string& value, Issues& issues) {
            if (!node.is(Node::Type::kString) || !is_name(node.text)) {
              issues.at(node, fmt::format("expected {} of at most {} letters, digits, '_', '-' and '.', got {}", what,
                                          kNameMost, shown(node)));
              return false;
            }
            return value = node.text, true;
          },
          [](const std::string& value) { return Json(value); },
          [] {
            return Json{{"type", "string"}, {"pattern", kNamePattern}};
          },
          what};
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

std::string not_one_of(const Node& node, const std::vector<std::string>& names) {
  const std::string hint = node.is(Node::Type::kString) ? did_you_mean(node.text, names) : "";
  return fmt::format("expected one of {}, got {}{}", joined(names), shown(node), hint);
}

}  // namespace godwit::scenarios
