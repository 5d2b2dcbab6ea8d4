#pragma once

#include <string>
#include <utility>
#include <vector>

#include "scenarios/issues.h"
#include "scenarios/node.h"

namespace godwit::scenarios {

/// Field and origin of its value.
using Sources = std::vector<std::pair<std::string, std::string>>;

/// `node` with each {"value": V, "source": S} in it replaced by V; the sources are kept by the name of the member.
Node without_sources(const Node& node, Sources& sources, Issues& issues);

}  // namespace godwit::scenarios
