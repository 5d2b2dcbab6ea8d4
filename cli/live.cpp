#include "cli/live.h"

#include <CLI/CLI.hpp>

namespace godwit::cli {

void add_live(CLI::App& app, int& exit_status) {
  CLI::App* live = app.add_subcommand("live", "Move the memory of real processes with the same core, on this Linux");
  live->require_subcommand(1);
  add_live_demo(*live, exit_status);
  add_live_grid(*live, exit_status);
  add_live_ends(*live, exit_status);
  add_live_calibrate(*live, exit_status);
}

}  // namespace godwit::cli
