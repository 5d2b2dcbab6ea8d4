#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <iostream>
#include <map>
#include <memory>
#include <string>

#include "cli/commands.h"
#include "cli/output.h"
#include "scenarios/quantity.h"
#include "workloads/import.h"

namespace godwit::cli {
namespace {

using workloads::ImportFormat;

struct ImportArguments {
  std::string file;
  std::string output;
  std::string format = "csv";
  std::string interval = "10 ms";
  std::string page_size = "4 KiB";
  std::uint64_t instructions_per_second = 1'000'000'000;
};

/// `text` as a quantity from `low` to `high`; nothing after saying what is wrong.
std::optional<std::uint64_t> quantity(const char* option, scenarios::Dimension dimension, const std::string& text,
                                      std::uint64_t low, std::uint64_t high) {
  const auto parsed = scenarios::parse_quantity(dimension, text);
  const auto* value = std::get_if<std::uint64_t>(&parsed);
  if (value && *value >= low && *value <= high) return *value;
  refuse("import",
         fmt::format("{}: expected {} from {} to {}, got \"{}\"", option, scenarios::expected(dimension),
                     scenarios::format_quantity(dimension, low), scenarios::format_quantity(dimension, high), text));
  return std::nullopt;
}

int run_import(const ImportArguments& arguments) {
  using scenarios::Dimension;
  const std::map<std::string, ImportFormat> formats{
      {"csv", ImportFormat::kCsv}, {"perf", ImportFormat::kPerf}, {"lackey", ImportFormat::kLackey}};
  const auto format = formats.find(arguments.format);
  if (format == formats.end())
    return refuse("import", "--format: expected csv, perf or lackey, got " + arguments.format);
  const auto interval = quantity("--interval", Dimension::kTime, arguments.interval, 1'000, 3'600'000'000'000);
  const auto page_size = quantity("--page-size", Dimension::kBytes, arguments.page_size, 512, 1 << 30);
  if (!interval || !page_size) return kWrongInput;
  if ((*page_size & (*page_size - 1)) != 0) return refuse("import", "--page-size: expected a power of two");

  std::ifstream file;
  if (arguments.file != "-") {
    file.open(arguments.file);
    if (!file) return refuse("import", fmt::format("{}: {}", arguments.file, std::strerror(errno)));
  }
  auto read = workloads::import_writes(arguments.file == "-" ? std::cin : file,
                                       {.format = format->second,
                                        .interval = Nanos{static_cast<std::int64_t>(*interval)},
                                        .page_size = static_cast<std::uint32_t>(*page_size),
                                        .instructions_per_second = arguments.instructions_per_second});
  if (const auto* error = std::get_if<workloads::ImportError>(&read)) {
    const std::string where = error->line > 0 ? fmt::format("{}:{}", arguments.file, error->line) : arguments.file;
    return refuse("import", fmt::format("{}: {}", where, error->what));
  }
  auto& [trace, writes] = std::get<workloads::Imported>(read);
  trace.metadata = {{"made_by", "godwit import " GODWIT_VERSION}, {"from", arguments.file}};
  if (const auto trouble = workloads::write_trace(arguments.output, trace))
    return refuse("import", "-o: " + trouble->what);
  fmt::print(stderr, "{}: {} writes; {} intervals of {} with {} marks; the guest needs {} pages\n", arguments.output,
             writes, trace.interval_count(), arguments.interval, trace.marks, trace.page_count);
  return kDone;
}

}  // namespace

void add_import(CLI::App& app, int& exit_status) {
  auto arguments = std::make_shared<ImportArguments>();
  CLI::App* command = app.add_subcommand("import", "Turn what other tools know of a program's writes into a workload");
  command->add_option("file", arguments->file, "What the tool wrote; - is standard input")
      ->required()
      ->type_name("FILE|-");
  command->add_option("-o,--output", arguments->output, "Trace file to write")->required()->type_name("FILE");
  command->add_option("--format", arguments->format, "csv, perf (perf script -F time,addr) or lackey (valgrind)")
      ->type_name("FORMAT")
      ->capture_default_str();
  command->add_option("--interval", arguments->interval, "Length of the trace's intervals")
      ->type_name("TIME")
      ->capture_default_str();
  command->add_option("--page-size", arguments->page_size, "Size of a page")->type_name("SIZE")->capture_default_str();
  command
      ->add_option("--instructions-per-second", arguments->instructions_per_second,
                   "How fast the program ran, which lackey does not know")
      ->type_name("N")
      ->check(CLI::Range(std::uint64_t{1}, std::uint64_t{1'000'000'000'000}).description(""))
      ->capture_default_str();
  command->footer(
      "Examples:\n"
      "  godwit import writes.csv -o writes.gwt\n"
      "  perf record -d -e cpu/mem-stores/P COMMAND; perf script -F time,addr | godwit import - --format perf -o "
      "w.gwt\n"
      "  valgrind --tool=lackey --trace-mem=yes --log-file=l.txt COMMAND; godwit import l.txt --format lackey -o "
      "l.gwt\n"
      "\nExit status: 0 done; 2 wrong input, with the line.\n");
  command->callback([arguments, &exit_status] { exit_status = run_import(*arguments); });
}

}  // namespace godwit::cli
