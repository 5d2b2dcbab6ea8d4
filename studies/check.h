#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <vector>

#include "scenarios/load.h"
#include "sim/result.h"
#include "studies/expectations.h"
#include "studies/golden.h"
#include "studies/moved.h"
#include "studies/parallel.h"

/// Scenarios as a regression test: what they came to against what they should have.
namespace godwit::studies {

/// What a run came to.
struct Checked {
  std::vector<Unmet> unmet;
  std::optional<Moved> moved;  ///< Against the golden. Nothing: it is the same, or there is none.
  Golden found;                ///< What the run would leave.
};

/// One scenario, what it is held against, and what came of that.
struct Check {
  scenarios::Loaded scenario;
  std::filesystem::path golden_path;
  std::optional<Golden> golden;    ///< As it was found.
  bool golden_required = false;    ///< One that is missing is a failure.
  bool golden_written = false;     ///< What was found is the golden from now on.
  std::optional<Checked> outcome;  ///< Nothing: it was not run.

  /// Requires an outcome.
  bool passed() const;
};

/// The result of a run as its document has it.
using Document = std::function<scenarios::Json(const sim::RunResult& result, const scenarios::Json& effective)>;

/// Runs `checks` and gives them their outcomes; where `progress` ends it early, some. What comes of them does not
/// depend on `jobs`. Throws what a run throws.
void run_checks(std::vector<Check>& checks, std::uint32_t jobs, const Document& document,
                const Progress& progress = {});

}  // namespace godwit::studies
