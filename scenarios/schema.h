#pragma once

#include <string>
#include <vector>

#include "scenarios/fields.h"

namespace godwit::scenarios {

struct Strategy;

/// What the schema and the reference say of every object of a scenario file, the scenario itself first.
std::vector<TableInfo> all_tables();

/// The JSON Schema (draft-07) of a scenario file. scenarios/schema/scenario.schema.json is a copy of it.
std::string schema_json();

/// The reference page in Markdown. docs/scenario-reference.md is a copy of it.
std::string reference_markdown();

/// The page of one strategy in Markdown. docs/strategies has a copy of each.
std::string strategy_page(const Strategy& strategy);

}  // namespace godwit::scenarios
