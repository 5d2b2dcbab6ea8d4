#include <fmt/core.h>
#include <sys/resource.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <array>
#include <charconv>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "cli/commands.h"
#include "cli/output.h"
#include "live/recorder.h"
#include "workloads/trace.h"

namespace godwit::cli {
namespace {

struct RecordArguments {
  std::string output;
  std::string interval = "10 ms";
  std::string duration;
  std::string note;
  bool huge_pages = false;
  bool measure_slowdown = false;
  std::vector<std::string> command;
};

constexpr Nanos kIntervalMin{1'000'000};
constexpr Nanos kIntervalMax{3600 * std::int64_t{1'000'000'000}};

/// Reads "10 ms". Whole numbers only; nothing where it is no duration, or one beyond a year.
std::optional<Nanos> parse_duration(std::string_view text) {
  constexpr std::array<std::pair<std::string_view, std::int64_t>, 6> kUnits = {{{"ns", 1},
                                                                                {"us", 1'000},
                                                                                {"ms", 1'000'000},
                                                                                {"s", 1'000'000'000},
                                                                                {"min", 60'000'000'000},
                                                                                {"h", 3'600'000'000'000}}};
  constexpr std::int64_t kYear = 365 * 24 * std::int64_t{3'600'000'000'000};
  std::int64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc{} || number < 0) return std::nullopt;
  std::string_view unit(end, static_cast<std::size_t>(text.data() + text.size() - end));
  unit.remove_prefix(std::min(unit.find_first_not_of(' '), unit.size()));
  for (const auto& [name, nanos] : kUnits)
    if (unit == name && number <= kYear / nanos) return Nanos{number * nanos};
  return std::nullopt;
}

double seconds(Nanos time) { return static_cast<double>(time.count()) / 1e9; }

/// Runs `command` as it is. Returns how long it took, or nothing where it could not be run.
std::optional<Nanos> time_alone(const std::vector<std::string>& command) {
  std::vector<char*> arguments;
  for (const std::string& argument : command) arguments.push_back(const_cast<char*>(argument.c_str()));
  arguments.push_back(nullptr);
  const auto begin = std::chrono::steady_clock::now();
  const pid_t pid = ::fork();
  if (pid == 0) {
    ::execvp(arguments[0], arguments.data());
    ::_exit(127);
  }
  int status = 0;
  if (pid < 0 || ::waitpid(pid, &status, 0) != pid || (WIFEXITED(status) && WEXITSTATUS(status) == 127))
    return std::nullopt;
  return std::chrono::duration_cast<Nanos>(std::chrono::steady_clock::now() - begin);
}

/// A word as a shell would take it.
std::string quoted(const std::string& word) {
  const bool plain = !word.empty() && word.find_first_of(" \t\n\"'`$\\|&;<>()*?[]#~{}!") == std::string::npos;
  if (plain) return word;
  std::string result = "'";
  for (const char c : word) result += c == '\'' ? "'\\''" : std::string(1, c);
  return result + "'";
}

std::string joined(const std::vector<std::string>& words) {
  std::string line;
  for (const std::string& word : words) line += (line.empty() ? "" : " ") + quoted(word);
  return line;
}

/// Metadata is a line.
std::string in_one_line(std::string text) {
  std::replace(text.begin(), text.end(), '\n', ' ');
  return text;
}

/// "6.18.44", without what a distribution appends.
std::string kernel_version(std::string_view release) { return std::string(release.substr(0, release.find('-'))); }

std::string percent(Nanos part, Nanos whole) {
  return fmt::format("{:.1f} %", whole.count() > 0 ? 100.0 * seconds(part) / seconds(whole) : 0.0);
}

workloads::TraceMetadata metadata_of(const RecordArguments& arguments, const live::RecordSummary& summary,
                                     std::optional<Nanos> alone) {
  utsname system{};
  ::uname(&system);
  workloads::TraceMetadata metadata = {
      {"made_by", "godwit record " GODWIT_VERSION},
      {"command", in_one_line(joined(arguments.command))},
      {"mechanism", live::record_mechanism()},
      {"kernel", fmt::format("{} {} {}", system.sysname, kernel_version(system.release), system.machine)},
      {"huge_pages", arguments.huge_pages ? "as the program asked" : "none"},
      {"end", summary.interrupted ? "interrupted" : summary.end},
      {"late_intervals", std::to_string(summary.late_intervals)},
      {"stopped", percent(summary.stopped, summary.wall)},
      {"scanning", percent(summary.scanning, summary.wall)},
  };
  if (!arguments.note.empty()) metadata.emplace_back("note", in_one_line(arguments.note));
  if (alone) metadata.emplace_back("slowdown", fmt::format("{:.2f}", seconds(summary.wall) / seconds(*alone)));
  return metadata;
}

void print_summary(const RecordArguments& arguments, const live::RecordSummary& summary, std::optional<Nanos> alone) {
  const auto say = [](const std::string& line) { fmt::print(stderr, "{}\n", line); };
  say(fmt::format("{}: {} intervals of {} ({:.1f} s), {} of them late", arguments.output, summary.intervals,
                  arguments.interval, seconds(summary.wall), summary.late_intervals));
  say(fmt::format("  the program    {}{}; {} address spaces", summary.end.empty() ? "was stopped" : summary.end,
                  summary.interrupted ? ", interrupted" : "", summary.processes));
  say(fmt::format("  pages          {} ever written, {} distinct in a second on average, {} marks; the guest needs {}",
                  summary.pages_written, summary.pages_per_second, summary.marks, summary.guest_pages));
  say(fmt::format("  found by       {}", live::record_mechanism()));
  say(fmt::format(
      "  cost           program stopped {} of the time, recorder busy {}; first writes to a page fault besides",
      percent(summary.stopped, summary.wall), percent(summary.scanning, summary.wall)));
  if (alone)
    say(fmt::format("  slowdown       {:.2f} times: {:.2f} s recorded, {:.2f} s alone",
                    seconds(summary.wall) / seconds(*alone), seconds(summary.wall), seconds(*alone)));
  say("  not seen       page cache filled by write(), memory of the kernel, writes by devices");
  for (const std::string& what : summary.unseen) say("  not tracked    " + what);
}

int run(const RecordArguments& arguments) {
  const auto interval = parse_duration(arguments.interval);
  if (!interval || *interval < kIntervalMin || *interval > kIntervalMax)
    return refuse("record",
                  fmt::format("--interval: expected a duration from 1 ms to 1 h such as \"10 ms\", got \"{}\"",
                              arguments.interval));
  std::optional<Nanos> duration;
  if (!arguments.duration.empty()) {
    duration = parse_duration(arguments.duration);
    if (!duration || *duration <= Nanos{0})
      return refuse("record",
                    fmt::format("--duration: expected a duration such as \"30 s\", got \"{}\"", arguments.duration));
  }

  auto writer = workloads::TraceWriter::create(
      arguments.output,
      {.page_size = static_cast<std::uint32_t>(::sysconf(_SC_PAGESIZE)), .page_count = 0, .interval = *interval});
  if (!writer) return refuse("record", "-o: " + writer.error().what);

  std::optional<Nanos> alone;
  if (arguments.measure_slowdown && !(alone = time_alone(arguments.command)))
    return refuse("record", "cannot run " + arguments.command.front());

  workloads::TraceStatus trouble;
  std::vector<workloads::Run> runs;
  const auto result = live::record(
      arguments.command, {.interval = *interval, .duration = duration, .huge_pages = arguments.huge_pages},
      [&](std::span<const PageRange> written) {
        runs.clear();
        for (const PageRange& range : written)
          runs.push_back({static_cast<std::uint32_t>(range.first), static_cast<std::uint32_t>(range.count)});
        trouble = writer->add(runs);
        return !trouble.has_value();
      });
  if (const auto* error = std::get_if<live::RecordError>(&result)) return refuse("record", error->what);
  const auto& summary = std::get<live::RecordSummary>(result);
  if (!trouble) trouble = writer->finish(metadata_of(arguments, summary, alone));
  if (trouble) return refuse("record", "-o: " + trouble->what);
  print_summary(arguments, summary, alone);
  return summary.interrupted ? kInterrupted : 0;
}

}  // namespace

void add_record(CLI::App& app, int& exit_status) {
  auto arguments = std::make_shared<RecordArguments>();
  CLI::App* record = app.add_subcommand("record", "Record which pages a real program writes, as a workload");
  record->add_option("-o,--output", arguments->output, "Trace file to write")->required()->type_name("FILE");
  record->add_option("--interval", arguments->interval, "How often to look, 1 ms or more")
      ->type_name("TIME")
      ->capture_default_str();
  record->add_option("--duration", arguments->duration, "End the program after this time")->type_name("TIME");
  record->add_flag("--huge-pages", arguments->huge_pages, "Leave the program its transparent huge pages");
  record->add_flag("--measure-slowdown", arguments->measure_slowdown,
                   "Run the command once before without recording, and compare");
  record->add_option("--note", arguments->note, "A line to keep in the trace, such as the version of the program")
      ->type_name("TEXT");
  record->add_option("command", arguments->command, "The program and its arguments, after --")
      ->required()
      ->type_name("COMMAND");
  record->positionals_at_end();
  record->callback([arguments, &exit_status] { exit_status = run(*arguments); });
}

}  // namespace godwit::cli
