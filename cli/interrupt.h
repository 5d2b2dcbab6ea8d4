#pragma once

namespace godwit::cli {

/// From now on an interrupt (Ctrl-C, SIGTERM) ends the process with kInterrupted, after removing the temporary files.
void exit_on_interrupt();

/// From now on the first interrupt only makes `interrupted` true, so that what was done can be kept; the second ends
/// the process.
void note_interrupt();
bool interrupted();

/// The files, up to 64, that an exit by interrupt removes. Requires `path` to stay as it is until it is forgotten.
void remember_temporary_file(const char* path);
void forget_temporary_file(const char* path);

}  // namespace godwit::cli
