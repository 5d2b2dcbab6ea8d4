#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/check.h"
#include "scenarios/codec.h"
#include "scenarios/issues.h"
#include "scenarios/node.h"

namespace godwit::scenarios {

/// What the schema and the reference page say of a field.
struct FieldInfo {
  std::string name;
  std::string kind;  ///< "bandwidth, 1 kbit/s to 10 Tbit/s".
  std::string doc;
  std::optional<Json> fallback;  ///< The value that an absent field has.
  bool required = false;
  bool in_turn = false;          ///< It may be a list of which each object takes one in turn.
  std::uint32_t variants = ~0u;  ///< Bit i: objects of the i-th variant have it.
  std::function<Json()> schema;
};

/// What they say of an object.
struct TableInfo {
  std::string name;
  std::string doc;
  std::vector<FieldInfo> fields;
  std::string discriminator;          ///< The field that tells variants apart; empty where there is one kind only.
  std::vector<std::string> variants;  ///< Its values.
};

/// The fields of one object of a scenario file: the only place that knows them. From it come the parser, the effective
/// scenario, the schema and the reference page.
template <class Owner>
class Table {
 public:
  struct Field : FieldInfo {
    std::function<bool(const Node&, Owner&, Issues&)> read;
    std::function<std::optional<Json>(const Owner&)> write;  ///< Nothing: the field stays away.
    std::optional<Node> fallback_node;

    /// An absent field reads as `text`.
    Field& or_else(Json value) {
      fallback_node = to_node(value);
      fallback = std::move(value);
      required = false;
      return *this;
    }
    /// May stay away; then the member keeps its initial value.
    Field& optional() { return required = false, *this; }
    Field& only_for(std::uint32_t mask) { return variants = mask, *this; }
  };

  Table(std::string name, std::string doc) : name_(std::move(name)), doc_(std::move(doc)) { fields_.reserve(32); }

  /// One object may stand for many, or be a part of one that does: its quantities may be lists, taken in turn.
  /// Fields added before do not know.
  void takes_turns() { takes_turns_ = true; }

  /// A field kept in `member` (a member pointer, or a callable that gives a reference). Required until told otherwise.
  template <class Member, class T>
  Field& field(std::string name, Member member, Codec<T> codec, std::string doc) {
    Field& added = add(std::move(name), codec.kind, std::move(doc));
    added.in_turn = takes_turns_ && codec.in_turn;
    added.schema = codec.schema;
    added.read = [=](const Node& node, Owner& owner, Issues& issues) {
      return codec.read(node, std::invoke(member, owner), issues);
    };
    added.write = [=](const Owner& owner) -> std::optional<Json> {
      return codec.write(std::invoke(member, const_cast<Owner&>(owner)));
    };
    return added;
  }

  /// A field that may be absent for good, kept in a std::optional.
  template <class Member, class T>
  Field& maybe(std::string name, Member member, Codec<T> codec, std::string doc) {
    Field& added = add(std::move(name), codec.kind, std::move(doc));
    added.required = false;
    added.in_turn = takes_turns_ && codec.in_turn;
    added.schema = codec.schema;
    added.read = [=](const Node& node, Owner& owner, Issues& issues) {
      T value{};
      const bool ok = codec.read(node, value, issues);
      if (ok) std::invoke(member, owner) = std::move(value);
      return ok;
    };
    added.write = [=](const Owner& owner) -> std::optional<Json> {
      const auto& value = std::invoke(member, const_cast<Owner&>(owner));
      return value ? std::optional<Json>(codec.write(*value)) : std::nullopt;
    };
    return added;
  }

  /// A field with its own way of reading and writing.
  Field& add(std::string name, std::string kind, std::string doc) {
    Field& added = fields_.emplace_back();
    added.name = std::move(name);
    added.kind = std::move(kind);
    added.doc = std::move(doc);
    added.required = true;
    return added;
  }

  /// The object comes in variants: `variant_of` gives the index into `names`, once field `discriminator` is read.
  void set_variants(std::string discriminator, std::vector<std::string> names,
                    std::function<std::uint32_t(const Owner&)> variant_of) {
    discriminator_ = std::move(discriminator);
    variants_ = std::move(names);
    variant_of_ = std::move(variant_of);
  }

  /// Fills `owner` and says everything that is wrong. False where anything is.
  bool read(const Node& node, Owner& owner, Issues& issues) const {
    if (!node.is(Node::Type::kObject)) {
      issues.at(node, "expected an object (" + doc_ + "), got " + shown(node));
      return false;
    }
    const std::size_t before = issues.size();
    bool discriminated = true;
    for (const Field& each : fields_) {
      if (discriminated && applies(each, owner)) discriminated = read_field(each, node, owner, issues);
      if (each.name != discriminator_) discriminated = true;
      if (!discriminated) return false;  // without its kind, an object's other fields cannot be judged
    }
    for (const Node& child : node.children) {
      if (issues.full()) break;
      check_known(child, owner, issues);
    }
    return issues.size() == before;
  }

  Json write(const Owner& owner) const {
    Json object = Json::object();
    for (const Field& each : fields_) {
      if (!applies(each, owner) || !each.write) continue;
      if (std::optional<Json> value = each.write(owner)) object[each.name] = std::move(*value);
    }
    return object;
  }

  TableInfo info() const {
    return {name_, doc_, std::vector<FieldInfo>(fields_.begin(), fields_.end()), discriminator_, variants_};
  }

  const std::string& name() const { return name_; }
  const std::string& doc() const { return doc_; }
  const std::vector<Field>& fields() const { return fields_; }

 private:
  std::uint32_t bit(const Owner& owner) const { return variant_of_ ? 1u << variant_of_(owner) : 1u; }
  bool applies(const Field& each, const Owner& owner) const {
    return each.name == discriminator_ || (each.variants & bit(owner)) != 0;
  }

  bool read_field(const Field& each, const Node& node, Owner& owner, Issues& issues) const {
    if (const Node* child = node.find(each.name)) return each.read(*child, owner, issues);
    if (each.fallback_node) GODWIT_CHECK(each.read(*each.fallback_node, owner, issues));
    if (each.required) issues.at(node, "the field " + each.name + " is missing: " + each.kind);
    return !each.required;
  }

  void check_known(const Node& child, const Owner& owner, Issues& issues) const {
    std::vector<std::string> names;
    bool elsewhere = false;
    for (const Field& each : fields_) {
      if (applies(each, owner)) {
        if (each.name == child.key) return;
        names.push_back(each.name);
      } else {
        elsewhere |= each.name == child.key;
      }
    }
    const std::string hint = did_you_mean(child.key, names);
    if (elsewhere)
      issues.at_name(child, "this does not belong to " + discriminator_ + " " + variants_[variant_of_(owner)] +
                                ", whose fields are " + joined(names));
    else
      issues.at_name(child, "unknown field" + (hint.empty() ? "; known are " + joined(names) : hint));
  }

  std::string name_, doc_;
  bool takes_turns_ = false;
  std::vector<Field> fields_;
  std::string discriminator_;
  std::vector<std::string> variants_;
  std::function<std::uint32_t(const Owner&)> variant_of_;
};

/// An object described by the table that `table()` gives. A function, so that tables may mention each other.
template <class T>
Codec<T> object(std::string definition, std::string kind, const Table<T>& (*table)()) {
  return {[=](const Node& node, T& value, Issues& issues) { return table().read(node, value, issues); },
          [=](const T& value) { return table().write(value); },
          [=] {
            return Json{{"$ref", "#/definitions/" + definition}};
          },
          kind};
}

}  // namespace godwit::scenarios
