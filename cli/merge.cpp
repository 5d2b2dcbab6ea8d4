#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <cstdio>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <system_error>
#include <vector>

#include "cli/commands.h"
#include "cli/input.h"
#include "cli/output.h"
#include "cli/sweep_store.h"
#include "studies/sweep.h"

namespace godwit::cli {
namespace {

using studies::Database;
using studies::StoreError;
using studies::SweepStore;

struct MergeArguments {
  std::vector<std::string> files;
  std::string out, csv;
};

/// All parts, of one sweep and one version. Throws StoreError.
std::vector<SweepStore> open_all(const std::vector<std::string>& files) {
  std::vector<SweepStore> parts;
  for (const std::string& file : files) {
    if (const std::string trouble = trouble_with(file, "the output of a sweep"); !trouble.empty())
      throw StoreError(fmt::format("{}: {}", file, trouble));
    // To write, since what a killed process has left is put in order when it is opened.
    parts.push_back(SweepStore::open(file, Database::Access::kWrite));
    studies::StoreHeader wanted = parts.front().header();
    wanted.shard = parts.back().header().shard;
    const std::string other = studies::other_than(parts.back().header(), wanted);
    if (!other.empty()) throw StoreError(fmt::format("{}: compared with {}, this is {}", file, files.front(), other));
  }
  return parts;
}

int merge(const MergeArguments& arguments) {
  std::error_code ignored;
  if (std::filesystem::exists(arguments.out, ignored))
    return refuse("merge", arguments.out + ": this file is there already");
  try {
    std::vector<SweepStore> parts = open_all(arguments.files);
    studies::StoreHeader header = parts.front().header();
    header.shard = {};
    SweepStore merged = SweepStore::create(arguments.out, header);
    for (SweepStore& part : parts) {
      studies::merge_into(merged, part);
      part.finish();
    }
    merged.finish();
    fmt::print("{}", account_of(merged));
    if (!arguments.csv.empty()) {
      const std::string trouble = write_csv(merged, arguments.csv);
      if (!trouble.empty()) return refuse("merge", "--csv: " + trouble);
    }
    const std::string missing = missing_of(merged);
    fmt::print(stderr, "{}", missing);
    return missing.empty() ? kDone : kUnmet;
  } catch (const StoreError& error) {
    return refuse("merge", error.what());
  }
}

}  // namespace

void add_merge(CLI::App& app, int& exit_status) {
  auto arguments = std::make_shared<MergeArguments>();
  CLI::App* command = app.add_subcommand("merge", "Put the parts of a sweep together");
  command->add_option("file", arguments->files, "Outputs of godwit sweep --shard")->required()->type_name("FILE");
  command->add_option("--out,-o", arguments->out, "The whole, an SQLite file that is not there yet")
      ->required()
      ->type_name("FILE");
  command->add_option("--csv", arguments->csv, "Write the results as CSV too; - is standard output")
      ->type_name("FILE|-");
  command->footer(
      "Example:\n"
      "  godwit merge part-1.sqlite part-2.sqlite part-3.sqlite -o sweep.sqlite\n"
      "\n"
      "Exit status: 0 done; 1 points are missing, and which is said; 2 wrong input; 3 a bug of Godwit.\n");
  command->callback([arguments, &exit_status] { exit_status = merge(*arguments); });
}

}  // namespace godwit::cli
