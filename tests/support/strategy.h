#pragma once

#include <gtest/gtest.h>

#include "scenarios/json_reader.h"
#include "scenarios/strategy.h"

namespace godwit::test {

/// A strategy as a scenario names it, with what `goal` sets.
inline scenarios::StrategySpec read_strategy(const scenarios::Json& strategy, const scenarios::Goal& goal = {}) {
  scenarios::Issues issues("test");
  scenarios::StrategySpec spec;
  EXPECT_TRUE(scenarios::read_strategy(scenarios::to_node(strategy), goal, "/goal", spec, issues)) << strategy.dump();
  return spec;
}

}  // namespace godwit::test
