#pragma once

#include <sys/types.h>

#include <cstdio>
#include <functional>
#include <string>

#include "base/units.h"

namespace godwit::studies {

/// What went wrong with a child that took more CPU time than it was given.
inline constexpr const char* kDoesNotEnd = "it does not end";

/// Work in a process of its own, so that a broken invariant, a crash or an endless loop ends that alone. Requires a
/// caller without threads. What it says on standard error is kept.
class Child {
 public:
  /// Starts `work`, which is given a file descriptor to write its results to, and ends the process when it returns. An
  /// exception that leaves it counts as a broken invariant. Throws std::runtime_error where the system has no room.
  explicit Child(const std::function<void(int output)>& work);
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;
  ~Child();  ///< Ends it at once.

  /// Where its results are read; at its end where the child is. Does not block.
  int output() const { return output_; }

  /// Waits for its end. Returns what went wrong: a broken invariant and its place, or the signal that it died of; empty
  /// where nothing did.
  std::string end();

 private:
  std::string why(int status) const;

  pid_t pid_ = -1;
  int output_ = -1;
  std::FILE* said_ = nullptr;
};

/// From now on this process may use that much more CPU time before it dies of it.
void limit_cpu(std::chrono::seconds more);

/// What went wrong in `work` in a process of its own; empty: nothing.
std::string failure_of(const std::function<void()>& work);

}  // namespace godwit::studies
