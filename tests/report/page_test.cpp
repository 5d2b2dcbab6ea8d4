#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <set>
#include <string>

#include "report/charts.h"
#include "report/outcome_page.h"
#include "report/page.h"
#include "report/trace_events.h"
#include "sim/names.h"
#include "studies/sweep_cells.h"

namespace godwit::report {
namespace {

using testing::HasSubstr;
using testing::Not;

Page page_of(const std::string& word) {
  Figure figure{
      .title = word, .text = word, .spec = {{"title", word}}, .table = {{"a", word}, {{"1", word}}}, .command = word};
  return {.title = word, .text = word, .figures = {figure}, .recipes = {{word, {{"name", word}}}}};
}

TEST(Page, LoadsNothingFromAnywhere) {
  const std::string html = page_html(page_of("word"));
  EXPECT_THAT(html, HasSubstr("default-src 'none'"));
  for (const char* each : {"<link", "<img", "<iframe", "src=\"", "@import", "url("})
    EXPECT_THAT(html.substr(0, html.find("<script")), Not(HasSubstr(each)));
}

// Neither markup nor the end of a script comes out of a name that somebody else has chosen.
TEST(Page, TextStaysText) {
  const std::string hostile = "</script><script>alert(1)</script><!--&\"";
  const std::string html = page_html(page_of(hostile));
  EXPECT_THAT(html, Not(HasSubstr("<script>alert")));
  EXPECT_THAT(html, HasSubstr("&lt;/script&gt;&lt;script&gt;alert(1)"));
  EXPECT_THAT(html, HasSubstr("\\u003c/script>\\u003cscript>alert(1)"));
}

TEST(Page, MarkdownAndCsvHaveTheTables) {
  const Page page = page_of("a|b, \"c\"");
  EXPECT_THAT(page_markdown(page), HasSubstr("| 1 | a\\|b, \"c\" |"));
  EXPECT_THAT(page_csv(page), HasSubstr("1,\"a|b, \"\"c\"\"\"\n"));
}

// Of the values 1 to 20: the median is the lower of the two in the middle; 20 / 2 - 0.98 sqrt(20) = 5.6, so that the band
// goes from the 5th to the 16th; 95 % of them are 19.
TEST(Quantiles, OfTwentyValues) {
  std::vector<double> values;
  for (int i = 20; i > 0; --i) values.push_back(i);
  const studies::Quantiles found = studies::quantiles_of(values);
  EXPECT_EQ(found.least, 1);
  EXPECT_EQ(found.median, 10);
  EXPECT_EQ(found.low, 5);
  EXPECT_EQ(found.high, 16);
  EXPECT_EQ(found.p95, 19);
  EXPECT_EQ(found.most, 20);
}

TEST(Quantiles, OfFewValuesTheBandIsAllOfThem) {
  const studies::Quantiles found = studies::quantiles_of({3, 1, 2, 5, 4});
  EXPECT_EQ(found.low, 1);
  EXPECT_EQ(found.high, 5);
}

// Whoever sees no colours sees the broken edge.
TEST(Charts, WhatIsNotDoneLooksLikeNothingThatIs) {
  Json bars = Json::object();
  mark_outcomes(bars, "state", {"completed", "with some seeds", "unfinished: horizon", "failed: no convergence"});
  const Json& encoding = bars["encoding"];
  const Json range = encoding["color"]["scale"]["range"];
  ASSERT_EQ(range.size(), 4u);
  EXPECT_EQ(std::set<std::string>(range.begin(), range.end()).size(), 4u);
  for (const char* channel : {"fillOpacity", "strokeDash"})
    EXPECT_EQ(encoding[channel]["condition"]["test"],
              R"(indexof(["completed","with some seeds"], datum['state']) < 0)");
}

TEST(Charts, FailuresAreNamedOnTheBars) {
  const Json bars{{"width", "container"}, {"height", 10}, {"encoding", {{"y", {{"field", "who"}}}}}};
  EXPECT_EQ(with_failures(bars, "who", {{"a", "completed"}}), bars);
  const Json spec = with_failures(bars, "who", {{"a", "completed"}, {"b", "unfinished: horizon"}});
  EXPECT_EQ(spec["layer"][1]["data"]["values"].dump(), R"([{"who":"b","outcome":"unfinished: horizon"}])");
}

studies::Cell cell(const std::string& strategy, double least, double most, bool converges) {
  studies::Cell made;
  made.axes = {strategy, std::int64_t{1}};
  made.runs = 2;
  made.completed = converges ? 2 : 1;
  made.downtime_ms = studies::quantiles_of({least, most});
  return made;
}

TEST(Winners, AreClaimedOnlyOutsideTheSpread) {
  const auto winner = [](std::vector<studies::Cell> cells) {
    const auto found = studies::winners({{}, std::move(cells)}, 0);
    return found.size() == 1 ? found.front().name : "not one";
  };
  EXPECT_EQ(winner({cell("a", 1, 2, true), cell("b", 3, 4, true)}), "a");
  EXPECT_EQ(winner({cell("a", 1, 3, true), cell("b", 2, 4, true)}), "no difference");
  EXPECT_EQ(winner({cell("a", 1, 2, false), cell("b", 3, 4, true)}), "b");
  EXPECT_EQ(winner({cell("a", 1, 2, false)}), "none converges");
}

// 250,000 pages of 4 KiB a second are a GiB in 1048.576 ms. Of a round of 100 ms half is lost, so that it takes twice as
// long; in the last 10 ms the guest stands still.
TEST(OutcomesPage, WorkIsLostRoundByRound) {
  Json migration{{"guest", "g"},
                 {"strategy", "s"},
                 {"status", "completed"},
                 {"reason", nullptr},
                 {"total_time_ms", 110.0},
                 {"downtime_ms", 10.0},
                 {"downtime_parts_ms", Json::object()},
                 {"ram", {{"transferred_bytes", 1}, {"postcopy_bytes", 0}}},
                 {"guest_effect", {{"work_lost_ms", 60.0}}},
                 {"costs", Json::array()},
                 {"iterations",
                  {{{"index", 1},
                    {"start_ms", 0.0},
                    {"duration_ms", 100.0},
                    {"sent_pages", 1},
                    {"sent_bytes", 1},
                    {"new_dirty_pages", 0},
                    {"dirty_pages_after", 0},
                    {"rate_limit_mbps", nullptr},
                    {"throttle_percent", 50.0},
                    {"work_lost_ms", 50.0}}}}};
  for (std::size_t i = 0; i < sim::kParts; ++i)
    migration["downtime_parts_ms"][std::string(name_of(static_cast<sim::Part>(i)))] = 0.0;
  const Json guest{
      {"name", "g"}, {"page_size", "4 KiB"}, {"workload", {{"kind", "uniform"}, {"write_rate", "250000 pages/s"}}}};
  const Json run{{"scenario", {{"guests", Json::array({guest})}}}, {"migrations", Json::array({migration})}};
  const Page page = outcomes_page({{"run.json", run}});
  const auto found =
      std::ranges::find_if(page.figures, [](const Figure& each) { return each.title.starts_with("Work lost"); });
  ASSERT_NE(found, page.figures.end());
  ASSERT_EQ(found->table.rows.size(), 2u);
  EXPECT_EQ(found->table.rows[0], (std::vector<std::string>{"g by s", "0", "100", "50", "2097.15"}));
  EXPECT_EQ(found->table.rows[1], (std::vector<std::string>{"g by s", "100", "110", "10", ""}));
}

TEST(TraceEvents, ARoundIsASliceInMicroseconds) {
  const Json round{{"index", 1},      {"start_ms", 2.5},      {"duration_ms", 10.0},      {"sent_pages", 7},
                   {"zero_pages", 0}, {"new_dirty_pages", 3}, {"rate_limit_mbps", 100.0}, {"throttle_percent", 0.0}};
  const Json run{{"godwit", {{"version", "0"}}},
                 {"migrations",
                  {{{"guest", "g"},
                    {"strategy", "s"},
                    {"status", "completed"},
                    {"total_time_ms", 20.0},
                    {"downtime_ms", 5.0},
                    {"verified", true},
                    {"iterations", {round}}}}}};
  const Json events = trace_events(run).at("traceEvents");
  std::size_t slices = 0;
  for (const Json& each : events) {
    if (each.at("ph") != "X" || each.at("name") != "round 1") continue;
    ++slices;
    EXPECT_EQ(each.at("ts"), 2500.0);
    EXPECT_EQ(each.at("dur"), 10000.0);
  }
  EXPECT_EQ(slices, 1u);
}

}  // namespace
}  // namespace godwit::report
