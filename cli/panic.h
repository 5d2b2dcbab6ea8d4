#pragma once

namespace godwit::cli {

/// Keeps the command line, for the message of a broken invariant. Requires `argv` to outlive the process's work.
void remember_command_line(int argc, char** argv);

}  // namespace godwit::cli
