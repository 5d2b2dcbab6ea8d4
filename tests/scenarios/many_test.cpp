#include "scenarios/many.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "scenarios/load.h"
#include "sim/run.h"

namespace godwit::scenarios {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

constexpr std::uint64_t kGiB = std::uint64_t{1} << 30;

/// Six guests on three hosts of their own pairs, written as few entries.
Json document() {
  return Json::parse(R"({
    "hosts": [{"name": "a", "count": 3, "profile": "ideal"}, {"name": "b", "count": 3, "profile": "ideal"}],
    "links": [{"between": ["a", "b"], "count": 3, "bandwidth": ["1 Gbit/s", "2 Gbit/s"]}],
    "guests": [{"name": "vm", "count": 6, "host": "a", "memory": ["64 MiB", "128 MiB"],
                "workload": {"kind": "uniform", "write_rate": ["10 pages/s", "20 pages/s", "30 pages/s"]}}],
    "migrations": [{"guest": "vm-*", "to": "b", "strategy": "pre-copy"}]
  })");
}

Loaded load(const Json& json) {
  LoadResult result = load_document(json, "many.json", ".");
  const auto* issues = std::get_if<std::vector<Issue>>(&result);
  EXPECT_EQ(issues, nullptr) << to_string(*issues);
  return std::get<Loaded>(std::move(result));
}

std::string trouble(const Json& json) {
  const LoadResult result = load_document(json, "many.json", ".");
  const auto* issues = std::get_if<std::vector<Issue>>(&result);
  return issues == nullptr ? "" : to_string(*issues);
}

template <class List, class Get>
auto each(const List& list, Get get) {
  std::vector<std::decay_t<decltype(get(list.front()))>> values;
  for (const auto& one : list) values.push_back(get(one));
  return values;
}

TEST(Many, EntriesWithACountMakeNumberedOnes) {
  const sim::RunOptions run = load(document()).options;
  EXPECT_THAT(each(run.hosts, [](const auto& h) { return h.name; }),
              ElementsAre("a-0", "a-1", "a-2", "b-0", "b-1", "b-2"));
  EXPECT_THAT(each(run.guests, [](const auto& g) { return g.name; }),
              ElementsAre("vm-0", "vm-1", "vm-2", "vm-3", "vm-4", "vm-5"));
}

