#include <fmt/core.h>

#include <CLI/CLI.hpp>

#include "cli/commands.h"
#include "cli/ranks.h"

namespace godwit::cli {

void add_version(CLI::App& app, int& exit_status) {
  CLI::App* version = app.add_subcommand("version", "Print the version, and whether mpirun can spread sweeps");
  version->callback([&exit_status] {
    fmt::print("godwit {}\nsweeps over MPI: {}\n", GODWIT_VERSION, has_mpi() ? "yes" : "no");
    exit_status = kDone;
  });
}

}  // namespace godwit::cli
