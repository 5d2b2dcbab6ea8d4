#include "studies/sweep.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <set>
#include <stdexcept>
#include <string>
#include <thread>

#include "tests/support/command.h"

namespace godwit::studies {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

constexpr const char* kBase = R"("base": {
    "hosts": [{"name": "a", "profile": "ideal"}, {"name": "b", "profile": "ideal"}],
    "links": [{"between": ["a", "b"]}],
    "guests": [{"name": "g", "memory": "16 MiB", "workload": {"kind": "uniform", "write_rate": "100 pages/s"}}],
    "migrations": [{"to": "b", "strategy": "pre-copy"}]})";

std::string text_of(const std::string& vary, const std::string& more = R"("seeds": 3)") {
  return "{" + std::string(kBase) + ", \"vary\": {" + vary + "}, " + more + "}";
}

const std::string kVary =
    R"("/guests/0/memory": ["16 MiB", "32 MiB"], "/links/0/bandwidth": ["1 Gbit/s", "10 Gbit/s"])";

Sweep sweep_of(const test::Folder& folder, const std::string& text) {
  auto loaded = load_sweep(folder.file("sweep.json", text));
  if (const auto* issues = std::get_if<std::vector<scenarios::Issue>>(&loaded))
    throw std::runtime_error(issues->front().to_string());
  return std::get<Sweep>(std::move(loaded));
}

std::vector<std::string> complaints(const std::string& text) {
  const test::Folder folder;
  const auto loaded = load_sweep(folder.file("sweep.json", text));
  std::vector<std::string> all;
  if (const auto* issues = std::get_if<std::vector<scenarios::Issue>>(&loaded))
    for (const auto& each : *issues) all.push_back(each.to_string());
  return all;
}

/// Runs what is missing; after `most` points it is told to end.
void run_some(const Sweep& sweep, SweepStore& store, std::size_t most = SIZE_MAX, std::uint32_t jobs = 1) {
  run_points(sweep, missing_points(store), jobs, store, [&](std::size_t done, std::size_t) { return done < most; });
}

std::string whole_hash(const test::Folder& folder, const Sweep& sweep, std::uint32_t jobs) {
  const std::string path = folder.path("whole-" + std::to_string(jobs) + ".sqlite");
  SweepStore store = SweepStore::create(path, header_of(sweep, "sweep.json", {}));
  run_some(sweep, store, SIZE_MAX, jobs);
  EXPECT_EQ(store.count(), sweep.points());
  return store.content_hash();
}

TEST(Sweep, SeedsTurnFastestThenTheLastAxis) {
  const test::Folder folder;
  const Sweep sweep = sweep_of(folder, text_of(kVary));
  ASSERT_EQ(sweep.points(), 12u);  // 2 x 2 x 3
  EXPECT_THAT(point_at(sweep, 0).values, ElementsAre(0, 0));
  EXPECT_THAT(point_at(sweep, 5).values, ElementsAre(0, 1));
  EXPECT_EQ(point_at(sweep, 5).seed, 2u);
  EXPECT_THAT(point_at(sweep, 6).values, ElementsAre(1, 0));
  const scenarios::Json scenario = scenario_at(sweep, 11);
  EXPECT_EQ(scenario["guests"][0]["memory"], "32 MiB");
  EXPECT_EQ(scenario["links"][0]["bandwidth"], "10 Gbit/s");
  EXPECT_EQ(scenario["seed"], 3);
}

TEST(Sweep, ContentIsTheSameForOneAndSeveralJobs) {
  const test::Folder folder;
  const Sweep sweep = sweep_of(folder, text_of(kVary));
  EXPECT_EQ(whole_hash(folder, sweep, 1), whole_hash(folder, sweep, 4));
}

