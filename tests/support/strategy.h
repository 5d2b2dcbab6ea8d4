#pragma once

#include <gtest/gtest.h>

#include "scenarios/json_reader.h"
#include "scenarios/strategy.h"
#include "tests/support/scenario.h"

namespace godwit::test {

/// A strategy as a scenario names it, with what `goal` sets.
inline scenarios::StrategySpec read_strategy(const scenarios::Json& strategy, const scenarios::Goal& goal = {}) {
  scenarios::Issues issues("test");
  scenarios::StrategySpec spec;
  EXPECT_TRUE(scenarios::read_strategy(scenarios::to_node(strategy), goal, "/goal", spec, issues)) << strategy.dump();
  return spec;
}

/// The plain run's migration by `strategy`, for which what its own sending dirties is not the question.
inline sim::MigrationOptions migration_by(const scenarios::Json& strategy) {
  sim::MigrationOptions options = plain_run().migrations[0];
  options.strategy = read_strategy(strategy).options;
  options.strategy.sender.derived = false;
  return options;
}

/// An idle guest of 64 MiB, 16,384 pages, of which a quarter, the upper 4,096, is of `kind`.
inline sim::RunOptions quarter_of(sim::PageKind kind, const scenarios::Json& strategy) {
  sim::RunOptions run = plain_run();
  run.guests[0].pages = {{.kind = kind, .share = kWhole / 4, .at_high = true}};
  run.migrations[0] = migration_by(strategy);
  return run;
}

}  // namespace godwit::test
