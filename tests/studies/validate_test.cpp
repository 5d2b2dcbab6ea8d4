#include "studies/validate.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "report/validate_table.h"
#include "scenarios/load.h"
#include "studies/embedded.h"
#include "studies/published.h"
#include "studies/real_scenario.h"
#include "tests/support/command.h"

namespace godwit::studies {
namespace {

using Issues = std::vector<scenarios::Issue>;
using testing::HasSubstr;

const Validation& real() {
  static const Validation all = [] {
    Validation validation;
    for (const embedded::File& file : embedded::real_runs()) {
      const auto runs = read_real_runs(file.text, std::string(file.name));
      for (const RealRun& run : std::get<std::vector<RealRun>>(runs))
        validation.runs.push_back(std::get<Prediction>(predict(run)));
    }
    return validation;
  }();
  return all;
}

Summary of_groups(const std::vector<std::string>& groups, bool inside) {
  std::vector<const Prediction*> list = real().of_kind(RunKind::kPlain);
  std::erase_if(list, [&](const Prediction* each) {
    return (std::ranges::find(groups, each->run.group) != groups.end()) != inside;
  });
  return summarise(list);
}

// ---- what Godwit claims of real migrations

TEST(RealRuns, EveryPlainVerdictIsRight) {
  const Summary plain = summarise(real().of_kind(RunKind::kPlain));
  EXPECT_EQ(plain.runs, 36u);
  EXPECT_EQ(plain.verdict_right, plain.runs);
}

TEST(RealRuns, PlainTimesAndBytesAreWithinTwoPercentInTheMedian) {
  const Summary plain = summarise(real().of_kind(RunKind::kPlain));
  EXPECT_LE(plain.total_time.median, 0.02);
  EXPECT_LE(plain.total_time.p90, 0.06);
  EXPECT_LE(plain.transferred.median, 0.02);
}

TEST(RealRuns, PlainSyncsAreWithinOneOrTenPercent) {
  const Summary plain = summarise(real().of_kind(RunKind::kPlain));
  EXPECT_EQ(plain.syncs_close, plain.runs);
}

TEST(RealRuns, StopToResumeIsWithinFivePercentWhereTheLinkLimitsIt) {
  EXPECT_LE(of_groups({"link", "multifd"}, true).stop_to_resume.median, 0.05);
}

TEST(RealRuns, StopToResumeIsWithinAFactorOfTwoElsewhere) {
  const Summary others = of_groups({"link", "multifd"}, false);
  EXPECT_GE(others.within_factor_two * 10, others.stop_to_resume.of * 8);
}

TEST(RealRuns, OtherKindsTakeTheirTimeWithinTenPercentInTheMedian) {
  for (const RunKind kind : {RunKind::kContent, RunKind::kXbzrle, RunKind::kAutoConverge, RunKind::kPostCopy}) {
    const Summary summary = summarise(real().of_kind(kind));
    EXPECT_GT(summary.total_time.of, 0u) << name_of(kind);
    EXPECT_LE(summary.total_time.median, 0.10) << name_of(kind);
  }
}

TEST(RealRuns, NormalAndZeroPagesAreAllPagesAndThoseNewlyDirty) {
  for (const Prediction& each : real().runs) EXPECT_TRUE(each.adds_up) << each.run.cell;
}

TEST(RealRuns, TheCommittedPageIsTheOneThatIsWritten) {
  EXPECT_EQ(test::read_file(std::string(GODWIT_SOURCE_DIR) + "/docs/validation.md"),
            report::validate_table(published_figures(), real(), report::TableFormat::kMarkdown))
      << "run: godwit validate --markdown > docs/validation.md";
}

TEST(RealRuns, WhatCameOfARunDoesNotReachItsPrediction) {
  for (const Prediction& each : real().runs) {
    if (!each.is_predicted()) continue;
    RealRun run = each.run;
    run.measured = {};
    EXPECT_EQ(scenario_of(run), scenario_of(each.run));
  }
}

// ---- errors

// Of ten values half are reached by the fifth, 90 % by the ninth.
TEST(ErrorSpread, IsOfMagnitudes) {
  const ErrorSpread spread = error_spread({0.1, -0.2, 0.3, -0.4, 0.5, 0.6, 0.7, 0.8, -0.9, 1.0});
  EXPECT_EQ(spread.of, 10u);
  EXPECT_DOUBLE_EQ(spread.median, 0.5);
  EXPECT_DOUBLE_EQ(spread.p90, 0.9);
  EXPECT_DOUBLE_EQ(spread.worst, 1.0);
  EXPECT_DOUBLE_EQ(error_spread({-0.3}).p90, 0.3);
  EXPECT_EQ(error_spread({}).of, 0u);
}

TEST(Prediction, SyncsAreCloseWithinOneOrTenPercent) {
  Prediction each;
  const auto close = [&](std::uint64_t predicted, std::uint64_t measured) {
    each.predicted.dirty_sync_count = predicted;
    each.run.measured.dirty_sync_count = measured;
    return each.syncs_close();
  };
  EXPECT_TRUE(close(4, 3));
  EXPECT_FALSE(close(5, 3));
  EXPECT_TRUE(close(22, 20));
  EXPECT_FALSE(close(23, 20));
}

// ---- reading records

std::string record() {
  return R"({"cell":"c","group":"rate","rep":0,"params":{"guest_ram_mib":256,)"
         R"("guest":{"mem":64,"rate":1000,"pattern":"uniform"},"link":{"kind":"unix"},)"
         R"("migration":{"max_bandwidth":20000000,"downtime_limit_ms":300,"cap_s":28}},)"
         R"("result":{"status":"completed","total_time_ms":1,"transferred_bytes":1,"normal_pages":1,)"
         R"("duplicate_pages":0,"dirty_sync_count":3},"guest":{"rate_before":999.5}})"
         "\n";
}

std::string with(std::string text, const std::string& what, const std::string& other) {
  return text.replace(text.find(what), what.size(), other);
}

std::string trouble(const std::string& text) {
  const auto read = read_real_runs(text, "f.jsonl");
  return std::holds_alternative<Issues>(read) ? scenarios::to_string(std::get<Issues>(read)) : "";
}

TEST(ReadRealRuns, TakesWhatItNeeds) {
  const auto read = read_real_runs("\n" + record() + record(), "f.jsonl");
  ASSERT_TRUE(std::holds_alternative<std::vector<RealRun>>(read));
  const RealRun& run = std::get<std::vector<RealRun>>(read).at(1);
  EXPECT_EQ(run.guest.write_rate, 1000u);
  EXPECT_EQ(run.guest.written_mib, 64u);
  EXPECT_EQ(run.migration.cap_ms, 28000u);
  EXPECT_TRUE(run.measured.completed);
  EXPECT_FALSE(run.measured.stop_to_resume_ms.has_value());
}

TEST(ReadRealRuns, SaysInWhichLineAndWhatWouldBeRight) {
  EXPECT_THAT(trouble(record() + with(record(), "unix", "pipe")),
              testing::AllOf(HasSubstr("f.jsonl:2:"), HasSubstr("/params/link/kind"), HasSubstr("unix, tcp, relay")));
  EXPECT_THAT(trouble(record() + "\n{\"cell\":\n"), HasSubstr("f.jsonl:3:"));
  EXPECT_THAT(trouble(record() + "3\n"), testing::AllOf(HasSubstr("f.jsonl:2:"), HasSubstr("expected an object")));
  EXPECT_THAT(trouble(with(record(), "\"mem\":64", "\"mem\":512")), HasSubstr("/params/guest/mem"));
  EXPECT_THAT(trouble(with(record(), "\"cap_s\":28", "\"cap_s\":0")), HasSubstr("a number above 0"));
  EXPECT_THAT(trouble(with(record(), "20000000", "-1")), HasSubstr("/params/migration/max_bandwidth"));
  EXPECT_THAT(trouble(with(record(), "\"rate_before\":999.5", "\"x\":1")), HasSubstr("rate_before is missing"));
  EXPECT_THAT(trouble(with(record(), "\"unix\"", "\"relay\"")), HasSubstr("bytes_per_s is missing"));
  EXPECT_THAT(trouble(with(record(), "completed", "done")), HasSubstr("completed, cancelled"));
  EXPECT_THAT(trouble("\n"), HasSubstr("no migration"));
}

TEST(ReadRealRuns, ListsAllThatIsWrong) {
  const std::string text = with(record(), "uniform", "wild") + with(record(), "unix", "pipe");
  EXPECT_THAT(trouble(text), testing::AllOf(HasSubstr("f.jsonl:1:"), HasSubstr("f.jsonl:2:")));
}

TEST(RealScenario, SaysWhatIsNotModelled) {
  const auto read = read_real_runs(with(record(), "\"cap_s\"", R"("capabilities":["zero-copy-send"],"cap_s")"), "f");
  const RealRun& run = std::get<std::vector<RealRun>>(read).at(0);
  EXPECT_EQ(not_modelled(run), std::vector<std::string>{"zero-copy-send"});
  EXPECT_FALSE(std::get<Prediction>(predict(run)).is_predicted());
}

TEST(RealScenario, WhatQemuRefusesIsRefused) {
  const auto read = read_real_runs(with(record(), "\"cap_s\"", R"("capabilities":["multifd","xbzrle"],"cap_s")"), "f");
  const auto predicted = predict(std::get<std::vector<RealRun>>(read).at(0));
  ASSERT_TRUE(std::holds_alternative<Issues>(predicted));
  EXPECT_THAT(scenarios::to_string(std::get<Issues>(predicted)), HasSubstr("exclude each other"));
}

TEST(RealScenario, PostCopyIsForThoseWhoAskForIt) {
  const auto strategy = [](const std::string& asked) {
    const std::string capable = R"("capabilities":["postcopy-ram","postcopy-blocktime"],)" + asked + R"("cap_s")";
    const auto read = read_real_runs(with(record(), "\"cap_s\"", capable), "f");
    return scenario_of(std::get<std::vector<RealRun>>(read).at(0))["migrations"][0]["strategy"];
  };
  EXPECT_FALSE(strategy("").contains("postcopy"));
  EXPECT_EQ(strategy(R"("postcopy_after_pass":2,)")["postcopy_after_pass"], 2);
  EXPECT_EQ(strategy(R"("postcopy_after_s":1.5,)")["postcopy_after"], "1500 ms");
  EXPECT_EQ(strategy(R"("postcopy_after_s":1.5,)")["postcopy_after_pass"], 0);
}

TEST(RealScenario, PostCopyThatNobodyCanAskForIsRefused) {
  const auto read = read_real_runs(
      with(record(), "\"cap_s\"", R"("capabilities":["postcopy-ram"],"postcopy_after_pass":0,"cap_s")"), "f");
  const auto predicted = predict(std::get<std::vector<RealRun>>(read).at(0));
  ASSERT_TRUE(std::holds_alternative<Issues>(predicted));
  EXPECT_THAT(scenarios::to_string(std::get<Issues>(predicted)), HasSubstr("must be asked for"));
}

// The guest of 256 MiB: 65,666 pages; 16,384 touched and 16,800 others are not zero.
TEST(RealScenario, TheGuestHasThePagesOfTheRecordedOne) {
  const auto read = read_real_runs(record(), "f");
  const Prediction prediction = std::get<Prediction>(predict(std::get<std::vector<RealRun>>(read).at(0)));
  EXPECT_EQ(prediction.predicted.duplicate_pages, 65'666u - 16'384 - 16'800);
}

}  // namespace
}  // namespace godwit::studies
