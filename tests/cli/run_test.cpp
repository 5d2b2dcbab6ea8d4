#include <gtest/gtest.h>

#include <filesystem>
#include <nlohmann/json.hpp>
#include <set>

#include "tests/support/command.h"

namespace godwit::test {
namespace {

using Json = nlohmann::json;

std::vector<std::string> library() {
  std::vector<std::string> files;
  for (const auto& entry : std::filesystem::directory_iterator(std::string(GODWIT_SOURCE_DIR) + "/scenarios/library"))
    if (entry.path().extension() == ".json") files.push_back(entry.path().string());
  return files;
}

TEST(Run, TwoRunsGiveTheSameBytes) {
  for (const std::string& file : library()) {
    const Ran first = godwit({"run", file, "--json", "-"});
    EXPECT_EQ(first.status, 0) << file << first.err;
    EXPECT_EQ(first.out, godwit({"run", file, "--json", "-"}).out) << file;
  }
}

TEST(Run, EveryLibraryScenarioIsVerifiedAndItsFiguresAddUp) {
  EXPECT_GE(library().size(), 8u);
  for (const std::string& file : library()) {
    const Json result = Json::parse(godwit({"run", file, "--json", "-"}).out);
    EXPECT_FALSE(result["scenario"].value("question", "").empty()) << file;
    for (const Json& migration : result["migrations"]) {
      if (migration["status"] != "completed") continue;
      EXPECT_EQ(migration["verified"], true) << file;
      double parts = 0;
      for (const Json& part : migration["downtime_parts_ms"]) parts += part.get<double>();
      EXPECT_NEAR(parts, migration["downtime_ms"].get<double>(), 1e-6) << file;
      std::uint64_t sent = 0, bytes = 0;
      for (const Json& round : migration["iterations"]) {
        sent += round["sent_pages"].get<std::uint64_t>();
        bytes += round["sent_bytes"].get<std::uint64_t>();
      }
      const Json& ram = migration["ram"];
      EXPECT_EQ(ram["normal_pages"].get<std::uint64_t>() + ram["duplicate_pages"].get<std::uint64_t>(), sent) << file;
      EXPECT_LE(bytes, ram["transferred_bytes"].get<std::uint64_t>()) << file;
    }
  }
}

TEST(Run, HasEveryFieldThatScriptsRelyOn) {
  const Json result = Json::parse(godwit({"run", library().front(), "--json", "-"}).out);
  for (const char* field : {"godwit", "scenario", "seed", "digest", "migrations"}) EXPECT_TRUE(result.contains(field));
  EXPECT_EQ(result["godwit"]["result_version"], 1);
  const Json& migration = result["migrations"][0];
  for (const char* field : {"guest",         "source",        "destination",   "strategy",        "status",
                            "reason",        "total_time_ms", "setup_time_ms", "downtime_ms",     "service_gap_ms",
                            "guest_runs_at", "goal_ignored",  "pauses",        "paused_total_ms", "downtime_parts_ms",
                            "ram",           "iterations",    "guest_effect",  "costs",           "verified"})
    EXPECT_TRUE(migration.contains(field)) << field;
  for (const char* field :
       {"total_bytes", "transferred_bytes", "remaining_bytes", "normal_pages", "duplicate_pages", "skipped_pages",
        "page_size_bytes", "dirty_sync_count", "dirty_pages_rate_per_s", "throughput_mbps", "precopy_bytes",
        "downtime_bytes", "postcopy_bytes", "postcopy_requests"})
    EXPECT_TRUE(migration["ram"].contains(field)) << field;
  for (const char* field :
       {"index", "start_ms", "duration_ms", "sent_pages", "zero_pages", "skipped_pages", "sent_bytes",
        "new_dirty_pages", "dirty_pages_after", "rate_limit_mbps", "throttle_percent"})
    EXPECT_TRUE(migration["iterations"][0].contains(field)) << field;
  for (const char* field : {"work_lost_ms", "write_faults", "postcopy_stall_ms", "self_dirtied_pages"})
    EXPECT_TRUE(migration["guest_effect"].contains(field)) << field;
}

TEST(Run, TheEffectiveScenarioRunsToTheSameResult) {
  const Folder folder;
  for (const std::string& file : library()) {
    const Json first = Json::parse(godwit({"run", file, "--json", "-"}).out);
    if (first["scenario"].dump().find("\"recorded\"") != std::string::npos) continue;  // names its trace from elsewhere
    const Ran again = godwit({"run", folder.file("effective.json", first["scenario"].dump()), "--json", "-"});
    ASSERT_EQ(again.status, 0) << file << again.err;
    EXPECT_EQ(Json::parse(again.out), first) << file;
  }
}

TEST(Run, AnExpectationThatIsNotMetIsExitStatus1) {
  const Ran ran = godwit({"run", "scenarios/library/idle_guest.json", "--set",
                          R"(/expect={"/migrations/0/downtime_ms": {"at_most": 0}})"});
  EXPECT_EQ(ran.status, 1);
  EXPECT_NE(ran.err.find("/migrations/0/downtime_ms"), std::string::npos) << ran.err;
}

TEST(Compare, DoesNotDependOnTheNumberOfJobs) {
  const auto with = [](const char* jobs) {
    return godwit({"compare", "scenarios/library/hot_heap_over_1g.json", "--json", "-", "--jobs", jobs}).out;
  };
  const std::string one = with("1");
  EXPECT_EQ(one, with("2"));
  EXPECT_EQ(Json::parse(one)["seeds"].size(), 5u);
}

TEST(Compare, RunsAllStrategiesThatGoToAHostInOneCommand) {
  const std::string file = std::string(GODWIT_SOURCE_DIR) + "/scenarios/library/idle_guest.json";
  const Ran all = godwit({"compare", file, "--strategies", "all", "--seeds", "1", "--json", "-"});
  ASSERT_EQ(all.status, 0) << all.err;
  std::set<std::string> seen;
  const Json document = Json::parse(all.out);
  for (const Json& each : document["strategies"]) {
    EXPECT_EQ(each["verified"], true) << each["name"];
    seen.insert(each["name"].get<std::string>());
  }
  std::set<std::string> expected;
  const std::string folder = std::string(GODWIT_SOURCE_DIR) + "/scenarios/strategies";
  for (const auto& entry : std::filesystem::directory_iterator(folder)) expected.insert(entry.path().stem().string());
  expected.erase("self-checkpoint");  // which goes to a file
  EXPECT_EQ(seen, expected);
}

TEST(Compare, ExplainsTheDifference) {
  const Ran ran = godwit({"compare", "scenarios/library/redis_over_1g.json"});
  EXPECT_EQ(ran.status, 0) << ran.err;
  for (const char* words : {"Against self-migration:", "Where the downtime goes", "by who pays it",
                            "stop-and-copy: is down", "the guest pays"})
    EXPECT_NE(ran.out.find(words), std::string::npos) << words;
}

}  // namespace
}  // namespace godwit::test
