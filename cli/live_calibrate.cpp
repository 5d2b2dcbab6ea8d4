#include <fmt/core.h>

#include <CLI/CLI.hpp>
#include <memory>
#include <optional>
#include <string>

#include "cli/commands.h"
#include "cli/live.h"
#include "cli/live_setting.h"
#include "cli/output.h"
#include "report/columns.h"
#include "report/format.h"
#include "scenarios/profile.h"

namespace godwit::cli {
namespace {

struct LiveCalibrateArguments {
  std::string output, name = "this-host";
  bool plain = false;
};

/// The costs alone, as a host of a scenario spells them out.
std::string plain_costs(const std::string& profile) {
  scenarios::Issues issues{"calibration"};
  const auto read = scenarios::parse_profile(profile, issues);
  GODWIT_CHECK(read && issues.empty());
  return scenarios::profile().write(read->costs).dump(2) + "\n";
}

int run(const LiveCalibrateArguments& arguments) {
  std::optional<Output> output;
  if (!arguments.output.empty()) {
    auto opened = Output::open(arguments.output);
    if (const auto* trouble = std::get_if<std::string>(&opened)) {
      fmt::print(stderr, "godwit live calibrate: -o: {}\n", *trouble);
      return kWrongInput;
    }
    output.emplace(std::get<Output>(std::move(opened)));
  }
  const live::Calibration found = live::calibrate();
  if (output) {
    const std::string profile = profile_text(found, arguments.name);
    const std::string trouble = output->write(arguments.plain ? plain_costs(profile) : profile);
    if (trouble.empty()) return kDone;
    fmt::print(stderr, "godwit live calibrate: -o: {}\n", trouble);
    return kWrongInput;
  }
  report::Columns table({{"cost", report::Align::kLeft}, {"value"}, {"measured as", report::Align::kLeft}});
  for (const live::Cost& cost : found.costs) table.add({cost.name, report::human(cost.value), cost.source});
  table.add({"(round trip)", report::human(found.round_trip), "a byte over loopback TCP and back; no cost of a host"});
  fmt::print("{}\n\n{}", found.machine, table.text());
  return kDone;
}

}  // namespace

void add_live_calibrate(CLI::App& live, int& exit_status) {
  auto arguments = std::make_shared<LiveCalibrateArguments>();
  CLI::App* command = live.add_subcommand("calibrate", "Measure what this host needs for what a migration does");
  command->add_option("-o,--output", arguments->output, "Host profile to write; without it, a table on stdout")
      ->type_name("FILE");
  command->add_option("--name", arguments->name, "What the profile is called")
      ->type_name("NAME")
      ->capture_default_str();
  command->add_flag("--plain", arguments->plain, "Write the costs alone, to be a host's `profile` in a scenario");
  command->callback([arguments, &exit_status] { exit_status = run(*arguments); });
}

}  // namespace godwit::cli
