#include "scenarios/many.h"

#include <fmt/format.h>

namespace godwit::scenarios {
namespace {

/// The fewest elements after which `list` begins anew: its length less that of the longest part that both begins and ends
/// it (Knuth, Morris and Pratt).
std::size_t period_of(const std::vector<Json>& list) {
  std::vector<std::size_t> border(list.size() + 1);
  for (std::size_t i = 1, length = 0; i < list.size(); ++i) {
    while (length > 0 && list[i] != list[length]) length = border[length];
    if (list[i] == list[length]) ++length;
    border[i + 1] = length;
  }
  return list.size() - border.back();
}

/// The values that one version has: of a list of quantities only that whose turn it is.
std::size_t values_in(const Node& node) {
  std::size_t values = 1;
  for (const Node& child : node.children)
    if (!node.is(Node::Type::kArray) || !child.children.empty()) values += values_in(child);
  return values;
}

}  // namespace

bool versions_fit(const Node& node, std::uint32_t versions, Issues& issues) {
  const std::size_t values = values_in(node);
  if (versions == 1 || values <= kVersionsMax / versions) return true;
  issues.at(node, fmt::format("its lists make {} different ones of {} values each; expected at most {} values in all",
                              versions, values, kVersionsMax));
  return false;
}

Json in_turn(const std::vector<Json>& versions) {
  const Json& first = versions.front();
  const std::size_t period = period_of(versions);
  if (period == 1) return first;
  // Quantities alone differ from turn to turn, so that objects and lists have the same members in all of them.
  if (first.is_structured()) {
    Json merged = first;
    for (auto member = merged.begin(); member != merged.end(); ++member) {
      std::vector<Json> values;
      for (const Json& version : versions)
        values.push_back(first.is_object() ? version.at(member.key())
                                           : version.at(static_cast<std::size_t>(member - merged.begin())));
      *member = in_turn(values);
    }
    return merged;
  }
  return Json(std::vector<Json>(versions.begin(), versions.begin() + static_cast<std::ptrdiff_t>(period)));
}

}  // namespace godwit::scenarios
