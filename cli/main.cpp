#include <fmt/core.h>

#include <CLI/CLI.hpp>

#include "cli/commands.h"
#include "cli/live.h"
#include "cli/panic.h"
#include "cli/parse.h"

int main(int argc, char** argv) {
  using namespace godwit::cli;
  remember_command_line(argc, argv);

  CLI::App app{
      "Simulates the migration of virtual machines with the real migration code: does it converge, how long is\n"
      "the guest down, what does it cost and who pays, and what would moving itself have done instead?",
      "godwit"};
  app.footer(
      "Examples:\n"
      "  godwit run scenarios/library/redis_over_1g.json\n"
      "  godwit compare scenarios/library/redis_over_1g.json --strategies self-migration,qemu-10\n"
      "  godwit COMMAND --help\n");
  app.require_subcommand(0, 1);

  int exit_status = kDone;
  add_run(app, exit_status);
  add_restore(app, exit_status);
  add_soak(app, exit_status);
  add_compare(app, exit_status);
  add_report(app, exit_status);
  add_predict(app, exit_status);
  add_sweep(app, exit_status);
  add_merge(app, exit_status);
  add_check(app, exit_status);
  add_diff(app, exit_status);
  add_validate(app, exit_status);
  add_strategies(app, exit_status);
  add_workloads(app, exit_status);
  add_schema(app, exit_status);
  add_version(app, exit_status);
  add_record(app, exit_status);
  add_import(app, exit_status);
  add_probe(app, exit_status);
  add_live(app, exit_status);
  add_manual(app, exit_status);
  add_completion(app, exit_status);
  app.callback([&app] {
    if (app.get_subcommands().empty()) fmt::print("{}", app.help());
  });
  return parse(app, argc, argv, exit_status);
}
