#include "scenarios/node.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "scenarios/issues.h"

namespace godwit::scenarios {

const Node* Node::find(std::string_view name) const {
  const auto found = std::find_if(children.begin(), children.end(), [&](const Node& n) { return n.key == name; });
  return type == Type::kObject && found != children.end() ? &*found : nullptr;
}

Node* Node::find(std::string_view name) { return const_cast<Node*>(std::as_const(*this).find(name)); }

std::string escape_step(std::string_view text) {
  std::string step;
  for (const char c : text) {
    if (c == '~')
      step += "~0";
    else if (c == '/')
      step += "~1";
    else
      step += c;
  }
  return step;
}

Node to_node(const Json& value, std::string pointer, std::string key) {
  Node node;
  node.key = std::move(key);
  switch (value.type()) {
    case Json::value_t::object:
      node.type = Node::Type::kObject;
      for (const auto& [name, member] : value.items())
        node.children.push_back(to_node(member, pointer + "/" + escape_step(name), name));
      break;
    case Json::value_t::array:
      node.type = Node::Type::kArray;
      for (std::size_t i = 0; i < value.size(); ++i)
        node.children.push_back(to_node(value[i], fmt::format("{}/{}", pointer, i)));
      break;
    case Json::value_t::string:
      node.type = Node::Type::kString;
      node.text = value.get<std::string>();
      break;
    case Json::value_t::boolean:
      node.type = Node::Type::kBoolean;
      node.text = value.get<bool>() ? "true" : "false";
      break;
    case Json::value_t::null: break;
    default: node.type = Node::Type::kNumber; node.text = value.dump();
  }
  node.pointer = std::move(pointer);
  return node;
}

Json to_json(const Node& node) {
  switch (node.type) {
    case Node::Type::kNull: return nullptr;
    case Node::Type::kBoolean: return node.text == "true";
    case Node::Type::kNumber: return Json::parse(node.text);
    case Node::Type::kString: return node.text;
    case Node::Type::kArray: {
      Json array = Json::array();
      for (const Node& child : node.children) array.push_back(to_json(child));
      return array;
    }
    case Node::Type::kObject: break;
  }
  Json object = Json::object();
  for (const Node& child : node.children) object[child.key] = to_json(child);
  return object;
}

std::string shown(const Node& node) {
  constexpr std::size_t kShownBytes = 100;
  switch (node.type) {
    case Node::Type::kNull: return "null";
    case Node::Type::kString: return Json(shortened(node.text, kShownBytes)).dump();
    case Node::Type::kArray: return node.children.empty() ? "an empty list" : "a list";
    case Node::Type::kObject: return "an object";
    default: return shortened(node.text, kShownBytes);
  }
}

}  // namespace godwit::scenarios
