#include "studies/work.h"

#include <algorithm>

#include "base/check.h"

namespace godwit::studies {

std::vector<WorkStretch> work_over_time(const sim::MigrationResult& migration) {
  std::vector<WorkStretch> all;
  Nanos at{0}, lost{0};
  const auto add = [&](Nanos until, Nanos work) {
    if (until > at) all.push_back({at, until, work});
    at = std::max(at, until);
    lost += work;
  };
  for (const sim::Iteration& each : migration.iterations)
    add(each.round.began + each.round.took - migration.requested_at, each.work_lost);
  add(migration.total_time, migration.work_lost - lost);
  return all;
}

std::vector<WorkStretch> merged(const std::vector<WorkStretch>& stretches, std::size_t most) {
  GODWIT_CHECK(most >= 1);
  const std::size_t together = (stretches.size() + most - 1) / most;
  std::vector<WorkStretch> all;
  for (std::size_t i = 0; i < stretches.size(); ++i) {
    if (i % together == 0) all.push_back({stretches[i].from, stretches[i].to, Nanos{0}});
    all.back().to = stretches[i].to;
    all.back().lost += stretches[i].lost;
  }
  return all;
}

}  // namespace godwit::studies
