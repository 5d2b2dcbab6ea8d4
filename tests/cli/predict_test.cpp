#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "tests/support/command.h"

namespace godwit::test {
namespace {

using Json = nlohmann::json;
using testing::HasSubstr;
using testing::Not;

constexpr const char* kSamples = R"({"pages": 16384, "sampled_pages": 1024, "zero_pages": 512,
  "dirty": [["100 ms", 40], ["1 s", 100], ["4 s", 120]]})";

TEST(PredictCommand, SaysWhatWouldMakeItConverge) {
  const Ran ran = godwit({"predict", "--memory", "64 MiB", "--write-rate", "10000 pages/s", "--busy", "--bandwidth",
                          "100 Mbit/s,1 Gbit/s", "--downtime", "100 ms"});
  ASSERT_EQ(ran.status, 0) << ran.err;
  for (const char* each : {"never", "Smallest bandwidth that makes it converge", "Smallest downtime limit",
                           "Smallest throttle", "post-copy", "hybrid", "faults"})
    EXPECT_THAT(ran.out, HasSubstr(each));
  EXPECT_THAT(ran.out, Not(HasSubstr("gudkov-2023")));
}

// The document has what the tables have, and of a measured curve what the model says beside the core.
TEST(PredictCommand, TheDocumentOfACurveHasTheModelBesideTheCore) {
  const Folder folder;
  const std::string curve = folder.file("curve.json", kSamples);
  const std::vector<std::string> values{"--bandwidth", "100 Mbit/s,1 Gbit/s", "--downtime", "100 ms", "--json", "-"};
  std::vector<std::string> core{"predict", "--curve", curve, "--seeds", "3"},
      model{"predict", "--curve", curve, "--model", "gudkov-2023"};
  core.insert(core.end(), values.begin(), values.end());
  model.insert(model.end(), values.begin(), values.end());
  const Ran ran = godwit(core), beside = godwit(model);
  ASSERT_EQ(ran.status, 0) << ran.err;
  ASSERT_EQ(beside.status, 0) << beside.err;
  const Json document = Json::parse(ran.out), published = Json::parse(beside.out);
  EXPECT_EQ(document["seeds"], 3);
  ASSERT_EQ(document["cells"].size(), 4u);  // two bandwidths, one limit and none
  EXPECT_EQ(document["cells"][1]["downtime_limit_ms"], nullptr);
  EXPECT_EQ(document["cells"][3]["runs"], 3);
  for (const char* figure : {"total_time_ms", "downtime_ms"})
    EXPECT_LE(document["cells"][3][figure]["p50"], document["cells"][3][figure]["p95"]);
  EXPECT_EQ(document["least"]["bandwidth"].size(), 2u);
  EXPECT_EQ(document["least"]["downtime_limit"].size(), 2u);
  EXPECT_EQ(document["post_copy"].size(), 4u);
  EXPECT_EQ(document["scenario"]["guests"][0]["workload"]["kind"], "dirty_curve");
  ASSERT_EQ(document["gudkov_2023"].size(), 4u);
  for (std::size_t i = 0; i < 4; ++i)
    EXPECT_EQ(document["gudkov_2023"][i]["model_ms"], published["cells"][i]["total_time_ms"]);
  core.insert(core.end(), {"--jobs", "1"});
  EXPECT_EQ(godwit(core).out, ran.out);
}

