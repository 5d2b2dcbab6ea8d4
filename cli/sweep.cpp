#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <variant>
#include <vector>

#include "cli/commands.h"
#include "cli/input.h"
#include "cli/interrupt.h"
#include "cli/output.h"
#include "cli/progress.h"
#include "cli/ranks.h"
#include "cli/sweep_store.h"
#include "report/format.h"
#include "studies/crew.h"
#include "studies/sweep.h"

namespace godwit::cli {
namespace {

struct SweepArguments {
  std::string file, out, csv, shard = "1/1";
  std::optional<std::uint64_t> point;
  std::optional<std::uint32_t> jobs;
  bool resume = false;
};

/// "2/3".
std::optional<studies::Shard> shard_in(const std::string& text) {
  studies::Shard shard;
  int length = 0;
  // NOLINTNEXTLINE(cert-err34-c): what does not fit is refused with the rest
  if (std::sscanf(text.c_str(), "%6u/%6u%n", &shard.index, &shard.count, &length) != 2) return std::nullopt;
  const bool right = static_cast<std::size_t>(length) == text.size() && shard.index >= 1 && shard.index <= shard.count;
  return right ? std::optional(shard) : std::nullopt;
}

std::string default_out(const std::string& file, const studies::Shard& shard) {
  const std::string stem = std::filesystem::path(file).stem().string();
  return shard.count == 1 ? stem + ".sqlite" : fmt::format("{}.{}-of-{}.sqlite", stem, shard.index, shard.count);
}

/// The store to go on with. Throws StoreError.
studies::SweepStore store_for(const std::string& out, const studies::StoreHeader& wanted, bool resume) {
  std::error_code ignored;
  const bool there = std::filesystem::exists(out, ignored) && std::filesystem::file_size(out, ignored) > 0;
  if (!there) return studies::SweepStore::create(out, wanted);
  studies::SweepStore store = studies::SweepStore::open(out, studies::Database::Access::kWrite);
  const std::string other = studies::other_than(store.header(), wanted);
  if (!other.empty()) throw studies::StoreError(fmt::format("{}: this is {}; it stays as it is", out, other));
  if (!resume)
    throw studies::StoreError(fmt::format("{}: this has {} of the sweep's {} already; --resume goes on with it", out,
                                          report::grouped(store.count()), report::plural(wanted.points, "point")));
  return store;
}

/// Runs what is missing: on the other ranks where `crew` is one, else on `jobs` threads here.
void run(const studies::Sweep& sweep, studies::SweepStore& store, std::uint32_t jobs, studies::Crew* crew) {
  const std::vector<std::uint64_t> points = studies::missing_points(store);
  const auto start = std::chrono::steady_clock::now();
  if (const std::uint64_t there = store.count(); there > 0)
    fmt::print(stderr, "{} there already, {} to run\n", report::plural(there, "point"), report::grouped(points.size()));
  {
    ProgressLine line("points");
    const auto progress = [&line](std::size_t done, std::size_t total) {
      line.show(done, total);
      return !interrupted();
    };
    if (crew)
      crew->run_points(sweep, points, store, progress);
    else
      studies::run_points(sweep, points, jobs, store, progress);
  }
  if (points.empty() || interrupted()) return;
  const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  fmt::print(stderr, "{} in {:.2f} s, {:.0f} points/s\n", report::plural(points.size(), "point"), seconds,
             static_cast<double>(points.size()) / seconds);
}

int sweep_into(const studies::Sweep& sweep, const SweepArguments& arguments, const studies::Shard& shard,
               studies::Crew* crew) {
  const std::string out = arguments.out.empty() ? default_out(arguments.file, shard) : arguments.out;
  studies::SweepStore store = store_for(out, studies::header_of(sweep, arguments.file, shard), arguments.resume);
  note_interrupt();
  try {
    run(sweep, store, arguments.jobs.value_or(std::max(1u, std::thread::hardware_concurrency())), crew);
  } catch (const std::exception& error) {
    return refuse("sweep", fmt::format("{}\n{} of {} are kept; --resume goes on with them", error.what(),
                                       report::grouped(store.count()), report::plural(sweep.points(), "point")));
  }
  store.finish();
  fmt::print("{}", account_of(store));
  if (!arguments.csv.empty()) {
    const std::string trouble = write_csv(store, arguments.csv);
    if (!trouble.empty()) return refuse("sweep", "--csv: " + trouble);
  }
  const std::string missing = missing_of(store);
  if (missing.empty()) return kDone;
  fmt::print(stderr, "interrupted; {}", missing);
  return kInterrupted;
}

int sweep_as_one(const SweepArguments& arguments, studies::Crew* crew) {
  const std::optional<studies::Shard> shard = shard_in(arguments.shard);
  if (!shard)
    return refuse("sweep", "--shard: expected a shard and how many there are, such as 2/3, got " + arguments.shard);
  if (const std::string trouble = trouble_with(arguments.file, "a sweep file"); !trouble.empty())
    return refuse("sweep", arguments.file + ": " + trouble);
  const auto loaded = studies::load_sweep(arguments.file);
  if (const auto* issues = std::get_if<std::vector<scenarios::Issue>>(&loaded)) {
    fmt::print(stderr, "{}", scenarios::to_string(*issues));
    return kWrongInput;
  }
  const auto& sweep = std::get<studies::Sweep>(loaded);
  if (arguments.point) {
    if (*arguments.point >= sweep.points())
      return refuse("sweep", fmt::format("--point: points are numbered from 0 to {}", sweep.points() - 1));
    fmt::print("{}\n", studies::scenario_at(sweep, *arguments.point).dump(2));
    return kDone;
  }
  try {
    return sweep_into(sweep, arguments, *shard, crew);
  } catch (const studies::StoreError& error) {
    return refuse("sweep", error.what());
  }
}

/// Rank 0 speaks for all.
int lead(const SweepArguments& arguments, studies::Ranks& ranks) {
  studies::Crew crew(ranks);
  const int status = sweep_as_one(arguments, &crew);
  if (crew.lost()) {
    std::fflush(stdout);
    ranks.abandon(status);
  }
  return status;
}

int follow(const SweepArguments& arguments, studies::Ranks& ranks) {
  note_interrupt();
  const auto loaded = studies::load_sweep(arguments.file);
  if (const auto* sweep = std::get_if<studies::Sweep>(&loaded))
    studies::serve(ranks, *sweep, arguments.jobs.value_or(1), [] { return !interrupted(); });
  else
    studies::serve_not(ranks, std::get<std::vector<scenarios::Issue>>(loaded).front().to_string());
  return interrupted() ? kInterrupted : kDone;
}

int sweep(const SweepArguments& arguments) {
  std::unique_ptr<studies::Ranks> ranks;
  try {
    ranks = launched_ranks();
  } catch (const std::runtime_error& error) {
    return refuse("sweep", error.what());
  }
  if (!ranks || ranks->size() == 1) return sweep_as_one(arguments, nullptr);
  return ranks->rank() == 0 ? lead(arguments, *ranks) : follow(arguments, *ranks);
}

}  // namespace

void add_sweep(CLI::App& app, int& exit_status) {
  auto arguments = std::make_shared<SweepArguments>();
  CLI::App* command = app.add_subcommand("sweep", "Run one scenario with its values varied, every combination of them");
  command->add_option("file", arguments->file, "Sweep file")->required()->type_name("FILE");
  command->add_option("--out", arguments->out, "The results, an SQLite file; default: named as the sweep, here")
      ->type_name("FILE");
  command->add_option("--csv", arguments->csv, "Write the results as CSV too; - is standard output")
      ->type_name("FILE|-");
  command->add_flag("--resume", arguments->resume, "Go on with the results that are there");
  command
      ->add_option("--jobs", arguments->jobs,
                   "Points at the same time, as many as there are CPUs; under mpirun: in each rank, 1")
      ->check(CLI::Range(1, 1024))
      ->type_name("N");
  command->add_option("--shard", arguments->shard, "Run the I-th of N parts only, for godwit merge")->type_name("I/N");
  command->add_option("--point", arguments->point, "Print the scenario of one point instead, for godwit run")
      ->type_name("NUMBER");
  command->footer(
      "Examples:\n"
      "  godwit sweep sweep.json\n"
      "  godwit sweep sweep.json --resume\n"
      "  godwit sweep sweep.json --shard 2/3 --out part-2.sqlite\n"
      "  mpirun -n 9 godwit sweep sweep.json\n"
      "  godwit sweep sweep.json --point 17 > point-17.json && godwit run point-17.json\n"
      "  sqlite3 sweep.sqlite 'SELECT name, unit, description FROM columns'\n"
      "\n"
      "Exit status: 0 done; 2 wrong input, or results that cannot be written; 3 a bug of Godwit; 130 interrupted. "
      "Points\n"
      "that were finished are kept, however it ends.\n");
  command->callback([arguments, &exit_status] { exit_status = sweep(*arguments); });
}

}  // namespace godwit::cli
