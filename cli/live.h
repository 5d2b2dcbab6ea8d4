#pragma once

namespace CLI {
class App;
}

namespace godwit::cli {

/// `godwit live` and its commands.
void add_live(CLI::App& app, int& exit_status);

// Each of them, under `live`.
void add_live_demo(CLI::App& live, int& exit_status);
void add_live_grid(CLI::App& live, int& exit_status);
void add_live_calibrate(CLI::App& live, int& exit_status);
void add_live_ends(CLI::App& live, int& exit_status);  ///< send, receive, ask, token.

}  // namespace godwit::cli
