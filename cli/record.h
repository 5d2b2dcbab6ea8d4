#pragma once

namespace CLI {
class App;
}

namespace godwit {

/// Adds `godwit record`. It sets `exit_status`: 0 done; 2 a wrong command line, a file that cannot be written, or a
/// system that cannot record; 130 interrupted, with what was recorded kept.
void add_record(CLI::App& app, int& exit_status);

}  // namespace godwit
