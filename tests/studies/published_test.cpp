#include <gtest/gtest.h>

#include <algorithm>

#include "scenarios/load.h"
#include "sim/run.h"

// Library scenarios held against what was published of the real thing.
namespace godwit {
namespace {

sim::MigrationResult migrate(const std::string& name) {
  auto loaded = scenarios::load_file(std::string(GODWIT_SOURCE_DIR) + "/scenarios/library/" + name + ".json");
  if (const auto* issues = std::get_if<std::vector<scenarios::Issue>>(&loaded)) {
    ADD_FAILURE() << scenarios::to_string(*issues);
    return {};
  }
  return sim::run(std::get<scenarios::Loaded>(loaded).options).migrations.at(0);
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
