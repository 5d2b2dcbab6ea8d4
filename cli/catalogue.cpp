#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdio>
#include <memory>
#include <string>

#include "cli/commands.h"
#include "report/columns.h"
#include "scenarios/schema.h"
#include "scenarios/strategy.h"

// What there is: strategies, workloads, the schema. All of it is read from the tables that also read scenarios.
namespace godwit::cli {
namespace {

using report::Align;
using report::Columns;

int print_strategies() {
  Columns table({{"strategy", Align::kLeft}, {"what it is", Align::kLeft}});
  for (const scenarios::Strategy& each : scenarios::strategies()) table.add({each.name(), each.summary});
  fmt::print("{}\ngodwit strategies NAME shows the parameters of one\n", table.text());
  return kDone;
}

int print_strategy(const std::string& name, bool page) {
  const scenarios::Strategy* strategy = scenarios::find_strategy(name);
  if (!strategy) {
    const auto names = scenarios::strategy_names();
    fmt::print(stderr, "godwit strategies: there is no strategy {}{}; there are {}\n", name,
               scenarios::did_you_mean(name, names), scenarios::joined(names));
    return kWrongInput;
  }
  if (page) {
    fmt::print("{}", scenarios::strategy_page(*strategy));
    return kDone;
  }
  fmt::print("{}: {}\n\n{}\n\n", strategy->name(), strategy->summary, strategy->models);
  const scenarios::Json values = scenarios::write_strategy(scenarios::default_of(*strategy));
  Columns table({{"parameter", Align::kLeft}, {"default", Align::kLeft}, {"meaning", Align::kLeft}});
  for (const scenarios::Parameter& each : strategy->parameters) {
    const auto found = values.find(each.name);
    const std::string value = found == values.end() ? "-"
                              : found->is_string()  ? found->get<std::string>()
                                                    : found->dump();
    table.add({each.name, value, each.doc});
  }
  fmt::print("{}", table.text());
  return kDone;
}

int print_workloads() {
  const auto tables = scenarios::all_tables();
  const auto found = std::ranges::find(tables, "workload", &scenarios::TableInfo::name);
  if (found == tables.end()) return kBroken;
  for (std::size_t kind = 0; kind < found->variants.size(); ++kind) {
    fmt::print("{}{}\n", kind == 0 ? "" : "\n", found->variants[kind]);
    Columns table({{"field", Align::kLeft}, {"value", Align::kLeft}, {"default", Align::kLeft}});
    for (const scenarios::FieldInfo& field : found->fields) {
      if ((field.variants >> kind & 1u) == 0 || field.name == found->discriminator) continue;
      table.add({field.name, field.kind, field.required ? "required" : field.fallback ? field.fallback->dump() : "-"});
    }
    fmt::print("{}", table.text(2));
  }
  return kDone;
}

}  // namespace

void add_strategies(CLI::App& app, int& exit_status) {
  auto name = std::make_shared<std::string>();
  CLI::App* command = app.add_subcommand("strategies", "List the strategies, or the parameters of one");
  auto page = std::make_shared<bool>(false);
  CLI::Option* one = command->add_option("name", *name, "One strategy")->type_name("NAME");
  command->add_flag("--page", *page, "Print its page of the documentation in Markdown instead")->needs(one);
  command->callback(
      [name, page, &exit_status] { exit_status = name->empty() ? print_strategies() : print_strategy(*name, *page); });
}

void add_workloads(CLI::App& app, int& exit_status) {
  CLI::App* command = app.add_subcommand("workloads", "List the kinds of workload and their fields");
  command->callback([&exit_status] { exit_status = print_workloads(); });
}

void add_schema(CLI::App& app, int& exit_status) {
  auto reference = std::make_shared<bool>(false);
  CLI::App* command = app.add_subcommand("schema", "Print the JSON Schema of scenario files");
  command->add_flag("--reference", *reference, "Print the reference page in Markdown instead");
  command->callback([reference, &exit_status] {
    fmt::print("{}", *reference ? scenarios::reference_markdown() : scenarios::schema_json());
    exit_status = kDone;
  });
}

}  // namespace godwit::cli