TEST(Sweep, ContentIsTheSameAfterThreeInterruptions) {
  const test::Folder folder;
  const Sweep sweep = sweep_of(folder, text_of(kVary));
  const std::string path = folder.path("parts.sqlite");
  for (int i = 0; i < 3; ++i) {
    const StoreHeader header = header_of(sweep, "sweep.json", {});
    SweepStore store = i == 0 ? SweepStore::create(path, header) : SweepStore::open(path, Database::Access::kWrite);
    run_some(sweep, store, 3);
    EXPECT_EQ(store.count(), 3u * (i + 1));
  }
  SweepStore store = SweepStore::open(path, Database::Access::kWrite);
  run_some(sweep, store);
  store.finish();
  EXPECT_EQ(store.content_hash(), whole_hash(folder, sweep, 1));
}

TEST(Sweep, WhoLooksAtTheOutputDoesNotEndTheSweep) {
  const test::Folder folder;
  const Sweep sweep = sweep_of(folder, text_of(kVary));
  const std::string path = folder.path("s.sqlite");
  {
    SweepStore store = SweepStore::create(path, header_of(sweep, "sweep.json", {}));
    run_some(sweep, store, 3);
    SweepStore reader = SweepStore::open(path, Database::Access::kRead);
    EXPECT_EQ(reader.count(), 3u);
    run_some(sweep, store);
    store.finish();
  }
  EXPECT_EQ(SweepStore::open(path, Database::Access::kWrite).content_hash(), whole_hash(folder, sweep, 1));
}

TEST(Sweep, ShardsMergedAreTheWhole) {
  const test::Folder folder;
  const Sweep sweep = sweep_of(folder, text_of(kVary));
  SweepStore merged = SweepStore::create(folder.path("merged.sqlite"), header_of(sweep, "sweep.json", {}));
  for (const std::uint32_t index : {3u, 1u, 2u}) {
    const StoreHeader header = header_of(sweep, "sweep.json", {index, 3});
    SweepStore part = SweepStore::create(folder.path(std::to_string(index) + ".sqlite"), header);
    run_some(sweep, part);
    EXPECT_EQ(part.count(), 4u);
    merge_into(merged, part);
    merge_into(merged, part);  // what is there already is the same, and stays
  }
  EXPECT_EQ(merged.content_hash(), whole_hash(folder, sweep, 1));
}

TEST(Sweep, MergeFindsAPointThatCameToSomethingElse) {
  const test::Folder folder;
  const Sweep sweep = sweep_of(folder, text_of(kVary));
  SweepStore one = SweepStore::create(folder.path("one.sqlite"), header_of(sweep, "sweep.json", {}));
  SweepStore two = SweepStore::create(folder.path("two.sqlite"), header_of(sweep, "sweep.json", {}));
  run_some(sweep, one);
  run_some(sweep, two);
  Database(two.path(), Database::Access::kWrite).run("UPDATE runs SET rounds = rounds + 1 WHERE point = 7");
  try {
    merge_into(one, two);
    FAIL() << "they differ";
  } catch (const StoreError& error) {
    EXPECT_THAT(error.what(), HasSubstr("point 7 came to something else"));
  }
}

