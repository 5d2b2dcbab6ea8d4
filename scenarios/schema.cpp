#include "scenarios/schema.h"

#include "scenarios/profile.h"
#include "scenarios/spec.h"
#include "scenarios/strategy.h"

namespace godwit::scenarios {
namespace {

Json property(const FieldInfo& field) {
  Json schema = field.schema ? field.schema() : Json::object();
  if (field.in_turn) schema = Json{{"anyOf", {schema, Json{{"type", "array"}, {"items", schema}, {"minItems", 1}}}}};
  // Beside "$ref" a draft-07 validator sees nothing, so such a schema is wrapped to carry its description.
  if (schema.contains("$ref")) schema = Json{{"allOf", Json::array({schema})}};
  schema["description"] = field.doc;
  if (field.fallback) schema["default"] = *field.fallback;
  return schema;
}

/// The fields that the `variant`-th variant has, as a closed object.
Json closed_object(const TableInfo& table, std::size_t variant) {
  Json schema{{"type", "object"}, {"description", table.doc}};
  Json properties = Json::object(), required = Json::array();
  for (const FieldInfo& field : table.fields) {
    if ((field.variants >> variant & 1u) == 0 && field.name != table.discriminator) continue;
    properties[field.name] = property(field);
    if (field.required) required.push_back(field.name);
    if (field.name == table.discriminator) {
      properties[field.name].erase("enum");
      properties[field.name].erase("enumDescriptions");
      properties[field.name]["const"] = table.variants[variant];
    }
  }
  schema["properties"] = std::move(properties);
  if (!required.empty()) schema["required"] = std::move(required);
  schema["additionalProperties"] = false;
  return schema;
}

/// An object in variants: its discriminator, and one closed object for each of its values.
Json variants(const TableInfo& table) {
  Json each = Json::array();
  for (std::size_t i = 0; i < table.variants.size(); ++i) each.push_back(closed_object(table, i));
  return Json{{"type", "object"}, {"description", table.doc}, {"oneOf", std::move(each)}};
}

Json strategy_object(const Strategy& strategy) {
  Json properties{{"name", {{"const", strategy.name()}, {"description", strategy.summary}}}};
  for (const Parameter& parameter : strategy.parameters) {
    Json& schema = properties[parameter.name];
    if (parameter.sets.empty()) {
      std::vector<std::string> names;
      for (const auto& [name, sets] : parameter.choices) names.push_back(name);
      schema = Json{{"type", "string"}, {"enum", names}, {"default", parameter.chosen}};
    } else {
      schema = mechanism_schema(parameter.sets);
    }
    schema["description"] = parameter.doc;
  }
  return Json{{"type", "object"},
              {"description", strategy.summary},
              {"properties", std::move(properties)},
              {"required", {"name"}},
              {"additionalProperties", false}};
}

Json strategy_definition() {
  Json names{{"type", "string"}, {"enum", strategy_names()}};
  Json each = Json::array({names});
  for (const Strategy& strategy : strategies()) each.push_back(strategy_object(strategy));
  return Json{{"description", "A strategy by name, or an object with a name and parameters."},
              {"oneOf", std::move(each)}};
}

Json profile_definition() {
  TableInfo info = cost_table().info();
  Json schema = closed_object(info, 0);
  Json properties{{"base",
                   {{"type", "string"},
                    {"enum", profile_names()},
                    {"default", "modern-x86"},
                    {"description", "What it begins as."}}},
                  {"name", name().schema()}};
  properties["name"]["description"] = "What reports call it; absent: as its base.";
  properties.update(schema["properties"]);
  schema["properties"] = std::move(properties);
  return schema;
}

}  // namespace

std::vector<TableInfo> all_tables() {
  return {scenario_table().info(),   host_table().info(),       link_table().info(), guest_table().info(),
          page_class_table().info(), workload_table().info(),   part_table().info(), phase_table().info(),
          traffic_table().info(),    migration_table().info(),  file_table().info(), goal_table().info(),
          event_table().info(),      expectation_table().info()};
}

std::string schema_json() {
  const std::vector<TableInfo> tables = all_tables();
  Json schema{{"$schema", "http://json-schema.org/draft-07/schema#"}, {"title", "A Godwit scenario"}};
  schema.update(closed_object(tables.front(), 0));
  Json& definitions = schema["definitions"] = Json::object();
  for (std::size_t i = 1; i < tables.size(); ++i)
    definitions[tables[i].name] = tables[i].variants.empty() ? closed_object(tables[i], 0) : variants(tables[i]);
  definitions["tracker_costs"] = closed_object(tracker_table().info(), 0);
  definitions["profile"] = profile_definition();
  definitions["strategy"] = strategy_definition();
  return schema.dump(2) + "\n";
}

}  // namespace godwit::scenarios
