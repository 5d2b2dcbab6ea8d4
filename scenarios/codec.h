#pragma once

#include <fmt/format.h>

#include <cstdint>
#include <functional>
#include <limits>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/units.h"
#include "scenarios/issues.h"
#include "scenarios/node.h"
#include "scenarios/quantity.h"

/// How a value of one kind is read from a file, written to one, and described.
namespace godwit::scenarios {

template <class T>
struct Codec {
  std::function<bool(const Node&, T&, Issues&)> read;  ///< False after saying what is wrong.
  std::function<Json(const T&)> write;
  std::function<Json()> schema;
  std::string kind;      ///< For people: "time, 0 s to 1 h".
  bool in_turn = false;  ///< Where there is a turn, a list of such values is taken in turn.
};

/// What a quantity may be, as text: "1 kbit/s" to "10 Tbit/s".
struct Range {
  std::string_view least, most;
};

Codec<Bytes> bytes(Range range);
Codec<Pages> pages(Range range);
Codec<BitsPerSecond> rate(Range range);
Codec<Nanos> time(Range range);
Codec<std::uint64_t> write_rate(Range range);
Codec<Share> share(Range range);

/// A plain decimal number, kept in millionths.
Codec<std::uint64_t> decimal(Range range);

Codec<std::uint64_t> whole_number(std::uint64_t least, std::uint64_t most);
Codec<std::uint32_t> count(std::uint32_t least, std::uint32_t most);
Codec<bool> flag();
Codec<std::string> text();

/// At most kNameMost letters, digits, '_', '-' and '.'.
inline constexpr std::size_t kNameMost = 100;
Codec<std::string> name();

/// A name that something else of the file bears.
Codec<std::string> name_of(std::string what);

/// The same, or the beginning of several names and a *.
Codec<std::string> name_or_all_of(std::string what);

template <class E>
struct Choice {
  std::string name;
  E value;
  std::string doc;
};

/// The issue for a word that is none of `names`.
std::string not_one_of(const Node& node, const std::vector<std::string>& names);

template <class E>
Codec<E> choice(std::vector<Choice<E>> choices) {
  std::vector<std::string> names;
  for (const Choice<E>& each : choices) names.push_back(each.name);
  Codec<E> codec;
  codec.read = [=](const Node& node, E& value, Issues& issues) {
    for (const Choice<E>& each : choices)
      if (node.is(Node::Type::kString) && each.name == node.text) return value = each.value, true;
    return issues.at(node, not_one_of(node, names)), false;
  };
  codec.write = [=](const E& value) -> Json {
    for (const Choice<E>& each : choices)
      if (each.value == value) return each.name;
    return nullptr;
  };
  codec.schema = [=] {
    Json schema{{"type", "string"}, {"enum", names}};
    Json docs = Json::array();
    for (const Choice<E>& each : choices) docs.push_back(each.doc);
    if (!choices.empty() && !choices.front().doc.empty()) schema["enumDescriptions"] = docs;
    return schema;
  };
  codec.kind = fmt::format("one of {}", joined(names));
  return codec;
}

/// How many hosts, guests and the like a scenario may have.
inline constexpr std::size_t kListMost = 100'000;

template <class T>
Codec<std::vector<T>> list(Codec<T> element, std::size_t least = 0, std::size_t most = kListMost) {
  Codec<std::vector<T>> codec;
  codec.read = [=](const Node& node, std::vector<T>& values, Issues& issues) {
    if (!node.is(Node::Type::kArray)) {
      issues.at(node, fmt::format("expected a {}, got {}", "list", shown(node)));
      return false;
    }
    if (node.children.size() < least) {
      issues.at(node, fmt::format("expected a list of at least {}, got {}", least, shown(node)));
      return false;
    }
    if (node.children.size() > most) {
      issues.at(node, fmt::format("expected a list of at most {}, got {}", most, node.children.size()));
      return false;
    }
    values.assign(node.children.size(), T{});
    bool ok = true;
    for (std::size_t i = 0; i < values.size() && !issues.full(); ++i)
      ok &= element.read(node.children[i], values[i], issues);
    return ok;
  };
  codec.write = [=](const std::vector<T>& values) {
    Json array = Json::array();
    for (const T& value : values) array.push_back(element.write(value));
    return array;
  };
  codec.schema = [=] {
    Json schema{{"type", "array"}, {"items", element.schema()}};
    if (least > 0) schema["minItems"] = least;
    schema["maxItems"] = most;
    return schema;
  };
  codec.kind = "list of " + element.kind;
  return codec;
}

}  // namespace godwit::scenarios
