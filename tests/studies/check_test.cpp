#include "studies/check.h"

#include <gtest/gtest.h>

#include <atomic>
#include <set>
#include <stdexcept>

#include "report/run_json.h"
#include "tests/support/command.h"

namespace godwit::studies {
namespace {

scenarios::Loaded library(const std::string& name) {
  auto loaded = scenarios::load_file(std::string(GODWIT_SOURCE_DIR) + "/scenarios/library/" + name + ".json");
  if (const auto* issues = std::get_if<std::vector<scenarios::Issue>>(&loaded)) {
    ADD_FAILURE() << scenarios::to_string(*issues);
    return {};
  }
  return std::get<scenarios::Loaded>(std::move(loaded));
}

std::vector<Check> some_checks() {
  std::vector<Check> checks;
  for (const char* name : {"idle_guest", "hot_heap_over_1g", "nomadbios_100mbit"})
    checks.emplace_back().scenario = library(name);
  return checks;
}

TEST(Check, DoesNotDependOnTheNumberOfJobs) {
  std::vector<Check> one = some_checks(), three = some_checks();
  run_checks(one, 1, report::run_json);
  run_checks(three, 3, report::run_json);
  for (std::size_t i = 0; i < one.size(); ++i) {
    ASSERT_TRUE(one[i].outcome && three[i].outcome);
    EXPECT_EQ(golden_text(one[i].outcome->found), golden_text(three[i].outcome->found));
  }
}

TEST(Check, PassesAgainstWhatItLeft) {
  std::vector<Check> checks = some_checks();
  run_checks(checks, 1, report::run_json);
  for (Check& each : checks) {
    EXPECT_TRUE(each.passed()) << "without a golden";
    each.golden_required = true;
    EXPECT_FALSE(each.passed()) << "without the golden that it needs";
    each.golden = each.outcome->found;
  }
  run_checks(checks, 1, report::run_json);
  for (const Check& each : checks) EXPECT_TRUE(each.passed());
  checks[1].golden->records[3] += "1";
  run_checks(checks, 1, report::run_json);
  EXPECT_TRUE(checks[0].passed());
  ASSERT_TRUE(checks[1].outcome->moved);
  EXPECT_EQ(checks[1].outcome->moved->record->index, 3u);
  EXPECT_FALSE(checks[1].passed());
}

TEST(Check, KeepsWhatWasFinishedWhenItIsEnded) {
  std::vector<Check> checks = some_checks();
  run_checks(checks, 1, report::run_json, [](std::size_t done, std::size_t) { return done < 2; });
  EXPECT_TRUE(checks[0].outcome && checks[1].outcome);
  EXPECT_FALSE(checks[2].outcome);
}

// Every list as long as one likes, every number with many digits.
TEST(Golden, AFileStaysSmallHoweverMuchHappens) {
  constexpr std::uint64_t kMany = 987'654'321'987;
  constexpr Nanos kLong{kMany * 1000};
  sim::Iteration iteration;
  core::RoundStats& round = iteration.round;
  round.index = 100;
  round.began = round.took = kLong;
  round.sent = round.zero = round.skipped = round.new_dirty = round.pending_after = {kMany};
  round.bytes = {kMany};
  round.rate_limit = {kMany};
  sim::MigrationResult migration{.guest = "guest-10000", .source = "host-100", .destination = "host-100"};
  migration.total_time = migration.setup_time = migration.downtime = migration.service_gap = migration.work_lost =
      kLong;
  migration.parts.fill(kLong);
  migration.transferred = migration.precopy = {kMany};
  migration.iterations.assign(100, iteration);
  migration.costs.assign(12, {"hypervisor", "host-100", sim::Activity::kProtocol, kLong});
  sim::RunResult result;
  result.migrations.assign(300, migration);
  result.records.assign(100'000, {.guest = 0, .kind = sim::RecordKind::kLogReadCleared, .at = kLong, .value = kMany});
  scenarios::Loaded scenario;
  scenario.document = scenarios::Json::object();
  scenario.options.guests.resize(1);
  scenario.options.guests[0].name = migration.guest;
  const std::string text = golden_text(golden_of(result, scenario, report::run_json(result, {})));
  EXPECT_LT(text.size(), 200u << 10);
  EXPECT_GT(text.size(), 100u << 10) << "it keeps what it can";
}

TEST(ForEachNumber, TakesEachOnceOnAnyNumberOfThreads) {
  for (const std::uint32_t jobs : {1u, 2u, 7u}) {
    std::vector<int> calls(100);
    std::set<std::size_t> told;
    for_each_number(
        calls.size(), jobs, [&](std::size_t number) { ++calls[number]; },
        [&](std::size_t done, std::size_t total) {
          EXPECT_EQ(total, calls.size());
          return told.insert(done).second;
        });
    EXPECT_EQ(calls, std::vector<int>(100, 1));
    EXPECT_EQ(told.size(), 100u);
  }
}

TEST(ForEachNumber, ThrowsWhatACallHasThrownAndStartsNoOther) {
  std::atomic<int> calls = 0;
  const auto work = [&](std::size_t number) {
    ++calls;
    if (number == 3) throw std::runtime_error("the trace ends early");
  };
  EXPECT_THROW(for_each_number(100, 1, work, {}), std::runtime_error);
  EXPECT_EQ(calls, 4);
}

}  // namespace
}  // namespace godwit::studies
