#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace godwit::test {

struct Element {
  std::string name;
  std::map<std::string, std::string> attributes;
  std::string text;  ///< What stands directly in it.
};

/// The elements of `xml` in the order in which they begin. Nothing where it is not well-formed.
std::optional<std::vector<Element>> parse_xml(std::string_view xml);

}  // namespace godwit::test
