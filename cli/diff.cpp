#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <cstdio>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "cli/commands.h"
#include "cli/input.h"
#include "cli/interrupt.h"
#include "report/result_document.h"

namespace godwit::cli {
namespace {

/// The document in `file`, or nothing after saying what is wrong with it.
std::optional<report::Json> read(const std::string& file) {
  const std::optional<std::string> text = read_text(file, "a result file");
  if (!text) return std::nullopt;
  auto result = report::read_result(*text, file);
  if (const auto* issues = std::get_if<std::vector<scenarios::Issue>>(&result)) {
    fmt::print(stderr, "{}", scenarios::to_string(*issues));
    return std::nullopt;
  }
  return std::get<report::Json>(std::move(result));
}

int diff(const std::string& first, const std::string& second) {
  exit_on_interrupt();
  const auto from = read(first), to = read(second);
  if (!from || !to) return kWrongInput;
  if (from->contains("strategies") != to->contains("strategies")) {
    fmt::print(stderr, "godwit diff: one is the result of a run, the other of a comparison\n");
    return kWrongInput;
  }
  const report::ResultDifference difference = report::difference(*from, *to);
  fmt::print("{}", report::difference_table(difference, *from, *to));
  return difference.any() ? kUnmet : kDone;
}

}  // namespace

void add_diff(CLI::App& app, int& exit_status) {
  struct Files {
    std::string first, second;
  };
  auto files = std::make_shared<Files>();
  CLI::App* command = app.add_subcommand("diff", "Compare two results, field by field");
  command->add_option("a", files->first, "Result of run --json or compare --json")->required()->type_name("A");
  command->add_option("b", files->second, "Another of the same kind")->required()->type_name("B");
  command->footer(
      "Example:\n"
      "  godwit run scenario.json --json before.json\n"
      "  godwit run scenario.json --json after.json --set '/links/0/bandwidth=10 Gbit/s'\n"
      "  godwit diff before.json after.json\n"
      "\n"
      "Exit status: 0 the same scenario and the same result; 1 they differ; 2 wrong input. Which version of Godwit "
      "made\n"
      "them is shown, and is no difference.\n");
  command->callback([files, &exit_status] { exit_status = diff(files->first, files->second); });
}

}  // namespace godwit::cli
