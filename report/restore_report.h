#pragma once

#include <string>

#include "report/run_json.h"
#include "scenarios/checkpoint.h"
#include "sim/restore.h"

namespace godwit::report {

/// A checkpoint that was found sound, and what starting from it came to.
struct Restored {
  std::string file;
  std::string host;  ///< Where it was started.
  Nanos go_on{0};    ///< How long it worked then.
  const scenarios::Checkpoint& checkpoint;
  const sim::RestoreResult& result;
};

std::string restore_table(const Restored& restored);
Json restore_json(const Restored& restored);

}  // namespace godwit::report
