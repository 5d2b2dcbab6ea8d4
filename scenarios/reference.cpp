#include <fmt/format.h>

#include "scenarios/profile.h"
#include "scenarios/schema.h"
#include "scenarios/strategy.h"

namespace godwit::scenarios {
namespace {

constexpr std::string_view kIntroduction = R"(# Scenario files

This page is generated from the table of fields that also parses scenario files (`godwit schema --reference`).

A scenario is one JSON object. Quantities are texts with a unit: `"4 GiB"`, `"10 Gbit/s"`, `"50 us"`, `"20000 pages/s"`,
`"25 %"`. IEC prefixes (Ki, Mi, Gi, Ti) are powers of two, SI prefixes (k, M, G, T) powers of ten; decimals such as
`"1.5 GiB"` are exact. A bare number where a unit belongs is an error. Unknown fields are errors, and all errors of a file
are reported at once. In `--set /pointer=value` the value is JSON where it parses as JSON, and otherwise a text.

One entry may stand for many: `"name": "vm", "count": 1000` makes the guests `vm-0` ... `vm-999`. In a guest or link with a
`count` each quantity may be a list, which is taken in turn: of `"memory": ["1 GiB", "2 GiB"]` every other guest gets 2 GiB.
Where one of many names another entry that stands for many, theirs are taken in turn as well: the i-th guest on host `a` is
on `a-i`, the i-th link between `a` and `b` joins `a-i` and `b-i`. `"guest": "vm-*"` migrates all guests whose names begin so.

)";

/// A cell of a Markdown table.
std::string cell(std::string_view text) {
  std::string safe;
  for (const char c : text) {
    if (c == '|') safe += '\\';
    safe += c;
  }
  return safe;
}

std::string default_of(const FieldInfo& field) {
  if (field.required) return "required";
  return field.fallback ? fmt::format("`{}`", cell(field.fallback->dump())) : "";
}

/// The kinds of object that have `field`, where not all have it.
std::string owners(const TableInfo& table, const FieldInfo& field) {
  std::vector<std::string> names;
  for (std::size_t i = 0; i < table.variants.size(); ++i)
    if ((field.variants >> i & 1u) != 0) names.push_back(table.variants[i]);
  return names.size() == table.variants.size() ? "" : fmt::format(" ({})", joined(names));
}

std::string fields_of(const TableInfo& table) {
  std::string text = "| field | value | default | meaning |\n|---|---|---|---|\n";
  for (const FieldInfo& field : table.fields)
    text += fmt::format("| `{}`{} | {} | {} | {} |\n", field.name, owners(table, field), cell(field.kind),
                        default_of(field), cell(field.doc));
  return text + "\n";
}

std::string section(const TableInfo& table) {
  return fmt::format("## {}\n\nIn a file: {}.\n\n{}", table.name, table.doc, fields_of(table));
}

std::string units() {
  std::string text = "## Units\n\n| quantity | units |\n|---|---|\n";
  for (const Dimension each : {Dimension::kBytes, Dimension::kPages, Dimension::kRate, Dimension::kTime,
                               Dimension::kWriteRate, Dimension::kShare})
    text += fmt::format("| {} | {} |\n", expected(each), unit_names(each));
  return text + "\n";
}

std::string sources_of(const Sources& sources) {
  std::string text = "| number | where it is from |\n|---|---|\n";
  for (const auto& [field, source] : sources) text += fmt::format("| `{}` | {} |\n", field, cell(source));
  return sources.empty() ? "" : text + "\n";
}

std::string parameters_of(const Strategy& strategy) {
  const Json values = write_strategy(default_of(strategy));
  std::string text = "| parameter | value | default | meaning |\n|---|---|---|---|\n";
  for (const Parameter& parameter : strategy.parameters)
    text += fmt::format("| `{}` | {} | `{}` | {} |\n", parameter.name, cell(kind_of(parameter)),
                        values[parameter.name].dump(), cell(parameter.doc));
  return text + "\n";
}

std::string goal_of(const Strategy& strategy) {
  const auto line = [](const char* goal, const std::string& parameter) {
    return parameter.empty() ? fmt::format("The goal's {} is ignored", goal)
                             : fmt::format("The goal's {} sets `{}`", goal, parameter);
  };
  return fmt::format("{}. {}.\n\n", line("downtime", strategy.downtime_parameter),
                     line("bandwidth", strategy.bandwidth_parameter));
}

}  // namespace

std::string strategy_page(const Strategy& strategy) {
  std::string text = fmt::format(
      "# {0}\n\n{1}\n\nThis page is generated from `scenarios/strategies/{0}.json` (`godwit strategies {0} "
      "--page`).\n\n"
      "## What it models, and what it leaves out\n\n{2}\n\n## Parameters\n\n{3}{4}",
      strategy.name(), strategy.summary, strategy.models, goal_of(strategy), parameters_of(strategy));
  text += "## Where its numbers come from\n\n";
  text += strategy.sources.empty() ? "It has none of its own.\n\n" : sources_of(strategy.sources);
  text += "## What it was held against\n\n";
  return text + strategy.validation + "\n";
}

std::string reference_markdown() {
  std::string text(kIntroduction);
  text += units();
  for (const TableInfo& table : all_tables()) text += section(table);

  text += "## strategy\n\nA name, or an object with that `name` and any of its parameters.\n\n";
  for (const Strategy& each : strategies())
    text += fmt::format("### {}\n\n{}\n\n{}\n\n{}{}{}", each.name(), each.summary, each.models, goal_of(each),
                        parameters_of(each), sources_of(each.sources));

  text +=
      "## profile\n\nA name, or an object with a `base`, a `name` of its own if it should have one, and the costs that "
      "differ from the base.\n\n";
  text += fields_of(cost_table().info());
  text += "Each tracker has these costs:\n\n" + fields_of(tracker_table().info());
  for (const Profile& each : profiles())
    text += fmt::format("### {}\n\n{}\n\n{}", each.costs.name, each.summary, sources_of(each.sources));
  while (text.ends_with("\n\n")) text.pop_back();
  return text;
}

}  // namespace godwit::scenarios
