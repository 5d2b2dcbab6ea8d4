#pragma once

namespace CLI {
class App;
}

namespace godwit::cli {

/// Reads the command line, which runs its command. Returns the exit status: the command's own `exit_status`, or
/// kWrongInput after saying what is wrong and what may have been meant.
int parse(CLI::App& app, int argc, char** argv, const int& exit_status);

}  // namespace godwit::cli
