#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstddef>
#include <cstdio>
#include <fstream>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "cli/commands.h"
#include "cli/input.h"
#include "cli/interrupt.h"
#include "cli/output.h"
#include "report/restore_report.h"
#include "scenarios/checkpoint.h"
#include "scenarios/quantity.h"
#include "sim/restore.h"

namespace godwit::cli {
namespace {

struct RestoreArguments {
  std::string file, host, go_on = "1 s", json;
};

/// Appends to `bytes` what comes from `file` until there are `size`.
void read_to(std::size_t size, std::ifstream& file, std::vector<std::byte>& bytes) {
  constexpr std::size_t kStep = std::size_t{1} << 20;
  while (file && bytes.size() < size) {
    const std::size_t had = bytes.size(), step = std::min(kStep, size - had);
    bytes.resize(had + step);
    file.read(reinterpret_cast<char*>(&bytes[had]), static_cast<std::streamsize>(step));
    bytes.resize(had + static_cast<std::size_t>(file.gcount()));
  }
}

/// As much of a file as its header says, and one byte more where there is one: not every file has an end.
std::vector<std::byte> read_bytes(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::vector<std::byte> bytes;
  read_to(scenarios::kCheckpointHeaderBytes, file, bytes);
  if (bytes.size() < scenarios::kCheckpointHeaderBytes) return bytes;
  read_to(static_cast<std::size_t>(scenarios::checkpoint_size(bytes)) + 1, file, bytes);
  return bytes;
}

/// The host called `name`, or where the guest was at first.
std::optional<std::size_t> host_of(const scenarios::Checkpoint& checkpoint, const std::string& name) {
  const auto& hosts = checkpoint.scenario.options.hosts;
  if (name.empty()) return checkpoint.guest().host;
  const auto found = std::ranges::find(hosts, name, &sim::HostOptions::name);
  if (found == hosts.end()) return std::nullopt;
  return static_cast<std::size_t>(found - hosts.begin());
}

std::string no_such_host(const scenarios::Checkpoint& checkpoint, const std::string& name) {
  std::vector<std::string> names;
  for (const sim::HostOptions& each : checkpoint.scenario.options.hosts) names.push_back(each.name);
  return fmt::format("--host: there is no host {}{}; there are {}", name, scenarios::did_you_mean(name, names),
                     scenarios::joined(names));
}

int restore(const RestoreArguments& arguments) {
  exit_on_interrupt();
  const auto go_on = scenarios::parse_quantity(scenarios::Dimension::kTime, arguments.go_on);
  if (const auto* error = std::get_if<scenarios::QuantityError>(&go_on))
    return refuse("restore",
                  fmt::format("--for: expected {}, got \"{}\" {}", scenarios::expected(scenarios::Dimension::kTime),
                              arguments.go_on, error->what));
  std::optional<Output> json;
  if (!arguments.json.empty()) {
    auto opened = Output::open(arguments.json);
    if (const auto* trouble = std::get_if<std::string>(&opened)) return refuse("restore", "--json: " + *trouble);
    json.emplace(std::get<Output>(std::move(opened)));
  }
  if (const std::string trouble = trouble_with(arguments.file, "a checkpoint"); !trouble.empty())
    return refuse("restore", arguments.file + ": " + trouble);
  const std::vector<std::byte> bytes = read_bytes(arguments.file);
  const auto read = scenarios::read_checkpoint(bytes);
  if (const auto* trouble = std::get_if<std::string>(&read)) return refuse("restore", arguments.file + ": " + *trouble);
  const auto& checkpoint = std::get<scenarios::Checkpoint>(read);
  const std::optional<std::size_t> host = host_of(checkpoint, arguments.host);
  if (!host) return refuse("restore", no_such_host(checkpoint, arguments.host));

  const sim::RunOptions& run = checkpoint.scenario.options;
  sim::RestoreOptions options{.guest = &checkpoint.guest(),
                              .guest_number = checkpoint.made_in().guest,
                              .seed = run.seed,
                              .host = run.hosts[*host].profile,
                              .snapshot_at = checkpoint.snapshot_at,
                              .go_on = saturating_nanos(std::get<std::uint64_t>(go_on))};
  if (checkpoint.made_in().file) options.bandwidth = checkpoint.made_in().file->bandwidth;
  const sim::RestoreResult result = sim::restore(options, checkpoint.records);
  if (!result.trouble.empty())
    return refuse("restore",
                  fmt::format("{}: {}, at byte {} of its records", arguments.file, result.trouble, result.trouble_at));

  const report::Restored restored{arguments.file, run.hosts[*host].name, options.go_on, checkpoint, result};
  if (!json) {
    fmt::print("{}", report::restore_table(restored));
    return kDone;
  }
  const std::string trouble = json->write(report::restore_json(restored).dump(2) + "\n");
  return trouble.empty() ? kDone : refuse("restore", trouble);
}

}  // namespace

void add_restore(CLI::App& app, int& exit_status) {
  auto arguments = std::make_shared<RestoreArguments>();
  CLI::App* command = app.add_subcommand("restore", "Check a checkpoint, and start a guest from it");
  command->add_option("file", arguments->file, "Checkpoint file")->required()->type_name("FILE");
  command->add_option("--host", arguments->host, "Host of its scenario to start on; else where the guest was")
      ->type_name("NAME");
  command->add_option("--for", arguments->go_on, "How long the guest works then")
      ->type_name("TIME")
      ->capture_default_str();
  command->add_option("--json", arguments->json, "Write the result as JSON instead of the table; - is standard output")
      ->type_name("FILE|-");
  command->footer(
      "Example:\n"
      "  godwit run scenarios/library/checkpoint_to_disk.json && godwit restore web.ckpt\n"
      "\n"
      "Exit status: 0 the checkpoint is sound and the guest started; 2 it is not, and what is wrong with it.\n");
  command->callback([arguments, &exit_status] { exit_status = restore(*arguments); });
}

}  // namespace godwit::cli
