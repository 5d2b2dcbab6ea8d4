#include "scenarios/sourced.h"

#include "scenarios/issues.h"

namespace godwit::scenarios {

Node without_sources(const Node& node, Sources& sources, Issues& issues) {
  const Node* value = node.find("value");
  const Node* source = node.find("source");
  if (value != nullptr && source != nullptr && node.children.size() == 2) {
    if (!source->is(Node::Type::kString) || source->text.empty())
      issues.at(*source, "expected the origin of the value");
    sources.emplace_back(node.key, source->text);
    Node bare = *value;
    bare.key = node.key;
    bare.pointer = node.pointer;
    return bare;
  }
  Node copy = node;
  for (Node& child : copy.children) child = without_sources(Node(child), sources, issues);
  return copy;
}

}  // namespace godwit::scenarios
