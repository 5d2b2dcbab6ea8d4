#include <gtest/gtest.h>

#include <csignal>
#include <set>
#include <stdexcept>

#include "report/soak_report.h"
#include "scenarios/strategy.h"
#include "studies/child.h"
#include "studies/soak.h"
#include "studies/soak_scenario.h"
#include "tests/support/command.h"

namespace godwit {
namespace {

using scenarios::Json;
using studies::SoakOptions;
using studies::SoakSummary;

class SoakTest : public testing::Test {
 protected:
  SoakTest() { studies::write_soak_recording(folder_.path("")); }
  std::string summary(const SoakOptions& options, const studies::Progress& progress = {}) {
    return report::soak_json(studies::soak(options, progress), {}).dump(1);
  }
  SoakOptions options(std::uint64_t seeds, std::uint32_t jobs) {
    return {.seeds = seeds, .jobs = jobs, .folder = folder_.path("")};
  }
  test::Folder folder_;
};

TEST_F(SoakTest, EveryScenarioThatIsDrawnLoads) {
  for (std::uint64_t seed = 0; seed < 1000; ++seed) {
    const auto loaded = scenarios::load_document(studies::soak_scenario(seed), "drawn", folder_.path(""));
    const auto* issues = std::get_if<std::vector<scenarios::Issue>>(&loaded);
    ASSERT_EQ(issues, nullptr) << "seed " << seed << "\n" << scenarios::to_string(*issues);
  }
}

TEST_F(SoakTest, TheSameSeedDrawsTheSameScenario) {
  for (const std::uint64_t seed : {0u, 7u, 4711u})
    EXPECT_EQ(studies::soak_scenario(seed).dump(), studies::soak_scenario(seed).dump());
  EXPECT_NE(studies::soak_scenario(1)["hosts"], studies::soak_scenario(2)["hosts"]);
}

/// The names under which something of `kind` occurs anywhere in `document`.
void collect(const Json& document, const std::string& kind, std::set<std::string>& names) {
  if (document.is_object() && document.contains(kind) && document[kind].is_string()) names.insert(document[kind]);
  if (document.is_structured())
    for (const Json& each : document) collect(each, kind, names);
}

TEST_F(SoakTest, WhateverAScenarioCanSayIsDrawnSometime) {
  std::set<std::string> workloads, events, phases;
  std::map<std::string, std::set<std::string>> parameters;
  for (std::uint64_t seed = 0; seed < 2000; ++seed) {
    const Json document = studies::soak_scenario(seed);
    collect(document["guests"], "kind", workloads);
    if (document.contains("events")) {
      collect(document["events"], "do", events);
      collect(document["events"], "when", phases);
    }
    for (const Json& migration : document["migrations"])
      for (const auto& [name, value] : migration["strategy"].items())
        parameters[migration["strategy"]["name"]].insert(name);
  }
  for (const std::string& each : scenarios::workload_table().info().variants)
    EXPECT_TRUE(workloads.contains(each)) << each;
  for (const std::string& each : scenarios::event_table().info().variants) EXPECT_TRUE(events.contains(each)) << each;
  for (const scenarios::FieldInfo& field : scenarios::event_table().info().fields)
    if (field.name == "when") {
      EXPECT_EQ(phases.size(), field.schema()["enum"].size());
    }
  for (const scenarios::Strategy& strategy : scenarios::strategies())
    for (const std::string& each : strategy.parameter_names())
      EXPECT_TRUE(parameters[strategy.name()].contains(each)) << strategy.name() << " " << each;
}

TEST_F(SoakTest, TheSummaryDoesNotDependOnTheNumberOfProcesses) {
  const std::string one = summary(options(300, 1));
  EXPECT_EQ(summary(options(300, 2)), one);
  EXPECT_NE(one.find("\"violations\": []"), std::string::npos);
}

TEST_F(SoakTest, WhatIsCutShortIsASummaryOfTheSeedsUpToThere) {
  SoakOptions cut = options(100'000, 2);
  const SoakSummary short_one = studies::soak(cut, [](std::size_t done, std::size_t) { return done < 20; });
  EXPECT_GE(short_one.seeds, 20u);
  EXPECT_LT(short_one.seeds, 10'000u);
  EXPECT_EQ(report::soak_json(short_one, {}).dump(1), summary(options(short_one.seeds, 1)));
}

TEST_F(SoakTest, SeedsCanBeginAnywhere) {
  SoakOptions later = options(5, 1);
  later.first = 40;
  const SoakSummary all = studies::soak(later);
  EXPECT_EQ(all.first, 40u);
  EXPECT_EQ(all.seeds, 5u);
  std::uint64_t outcomes = 0;
  for (const auto& [outcome, count] : all.outcomes) outcomes += count;
  EXPECT_EQ(outcomes, all.migrations);
  EXPECT_EQ(all.checks[0] + all.refused, 5u);
}

TEST(Child, SaysWhatWentWrong) {
  EXPECT_EQ(studies::failure_of([] {}), "");
  EXPECT_EQ(studies::failure_of([] { throw std::runtime_error("no room"); }), "no room");
  // Not SIGSEGV, which sanitizers catch.
  EXPECT_NE(studies::failure_of([] { std::raise(SIGUSR2); }).find("signal 12"), std::string::npos);
  EXPECT_NE(studies::failure_of([] { ::_exit(5); }).find("status 5"), std::string::npos);
}

TEST(Child, NamesThePlaceOfABrokenInvariantWithoutItsFolders) {
  const auto breaks = [] { panic("/somebody/s/folders/sim/run.cpp", 71, "a / b"); };
  EXPECT_EQ(studies::failure_of(breaks), "sim/run.cpp:71: a / b");
}

TEST(Child, IsEndedWhenItDoesNotEnd) {
  const auto endless = [] {
    studies::limit_cpu(std::chrono::seconds(0));
    for (volatile bool forever = true; forever;) continue;
  };
  EXPECT_EQ(studies::failure_of(endless), studies::kDoesNotEnd);
}

}  // namespace
}  // namespace godwit