/// Runs the command with its talk on a terminal, and interrupts it once that says `when`.
Ran interrupted_at(const std::string& when, std::vector<std::string> arguments) {
  const Folder folder;
  const std::string out = folder.file("out", "");
  const int terminal = ::posix_openpt(O_RDWR | O_NOCTTY);
  EXPECT_TRUE(terminal >= 0 && ::grantpt(terminal) == 0 && ::unlockpt(terminal) == 0);
  const int other_end = ::open(::ptsname(terminal), O_RDWR | O_NOCTTY);
  arguments.insert(arguments.begin(), GODWIT_BINARY);
  std::vector<char*> raw;
  for (std::string& each : arguments) raw.push_back(each.data());
  raw.push_back(nullptr);
  const pid_t child = ::fork();
  if (child == 0) {
    ::dup2(::open(out.c_str(), O_WRONLY), STDOUT_FILENO);
    ::dup2(other_end, STDERR_FILENO);
    ::execv(raw.front(), raw.data());
    ::_exit(126);
  }
  ::close(other_end);
  Ran ran;
  char piece[256];
  bool waits = true;
  for (ssize_t got; (got = ::read(terminal, piece, sizeof piece)) > 0;) {  // an error once the child has ended
    ran.err.append(piece, static_cast<std::size_t>(got));
    if (!waits || ran.err.find(when) == std::string::npos) continue;
    ::kill(child, SIGINT);
    waits = false;
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  ::close(terminal);
  ran.status = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  ran.out = read_file(out);
  return ran;
}

// 20 cells and 41 searches, the last of them not before some seconds have passed; the interrupt comes where the first is
// done. The document leaves out what was not found, and so does the table, but for saying so.
TEST(PredictCommand, InterruptedInItsSearchesItShowsTheTableAndWhatWasFound) {
  std::vector<std::string> question{"predict", "--memory",    "256 MiB",   "--write-rate", "40000 pages/s",
                                    "--busy",  "--bandwidth", "1 Gbit/s",  "--jobs",       "1",
                                    "--seeds", "20",          "--downtime"};
  std::string limits = "1 ms";
  for (int i = 2; i <= 20; ++i) limits += "," + std::to_string(i) + " ms";
  question.push_back(limits);
  const Ran ran = interrupted_at(" searches,", question);
  EXPECT_EQ(ran.status, 130);
  EXPECT_THAT(ran.err, HasSubstr("interrupted; the table is complete, "));
  EXPECT_THAT(ran.err, HasSubstr(" smallest values not found"));
  EXPECT_THAT(ran.out, HasSubstr("Downtime, by bandwidth and downtime limit"));
  EXPECT_THAT(ran.out, HasSubstr("interrupted"));
  question.insert(question.end(), {"--json", "-"});
  const Ran document = interrupted_at(" searches,", question);
  EXPECT_EQ(document.status, 130);
  const Json least = Json::parse(document.out)["least"];
  EXPECT_LT(least["throttle"].size(), 20u);
  EXPECT_EQ(Json::parse(document.out)["cells"].size(), 21u);
}

TEST(PredictCommand, InterruptedInItsTableItSaysSo) {
  const Ran ran = interrupted_at(" runs,", {"predict", "--write-rate", "10000 pages/s", "--seeds", "10000"});
  EXPECT_EQ(ran.status, 130);
  EXPECT_THAT(ran.err, HasSubstr("interrupted; not all runs of the table are done"));
  EXPECT_EQ(ran.out, "");
}

TEST(PredictCommand, TakesACurveAsAWorkloadToo) {
  const Folder folder;
  const std::string curve = folder.file(
      "curve.json", R"({"kind": "dirty_curve", "points": [["100 ms", "100 pages"], ["1 s", "500 pages"]]})");
  const Ran ran = godwit({"predict", "--curve", curve, "--memory", "32 MiB", "--bandwidth", "1 Gbit/s", "--downtime",
                          "100 ms", "--json", "-"});
  ASSERT_EQ(ran.status, 0) << ran.err;
  const Json document = Json::parse(ran.out);
  EXPECT_EQ(document["scenario"]["guests"][0]["memory"], "32 MiB");
  EXPECT_EQ(document["cells"][0]["converges"], true);
  EXPECT_FALSE(document.contains("gudkov_2023"));  // it needs samples
}

TEST(PredictCommand, TheModelPrintsThePublishedTable) {
  const Ran ran = godwit({"predict", "--model", "gudkov-2023", "--curve", "scenarios/curves/gudkov_2023.json"});
  ASSERT_EQ(ran.status, 0) << ran.err;
  EXPECT_THAT(ran.out, HasSubstr("  100 Mbit/s   never   never   never  never  never     1019 s\n"));
  EXPECT_THAT(ran.out, HasSubstr("    5 Gbit/s    48 s    46 s    31 s   28 s   25 s       20 s\n"));
}

TEST(PredictCommand, RefusesWhatIsNoQuestion) {
  const auto complaint = [](std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), "predict");
    const Ran ran = godwit(arguments);
    EXPECT_EQ(ran.status, 2);
    return ran.err;
  };
  EXPECT_THAT(complaint({}), HasSubstr("one of a scenario, --write-rate and --curve"));
  EXPECT_THAT(complaint({"--write-rate", "1 pages/s", "--curve", "c.json"}), HasSubstr("expected one of"));
  EXPECT_THAT(complaint({"--write-rate", "1 pages/s", "--bandwidth", "10"}), HasSubstr("--bandwidth: expected"));
  EXPECT_THAT(complaint({"--curve", "scenarios/curves/gudkov_2023.json", "--memory", "1 GiB"}), HasSubstr("--memory"));
}

}  // namespace
}  // namespace godwit::test
