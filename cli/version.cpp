#include <fmt/core.h>

#include <CLI/CLI.hpp>

#include "cli/commands.h"

namespace godwit::cli {

void add_version(CLI::App& app, int& exit_status) {
  CLI::App* version = app.add_subcommand("version", "Print the version");
  version->callback([&exit_status] {
    fmt::print("godwit {}\n", GODWIT_VERSION);
    exit_status = kDone;
  });
}

}  // namespace godwit::cli
