#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "cli/commands.h"
#include "cli/input.h"
#include "cli/output.h"
#include "cli/page_file.h"
#include "report/outcome_page.h"
#include "report/result_document.h"
#include "report/sweep_page.h"
#include "report/trace_events.h"

namespace godwit::cli {
namespace {

struct ReportArguments {
  std::vector<std::string> files;
  std::string out, trace, title;
};

bool is_store(const std::string& file) {
  std::ifstream input(file, std::ios::binary);
  std::string begin(15, '\0');
  input.read(begin.data(), static_cast<std::streamsize>(begin.size()));
  return begin == "SQLite format 3";
}

/// The results, or nothing after saying what is wrong with them.
std::optional<std::vector<report::ResultFile>> read_results(const std::vector<std::string>& files) {
  std::vector<report::ResultFile> results;
  for (const std::string& file : files) {
    const std::optional<std::string> text = read_text(file, "a result");
    if (!text) return std::nullopt;
    auto read = report::read_result(*text, file);
    if (const auto* issues = std::get_if<std::vector<scenarios::Issue>>(&read)) {
      fmt::print(stderr, "{}", scenarios::to_string(*issues));
      return std::nullopt;
    }
    results.push_back({file, std::get<report::Json>(std::move(read))});
  }
  return results;
}

/// Returns what went wrong; empty: nothing.
std::string write(const std::string& file, const std::string& text) {
  auto output = Output::open(file);
  if (auto* trouble = std::get_if<std::string>(&output)) return std::move(*trouble);
  return std::get<Output>(output).write(text);
}

std::string write_trace(const ReportArguments& arguments, const std::vector<report::ResultFile>& results) {
  if (results.size() != 1 || !results.front().document.contains("migrations"))
    return "--trace takes the result of one run";
  return write(arguments.trace, report::trace_events(results.front().document).dump(1) + "\n");
}

/// The page of `results` and of the sweep in `stores`, if there is one. Throws StoreError.
report::Page page_of(const std::vector<report::ResultFile>& results, const std::vector<std::string>& stores) {
  report::Page page = report::outcomes_page(results);
  for (const std::string& file : stores) {
    auto store = studies::SweepStore::open(file, studies::Database::Access::kRead);
    page.title = store.header().sweep.value("name", std::filesystem::path(file).stem().string());
    page.text = store.header().sweep.value("question", "");
    report::add_sweep(page, store);
  }
  return page;
}

int report(const ReportArguments& arguments) {
  if (arguments.out.empty() && arguments.trace.empty())
    return refuse("report", "expected -o FILE.html, .md or .csv, or --trace");
  std::optional<PageFile> out;
  if (!arguments.out.empty()) {
    auto opened = PageFile::open(arguments.out);
    if (const auto* trouble = std::get_if<std::string>(&opened)) return refuse("report", *trouble);
    out.emplace(std::get<PageFile>(std::move(opened)));
  }
  std::vector<std::string> documents, stores;
  for (const std::string& file : arguments.files) (is_store(file) ? stores : documents).push_back(file);
  if (stores.size() > 1) return refuse("report", "one sweep to a page");
  const auto results = read_results(documents);
  if (!results) return kWrongInput;
  if (!arguments.trace.empty())
    if (const std::string trouble = write_trace(arguments, *results); !trouble.empty())
      return refuse("report", trouble);
  if (!out) return kDone;
  try {
    report::Page page = page_of(*results, stores);
    if (!arguments.title.empty()) page.title = arguments.title;
    const std::string trouble = out->write(page);
    return trouble.empty() ? kDone : refuse("report", trouble);
  } catch (const studies::StoreError& error) {
    return refuse("report", error.what());
  }
}

}  // namespace

void add_report(CLI::App& app, int& exit_status) {
  auto arguments = std::make_shared<ReportArguments>();
  CLI::App* command = app.add_subcommand("report", "Show results as charts and tables on one page");
  command->add_option("result", arguments->files, "What run --json, compare --json or sweep have written")
      ->required()
      ->type_name("RESULT");
  command->add_option("--out,-o", arguments->out, "The page, by its name HTML, Markdown or CSV")
      ->type_name("FILE.html|.md|.csv");
  command->add_option("--trace", arguments->trace, "Write the rounds of a run as a timeline for Perfetto")
      ->type_name("FILE");
  command->add_option("--title", arguments->title, "Heading of the page")->type_name("TEXT");
  command->footer(
      "Examples:\n"
      "  godwit compare scenarios/library/redis_over_1g.json --json redis.json && godwit report redis.json -o "
      "redis.html\n"
      "  godwit report sweep.sqlite -o sweep.html\n"
      "  godwit run scenario.json --json run.json && godwit report run.json --trace run.trace.json\n"
      "\n"
      "The page needs nothing besides itself: it opens without a network. Exit status: 0 done; 2 wrong input; 3 a bug "
      "of\n"
      "Godwit.\n");
  command->callback([arguments, &exit_status] { exit_status = report(*arguments); });
}

}  // namespace godwit::cli
