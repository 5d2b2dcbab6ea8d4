#include <fmt/format.h>
#include <stdlib.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <system_error>
#include <thread>
#include <variant>
#include <vector>

#include "cli/commands.h"
#include "cli/input.h"
#include "cli/interrupt.h"
#include "cli/output.h"
#include "cli/progress.h"
#include "report/format.h"
#include "report/soak_report.h"
#include "studies/soak.h"
#include "studies/soak_scenario.h"

namespace godwit::cli {
namespace {

struct SoakArguments {
  std::string file;
  std::optional<std::uint64_t> seed, seeds, minutes;
  std::uint32_t jobs = std::max(1u, std::thread::hardware_concurrency());
  std::uint32_t failures = 10;
  std::string out = ".", json;
};

/// A folder that is gone with its owner.
class TemporaryFolder {
 public:
  TemporaryFolder() {
    std::string name = (std::filesystem::temp_directory_path() / "godwit-soak-XXXXXX").string();
    if (::mkdtemp(name.data()) == nullptr) throw std::runtime_error("no temporary folder " + name);
    path_ = name;
  }
  ~TemporaryFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;
  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

studies::SoakSummary soak_all(const SoakArguments& arguments, const std::filesystem::path& folder) {
  using Clock = std::chrono::steady_clock;
  const auto start = Clock::now();
  const auto limit = std::chrono::minutes(arguments.minutes.value_or(0));
  studies::SoakOptions options{.first = arguments.seed.value_or(1),
                               .seeds = arguments.seed ? 1u : 1000u,
                               .jobs = arguments.jobs,
                               .failures_max = arguments.failures,
                               .folder = folder};
  if (arguments.minutes) options.seeds = UINT32_MAX;
  if (arguments.seeds) options.seeds = *arguments.seeds;
  ProgressLine line("seeds");
  return studies::soak(options, [&](std::size_t done, std::size_t total) {
    const auto gone = Clock::now() - start;
    if (arguments.minutes && gone < limit)  // at this pace, so many until then
      total = std::min<std::size_t>(total, done * static_cast<std::size_t>(limit / std::max(gone, Clock::duration(1))));
    line.show(done, total);
    return !interrupted() && !(arguments.minutes && gone >= limit);
  });
}

/// Makes the scenario of a failure small, and writes it to a file. Returns the command that replays it.
std::string write_replay(const SoakArguments& arguments, const studies::SoakFailure& failure,
                         const std::filesystem::path& folder) {
  fmt::print(stderr, "godwit soak: seed {}: {}; looking for a smaller scenario\n", failure.seed, failure.what);
  const studies::SoakReplay replay = studies::shrink(failure, folder);
  const std::string file =
      (std::filesystem::path(arguments.out) / fmt::format("soak-{}.json", failure.seed)).lexically_normal().string();
  const std::string text = replay.scenario.dump(2) + "\n";
  if (text.find(studies::kSoakRecording) != std::string::npos) studies::write_soak_recording(arguments.out);
  auto output = Output::open(file);
  if (const auto* trouble = std::get_if<std::string>(&output)) throw std::runtime_error(*trouble);
  const std::string trouble = std::get<Output>(output).write(text);
  if (!trouble.empty()) throw std::runtime_error(trouble);
  return fmt::format("godwit {} {}", replay.by_run ? "run" : "soak", file);
}

/// One finding for each way in which seeds failed.
std::vector<report::SoakFinding> findings(const SoakArguments& arguments, const studies::SoakSummary& summary,
                                          const std::filesystem::path& folder) {
  std::vector<report::SoakFinding> found;
  for (const studies::SoakFailure& each : summary.failures) {
    const auto known = std::ranges::find(found, each.what, [](const auto& finding) { return finding.first.what; });
    if (known != found.end())
      ++known->seeds;
    else
      found.push_back({.first = each,
                       .replay = interrupted() ? fmt::format("godwit soak --seed {}", each.seed)
                                               : write_replay(arguments, each, folder)});
  }
  return found;
}

int soak_file(const std::string& file) {
  const auto loaded = load({.file = file});
  if (!loaded) return kWrongInput;
  studies::soak_thoroughly(*loaded);
  fmt::print("no violation\n");
  return kDone;
}

int soak(const SoakArguments& arguments) {
  if (!arguments.file.empty()) return soak_file(arguments.file);
  std::optional<Output> json;
  if (!arguments.json.empty()) {
    auto opened = Output::open(arguments.json);
    if (const auto* trouble = std::get_if<std::string>(&opened)) return refuse("soak", "--json: " + *trouble);
    json.emplace(std::get<Output>(std::move(opened)));
  }
  note_interrupt();
  const TemporaryFolder folder;
  studies::write_soak_recording(folder.path());
  const studies::SoakSummary summary = soak_all(arguments, folder.path());
  const std::vector<report::SoakFinding> found = findings(arguments, summary, folder.path());
  if (json) {
    const std::string trouble = json->write(report::soak_json(summary, found).dump(2) + "\n");
    if (!trouble.empty()) return refuse("soak", trouble);
  } else {
    fmt::print("{}", report::soak_table(summary, found));
  }
  if (!found.empty()) return kBroken;
  if (!interrupted()) return kDone;
  fmt::print(stderr, "interrupted after {}\n", report::plural(summary.seeds, "seed"));
  return kInterrupted;
}

}  // namespace

void add_soak(CLI::App& app, int& exit_status) {
  auto arguments = std::make_shared<SoakArguments>();
  CLI::App* command = app.add_subcommand("soak", "Run random scenarios with random faults under the oracles");
  command->add_option("file", arguments->file, "Look at this scenario instead, in every way")->type_name("FILE");
  command->add_option("--seeds", arguments->seeds, "Scenarios to draw; 1000 where nothing else ends it")
      ->check(CLI::Range(std::uint64_t{1}, std::uint64_t{UINT32_MAX}))
      ->type_name("N");
  command->add_option("--seed", arguments->seed, "The first seed instead of 1; without --seeds, the only one")
      ->check(CLI::Range(std::uint64_t{0}, std::uint64_t{INT64_MAX} - UINT32_MAX))
      ->type_name("S");
  command->add_option("--minutes", arguments->minutes, "End after that many, whatever was done")
      ->check(CLI::Range(1, 1'000'000))
      ->type_name("M");
  command->add_option("--jobs", arguments->jobs, "Processes at the same time; the result does not depend on it")
      ->check(CLI::Range(1, 1024))
      ->type_name("N");
  command->add_option("--failures", arguments->failures, "End after that many seeds have failed")
      ->check(CLI::Range(1, 1'000'000))
      ->type_name("N")
      ->capture_default_str();
  command->add_option("--out", arguments->out, "Folder for the scenarios of failures")
      ->check(CLI::ExistingDirectory)
      ->type_name("DIR")
      ->capture_default_str();
  command
      ->add_option("--json", arguments->json, "Write the summary as JSON instead of the tables; - is standard output")
      ->type_name("FILE|-");
  command->footer(
      "Examples:\n"
      "  godwit soak --seeds 100000\n"
      "  godwit soak --seed 17\n"
      "  godwit soak soak-17.json\n"
      "\n"
      "Exit status: 0 done; 2 wrong input; 3 a bug of Godwit, with the command that replays it; 130 interrupted, the\n"
      "seeds that were finished are shown.\n");
  command->callback([arguments, &exit_status] { exit_status = soak(*arguments); });
}

}  // namespace godwit::cli