// The sweep's figures are those of the run with the same scenario.
TEST(Sweep, ARowIsWhatARunOfItsScenarioComesTo) {
  const test::Folder folder;
  const Sweep sweep = sweep_of(folder, text_of(kVary));
  SweepStore store = SweepStore::create(folder.path("whole.sqlite"), header_of(sweep, "sweep.json", {}));
  run_some(sweep, store);
  const std::string scenario = folder.file("point.json", scenario_at(sweep, 10).dump());
  const test::Ran ran = test::godwit({"run", scenario, "--json", "-"});
  ASSERT_EQ(ran.status, 0) << ran.err;
  const auto document = scenarios::Json::parse(ran.out);
  const Row row = store.row(10).value();
  const auto value = [&](const std::string& name) {
    const auto& columns = store.header().columns;
    return row[static_cast<std::size_t>(std::ranges::find(columns, name, &SweepColumn::name) - columns.begin())];
  };
  EXPECT_EQ(value("digest"), SqlValue(document["digest"].get<std::string>()));
  EXPECT_EQ(value("seed"), SqlValue(std::int64_t{2}));
  EXPECT_EQ(value("downtime_ms"), SqlValue(document["migrations"][0]["downtime_ms"].get<double>()));
  EXPECT_EQ(value("guests_0_memory_bytes"), SqlValue(std::int64_t{32} << 20));
  EXPECT_EQ(value("links_0_bandwidth_mbps"), SqlValue(10'000.0));
}

TEST(Sweep, ACombinationThatIsNoScenarioIsARowThatSaysSo) {
  const test::Folder folder;
  const std::string vary =
      R"("/guests/0/memory": ["16 MiB", "64 MiB"], "/guests/0/workload/memory": ["8 MiB", "32 MiB"])";
  const Sweep sweep = sweep_of(folder, text_of(vary, R"("seeds": 1)"));
  SweepStore store = SweepStore::create(folder.path("whole.sqlite"), header_of(sweep, "sweep.json", {}));
  run_some(sweep, store);
  const auto outcomes = store.outcomes();
  ASSERT_EQ(outcomes.size(), 2u);
  EXPECT_EQ(outcomes.at("completed"), 3u);
  EXPECT_THAT(outcomes.rbegin()->first, HasSubstr("invalid: /guests/0/workload"));
}

TEST(Sweep, KnowsAnotherSweepByItsContent) {
  const test::Folder folder;
  const Sweep sweep = sweep_of(folder, text_of(kVary));
  const StoreHeader header = header_of(sweep, "sweep.json", {});
  EXPECT_EQ(other_than(header_of(sweep, "moved.json", {}), header), "");
  EXPECT_THAT(other_than(header_of(sweep_of(folder, text_of(kVary, R"("seeds": 4)")), "sweep.json", {}), header),
              HasSubstr("another sweep"));
  EXPECT_THAT(other_than(header_of(sweep, "sweep.json", {1, 2}), header), HasSubstr("shard 1/2"));
  StoreHeader older = header;
  older.version = "0.0.9";
  EXPECT_THAT(other_than(older, header), HasSubstr("written by godwit 0.0.9"));
}

TEST(Sweep, SaysWhatIsWrongAndWhere) {
  EXPECT_THAT(complaints(text_of(R"("/guests/0/memory": [])")),
              ElementsAre(HasSubstr("expected a list of one value at least")));
  EXPECT_THAT(complaints(text_of(R"("/guests/0/memoryy": ["1 GiB", "2 GiB"])")),
              ElementsAre(HasSubstr("/guests/0/memoryy: unknown field; did you mean memory?")));
  EXPECT_THAT(complaints(text_of(R"("/guests/7/memory": ["1 GiB"])")), ElementsAre(HasSubstr("leads nowhere")));
  EXPECT_THAT(complaints(text_of(R"("guests": ["1 GiB"])")), ElementsAre(HasSubstr("expected a JSON pointer")));
  EXPECT_THAT(complaints(text_of(R"("/guests/0/memory": ["1 GiB", "1 GiB"])")), ElementsAre(HasSubstr("there twice")));
  EXPECT_THAT(complaints(text_of(R"("/guests/0/memory": ["1 GiB", "2 parsec"])")), ElementsAre(HasSubstr("2 parsec")));
  EXPECT_THAT(complaints(text_of(R"("/guests/0/memory": ["1 GiB"], "/guests/0": [{}])")),
              ElementsAre(HasSubstr("replace what /guests/0/memory sets")));
  EXPECT_THAT(complaints("{" + std::string(kBase) + "}"), ElementsAre(HasSubstr("the field vary is missing")));
  EXPECT_THAT(complaints(R"({"base": "nowhere.json", "vary": {}})"), ElementsAre(HasSubstr("nowhere.json: this file")));
}

// 10^5 x 10^5 x 100 is 10^12.
TEST(Sweep, RefusesMorePointsThanCanBeRun) {
  const std::string axis = R"({"from": 1, "to": 100000, "steps": 100000})";
  EXPECT_THAT(complaints(text_of("\"/seed\": " + axis + ", \"/guests/0/vcpus\": " + axis, R"("seeds": 100)")),
              ElementsAre(HasSubstr("1000000000000 points; expected at most 100000000")));
}

}  // namespace
}  // namespace godwit::studies
