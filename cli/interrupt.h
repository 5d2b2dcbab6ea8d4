#pragma once

namespace godwit::cli {

/// From now on an interrupt (Ctrl-C, SIGTERM) ends the process with kInterrupted, after removing the temporary file.
void exit_on_interrupt();

/// From now on the first interrupt only makes `interrupted` true, so that what was done can be kept; the second ends
/// the process.
void note_interrupt();
bool interrupted();

/// The file that an exit by interrupt removes; null: none. Requires it to outlive that role.
void set_temporary_file(const char* path);

}  // namespace godwit::cli
