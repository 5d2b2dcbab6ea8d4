#include <gtest/gtest.h>

#include <algorithm>

#include "scenarios/load.h"
#include "sim/run.h"

// Library scenarios held against what was published of the real thing.
namespace godwit {
namespace {

sim::RunOptions scenario(const std::string& name) {
  auto loaded = scenarios::load_file(std::string(GODWIT_SOURCE_DIR) + "/scenarios/library/" + name + ".json");
  if (const auto* issues = std::get_if<std::vector<scenarios::Issue>>(&loaded)) {
    ADD_FAILURE() << scenarios::to_string(*issues);
    return {};
  }
  return std::get<scenarios::Loaded>(loaded).options;
}

sim::RunResult simulate(const std::string& name) { return sim::run(scenario(name)); }

sim::MigrationResult migrate(const std::string& name) {
  const sim::RunResult result = simulate(name);
  return result.migrations.empty() ? sim::MigrationResult{} : result.migrations[0];
}

void expect_within(double found, double published, double share, const std::string& what) {
  EXPECT_NEAR(found, published, published * share) << what;
}

// Clark et al., NSDI 2005, figure 12. The writer's rate is the only fitted number; the scenario says from what.
TEST(Published, ClarkFigure12IsMetWithin8Percent) {
  const sim::MigrationResult result = migrate("mmuncher_clark05");
  const std::vector<double> mebibytes{255.4, 44.0, 116.0, 222.5};
  const std::vector<double> limits{100, 155, 500, 500};
  ASSERT_EQ(result.iterations.size(), mebibytes.size());
  for (std::size_t i = 0; i < mebibytes.size(); ++i) {
    const core::RoundStats& round = result.iterations[i].round;
    const std::string which = "round " + std::to_string(i + 1);
    expect_within(static_cast<double>(round.bytes.value) / (1 << 20), mebibytes[i], 0.08, which + " MiB");
    expect_within(static_cast<double>(round.rate_limit.value) / 1e6, limits[i], 0.08, which + " limit");
  }
  expect_within(static_cast<double>(result.downtime.count()) / 1e9, 3.5, 0.08, "seconds of downtime");
  EXPECT_TRUE(result.verified);
}

double middle(std::vector<double> values) {
  std::ranges::sort(values);
  return values[values.size() / 2];
}

// Clark et al., NSDI 2005, figure 9. What the guest dirties is that of figures 3 to 6, which are of another test, and it
// varies as SPECweb99's requests do; nothing is fitted to the rounds. One migration is one of many that could have been: the
// middle ones of 100 seeds are held against it, and its 8 live rounds are among the inner nine tenths.
TEST(Published, ClarkFigure9IsAmongWhatComesOfAHundredSeeds) {
  const std::vector<double> limits{100, 100, 100, 189, 307};
  sim::RunOptions run = scenario("specweb_clark05");
  std::vector<std::vector<double>> limit(limits.size());
  std::vector<double> downtime, total, rounds;
  for (run.seed = 1; run.seed <= 100; ++run.seed) {
    const sim::MigrationResult result = sim::run(run).migrations.at(0);
    EXPECT_TRUE(result.verified);
    ASSERT_GT(result.iterations.size(), limits.size()) << "seed " << run.seed;
    for (std::size_t i = 0; i < limits.size(); ++i)
      limit[i].push_back(static_cast<double>(result.iterations[i].round.rate_limit.value) / 1e6);
    downtime.push_back(static_cast<double>(result.downtime.count()) / 1e6);
    total.push_back(static_cast<double>(result.total_time.count()) / 1e9);
    rounds.push_back(static_cast<double>(result.iterations.size() - 1));
  }
  for (std::size_t i = 0; i < limits.size(); ++i)
    expect_within(middle(limit[i]), limits[i], 0.10, "limit of round " + std::to_string(i + 1));
  expect_within(middle(downtime), 210, 0.25, "milliseconds of downtime");
  expect_within(middle(total), 71, 0.10, "seconds in all");
  std::ranges::sort(rounds);
  EXPECT_LE(rounds[5], 8);
  EXPECT_GE(rounds[94], 8);
}

// Hines and Gopalan, VEE 2009: seven working sets, two constants, which the scenario declares.
TEST(Published, HinesWritePrecopyIsMetWithin4Percent) {
  const std::vector<double> milliseconds{92, 165, 322, 603, 1207, 2405, 4863};
  const std::vector<sim::MigrationResult> results = simulate("write_precopy_hines09").migrations;
  ASSERT_EQ(results.size(), milliseconds.size());
  for (std::size_t i = 0; i < results.size(); ++i) {
    expect_within(static_cast<double>(results[i].downtime.count()) / 1e6, milliseconds[i], 0.04,
                  std::to_string(8 << i) + " MiB");
    EXPECT_TRUE(results[i].verified);
  }
}

// Hansen and Henriksen, "Nomadic Operating Systems", 2002: under 100 ms at 100 Mbit/s. The scenario's notes have the
// arithmetic; here is its core: the pages of the last scan and of the shadow, at 4,104 bytes a page.
TEST(Published, NomadBiosIsDownForLessThan100Milliseconds) {
  const sim::MigrationResult result = migrate("nomadbios_100mbit");
  EXPECT_EQ(result.status, sim::Status::kCompleted);
  EXPECT_LT(result.downtime, std::chrono::milliseconds(100));
  const double page_ms = 4104 * 8 / 100e3;
  const double last_scan_ms = static_cast<double>(result.iterations.back().round.sent.value) * page_ms;
  EXPECT_NEAR(static_cast<double>(result.downtime.count()) / 1e6, last_scan_ms, 0.1 * last_scan_ms);
  EXPECT_TRUE(result.verified);
}

}  // namespace
}  // namespace godwit
