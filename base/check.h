#pragma once

namespace godwit {

/// Called when an invariant of Godwit itself is broken: a bug, never a bad input and never a bad network.
/// The host defines it (the command prints how to replay the run and exits with status 3; a kernel would panic).
[[noreturn]] void panic(const char* file, int line, const char* condition);

}  // namespace godwit

/// States an invariant. On in every build: a simulator that is wrong quietly is worthless.
#define GODWIT_CHECK(condition)                        \
  do {                                                 \
    if (!(condition)) [[unlikely]]                     \
      ::godwit::panic(__FILE__, __LINE__, #condition); \
  } while (false)
