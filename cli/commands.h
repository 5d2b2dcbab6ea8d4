#pragma once

namespace CLI {
class App;
}

/// The commands, each in a file of its own. Every one sets `exit_status` when it is run.
namespace godwit::cli {

/// What the command's exit status says.
enum Exit : int {
  kDone = 0,
  kUnmet = 1,          ///< An expectation or a regression failed.
  kWrongInput = 2,     ///< The input or the command line is wrong.
  kBroken = 3,         ///< An invariant of Godwit itself is broken.
  kInterrupted = 130,  ///< What was done is kept.
};

void add_run(CLI::App& app, int& exit_status);
void add_restore(CLI::App& app, int& exit_status);
void add_soak(CLI::App& app, int& exit_status);
void add_compare(CLI::App& app, int& exit_status);
void add_report(CLI::App& app, int& exit_status);
void add_predict(CLI::App& app, int& exit_status);
void add_sweep(CLI::App& app, int& exit_status);
void add_merge(CLI::App& app, int& exit_status);
void add_check(CLI::App& app, int& exit_status);
void add_diff(CLI::App& app, int& exit_status);
void add_validate(CLI::App& app, int& exit_status);
void add_record(CLI::App& app, int& exit_status);
void add_import(CLI::App& app, int& exit_status);
void add_probe(CLI::App& app, int& exit_status);
void add_strategies(CLI::App& app, int& exit_status);
void add_workloads(CLI::App& app, int& exit_status);
void add_schema(CLI::App& app, int& exit_status);
void add_manual(CLI::App& app, int& exit_status);
void add_completion(CLI::App& app, int& exit_status);
void add_version(CLI::App& app, int& exit_status);

}  // namespace godwit::cli
