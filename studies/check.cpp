#include "studies/check.h"

#include "base/check.h"
#include "sim/run.h"

namespace godwit::studies {
namespace {

Checked run(const Check& check, const Document& document) {
  const sim::RunResult result = sim::run(check.scenario.options);
  const scenarios::Json written = document(result, check.scenario.effective);
  Checked checked;
  checked.unmet = unmet(written, check.scenario.expect);
  checked.found = golden_of(result, check.scenario, written);
  if (check.golden) checked.moved = moved(*check.golden, checked.found);
  return checked;
}

}  // namespace

bool Check::passed() const {
  GODWIT_CHECK(outcome);
  if (!outcome->unmet.empty()) return false;
  return golden_written || (golden ? !outcome->moved : !golden_required);
}

void run_checks(std::vector<Check>& checks, std::uint32_t jobs, const Document& document, const Progress& progress) {
  const auto work = [&](std::size_t number) { checks[number].outcome = run(checks[number], document); };
  for_each_number(checks.size(), jobs, work, progress);
}

}  // namespace godwit::studies
