#pragma once

#include <fmt/format.h>

#include "studies/golden.h"

namespace godwit::test {

/// A golden in full, made up: `records` rounds of a guest `g`, a millisecond each, and `migrations` of guests vm-0 ...
inline studies::Golden some_golden(std::size_t records, std::size_t migrations) {
  studies::Golden golden;
  golden.version = "0.1.0";
  golden.scenario = "00000000000000aa";
  golden.seed = 1;
  golden.digest = "00000000000000bb";
  for (std::size_t i = 0; i < records; ++i)
    golden.records.push_back(fmt::format("{}.{:03}000000 s g round_sent {} pages", i / 1000, i % 1000, i));
  for (std::size_t i = 0; i < migrations; ++i)
    golden.migrations.push_back({{"guest", fmt::format("vm-{}", i)}, {"downtime_ms", 200.0}});
  return golden;
}

}  // namespace godwit::test
