#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <vector>

namespace godwit::scenarios {

using Json = nlohmann::ordered_json;

/// A value of a JSON document that knows where it stands.
struct Node {
  enum class Type : std::uint8_t { kNull, kBoolean, kNumber, kString, kArray, kObject };

  Type type = Type::kNull;
  std::string text;                            ///< Of a string its contents; of a number or boolean what the file says.
  std::string key;                             ///< Its name, in an object.
  std::string pointer;                         ///< JSON pointer from the root.
  std::uint32_t line = 0, column = 0;          ///< Where it begins, from 1 on; 0: it comes from no file.
  std::uint32_t key_line = 0, key_column = 0;  ///< Where its name begins.
  std::vector<Node> children;                  ///< Of an array or an object, in file order.

  bool is(Type other) const { return type == other; }

  /// The member `name` of an object, or null.
  const Node* find(std::string_view name) const;
  Node* find(std::string_view name);
};

/// `text` as one step of a JSON pointer: ~ becomes ~0 and / becomes ~1.
std::string escape_step(std::string_view text);

/// The tree of `value`, positions unknown.
Node to_node(const Json& value, std::string pointer = {}, std::string key = {});

/// `node` without positions.
Json to_json(const Node& node);

/// `node` as a message quotes it: 10, "ten", an object, ...
std::string shown(const Node& node);

}  // namespace godwit::scenarios
