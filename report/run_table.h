#pragma once

#include <string>

#include "sim/result.h"

namespace godwit::report {

/// What a run is about, for its first lines.
struct Title {
  std::string name;
  std::string question;
};

/// A run for people: up to four migrations in full, more of them one line each.
std::string run_table(const sim::RunResult& result, const Title& title);

}  // namespace godwit::report