TEST(Many, ListsOfQuantitiesAreTakenInTurn) {
  const sim::RunOptions run = load(document()).options;
  constexpr std::uint64_t kMiB = 1 << 20;
  EXPECT_THAT(each(run.guests, [](const auto& g) { return g.memory.value / kMiB; }),
              ElementsAre(64, 128, 64, 128, 64, 128));
  EXPECT_THAT(each(run.guests, [](const auto& g) { return g.workload.write_rate; }),
              ElementsAre(10, 20, 30, 10, 20, 30));
  EXPECT_THAT(each(run.links, [](const auto& l) { return l.bandwidth.value / 1'000'000'000; }), ElementsAre(1, 2, 1));
}

TEST(Many, WhatTheyNameIsTakenInTurnToo) {
  const sim::RunOptions run = load(document()).options;
  EXPECT_THAT(each(run.guests, [](const auto& g) { return g.host; }), ElementsAre(0, 1, 2, 0, 1, 2));
  EXPECT_THAT(each(run.links, [](const auto& l) { return std::pair(l.from, l.to); }),
              ElementsAre(std::pair(0u, 3u), std::pair(1u, 4u), std::pair(2u, 5u)));
  EXPECT_THAT(each(run.migrations, [](const auto& m) { return m.guest; }), ElementsAre(0, 1, 2, 3, 4, 5));
  EXPECT_THAT(each(run.migrations, [](const auto& m) { return m.to; }), ElementsAre(3, 4, 5, 3, 4, 5));
}

TEST(Many, OneOfThemCanBeNamed) {
  Json json = document();
  json["migrations"][0] = {{"guest", "vm-4"}, {"to", "b-1"}, {"strategy", "pre-copy"}};
  const sim::RunOptions run = load(json).options;
  ASSERT_EQ(run.migrations.size(), 1u);
  EXPECT_EQ(run.migrations[0].guest, 4u);
  EXPECT_EQ(run.migrations[0].to, 4u);
}

TEST(Many, AStarTakesThoseWhoseNamesBeginSo) {
  Json json = document();
  json["guests"].push_back({{"name", "db"}, {"host", "a-0"}, {"memory", "64 MiB"}});
  EXPECT_EQ(load(json).options.migrations.size(), 6u);
  json["migrations"][0]["guest"] = "*";
  EXPECT_EQ(load(json).options.migrations.size(), 7u);
  json["migrations"][0]["guest"] = "web*";
  EXPECT_THAT(trouble(json), HasSubstr("/migrations/0/guest: there is no guest whose name begins with web"));
}

TEST(Many, MaxParallelRunsThemOneAfterAnother) {
  Json json = document();
  json["max_parallel"] = 1;
  const sim::RunResult result = sim::run(load(json).options);
  ASSERT_EQ(result.migrations.size(), 6u);
  for (std::size_t i = 1; i < 6; ++i) {
    const sim::MigrationResult& before = result.migrations[i - 1];
    EXPECT_EQ(result.migrations[i].requested_at, before.requested_at + before.total_time);
  }
}

// The document that a result carries stays as short as what was given, and means the same.
TEST(Many, TheEffectiveScenarioIsCompactAndMeansTheSame) {
  const Loaded loaded = load(document());
  EXPECT_EQ(loaded.effective["guests"].size(), 1u);
  EXPECT_EQ(loaded.effective["guests"][0]["memory"], Json({"64 MiB", "128 MiB"}));
  EXPECT_EQ(loaded.effective["guests"][0]["workload"]["write_rate"], Json({"10 pages/s", "20 pages/s", "30 pages/s"}));
  EXPECT_EQ(loaded.effective["guests"][0]["page_size"], "4 KiB");
  const Loaded again = load(loaded.effective);
  EXPECT_EQ(again.effective, loaded.effective);
  EXPECT_EQ(sim::run(again.options).digest, sim::run(loaded.options).digest);
}

TEST(Many, ManyAreWhatAsManySingleEntriesAre) {
  Json single = document();
  single["hosts"] = single["links"] = single["guests"] = single["migrations"] = Json::array();
  for (const char* side : {"a", "b"})
    for (std::uint32_t i = 0; i < 3; ++i)
      single["hosts"].push_back({{"name", name_of_one(side, i)}, {"profile", "ideal"}});
  for (std::uint32_t i = 0; i < 3; ++i)
    single["links"].push_back(
        {{"between", {name_of_one("a", i), name_of_one("b", i)}}, {"bandwidth", i == 1 ? "2 Gbit/s" : "1 Gbit/s"}});
  for (std::uint32_t i = 0; i < 6; ++i) {
    Json guest = document()["guests"][0];
    guest.erase("count");
    guest["name"] = name_of_one("vm", i);
    guest["host"] = name_of_one("a", i % 3);
    guest["memory"] = document()["guests"][0]["memory"][i % 2];
    guest["workload"]["write_rate"] = document()["guests"][0]["workload"]["write_rate"][i % 3];
    single["guests"].push_back(guest);
    single["migrations"].push_back(
        {{"guest", guest["name"]}, {"to", name_of_one("b", i % 3)}, {"strategy", "pre-copy"}});
  }
  EXPECT_EQ(sim::run(load(single).options).digest, sim::run(load(document()).options).digest);
}

TEST(Many, TenThousandGuestsInOneEntry) {
  Json json = document();
  json["guests"][0]["count"] = 10000;
  const Loaded loaded = load(json);
  EXPECT_EQ(loaded.options.guests.size(), 10000u);
  EXPECT_EQ(loaded.options.guests.back().name, "vm-9999");
  EXPECT_LT(loaded.effective.dump().size(), 3000u);
}

TEST(Many, AListNeedsACount) {
  Json json = document();
  json["guests"][0].erase("count");
  json["guests"][0]["host"] = "a-0";
  EXPECT_THAT(trouble(json), HasSubstr("/guests/0/memory: expected an amount of memory"));
  EXPECT_THAT(trouble(json), HasSubstr("a list is taken in turn only where there is a count"));
}

TEST(Many, AListIsNoLongerThanTheCount) {
  Json json = document();
  json["guests"][0]["count"] = 2;
  EXPECT_THAT(trouble(json), HasSubstr("/guests/0/workload/write_rate: expected a list of 1 to 2 quantities"));
  json["guests"][0]["count"] = 3;
  EXPECT_EQ(trouble(json), "");
}

TEST(Many, EveryElementOfAListIsJudgedOnce) {
  Json json = document();
  json["guests"][0]["memory"] = {"64 MiB", 7, "64 gigs"};
  const std::string said = trouble(json);
  EXPECT_THAT(said, HasSubstr("/guests/0/memory/1: expected an amount of memory"));
  EXPECT_THAT(said, HasSubstr("/guests/0/memory/2: expected an amount of memory"));
  EXPECT_EQ(std::count(said.begin(), said.end(), '\n'), 2);
}

// What a whole version of the guest is judged by is said wherever it is wrong, here that 3 MiB + 1 KiB are no pages.
TEST(Many, EveryVersionIsCheckedAsAWhole) {
  Json json = document();
  json["guests"][0]["memory"] = {"64 MiB", "3073 KiB"};
  EXPECT_THAT(trouble(json), HasSubstr("expected a multiple of the page size"));
}

TEST(Many, ManyCannotBeMeantWhereOneIs) {
  Json json = document();
  json["migrations"][0]["guest"] = "vm";
  EXPECT_THAT(trouble(json), HasSubstr("vm stands for 6, vm-0 to vm-5: expected one of them"));
  json = document();
  json["links"][0].erase("count");
  json["links"][0]["bandwidth"] = "1 Gbit/s";
  EXPECT_THAT(trouble(json), HasSubstr("/links/0/between/0: a stands for 3, a-0 to a-2: expected one of them"));
}

TEST(Many, NamesMustNotMeet) {
  Json json = document();
  json["guests"].push_back({{"name", "vm-3"}, {"host", "a-0"}, {"memory", "64 MiB"}});
  EXPECT_THAT(trouble(json), HasSubstr("/guests/1/name: another guest is called vm-3 already"));
}

TEST(Many, AGuestWithoutAHostIsOnTheFirst) {
  Json json = document();
  json["guests"][0].erase("host");
  EXPECT_EQ(load(json).options.guests[4].host, 1u);  // 4 mod 3
  json["guests"] = {{{"name", "solo"}, {"memory", "1 GiB"}}};
  json["migrations"][0]["guest"] = "solo";
  json["migrations"][0]["to"] = "b-0";
  EXPECT_EQ(load(json).options.guests[0].memory.value, kGiB);
  EXPECT_EQ(load(json).options.guests[0].host, 0u);
}

TEST(Many, ThereIsAnEndToThem) {
  Json json = document();
  json["guests"].push_back(json["guests"][0]);
  json["guests"][1]["name"] = "db";
  json["guests"][1]["count"] = 100'000 - 6;
  EXPECT_EQ(trouble(json), "");
  json["guests"][1]["count"] = 100'000 - 5;
  EXPECT_THAT(trouble(json), HasSubstr("/guests/1/name: there may be 100000 in all at most"));
}

TEST(Many, ManyDoNotGoToOneFile) {
  Json json = document();
  json["migrations"][0] = {{"guest", "vm-*"}, {"to", {{"file", "x.ckpt"}}}, {"strategy", "self-checkpoint"}};
  EXPECT_THAT(trouble(json), HasSubstr("/migrations/0/to: 6 guests cannot go to one file"));
}

TEST(Many, ACountIsAWholeNumber) {
  for (const Json& wrong : {Json(0), Json(-1), Json("6"), Json(2'000'000)}) {
    Json json = document();
    json["guests"][0]["count"] = wrong;
    EXPECT_THAT(trouble(json), HasSubstr("/guests/0/count: expected a whole number from 1 to 100000")) << wrong;
  }
}

}  // namespace
}  // namespace godwit::scenarios
