#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "tests/support/command.h"

namespace godwit::test {
namespace {

using Json = nlohmann::ordered_json;
using testing::HasSubstr;
using testing::Not;

constexpr const char* kIdle = "scenarios/library/idle_guest.json";

TEST(Diff, ResultsOfTheSameScenarioAreTheSame) {
  const Folder folder;
  const std::string a = folder.path("a.json"), b = folder.path("b.json");
  godwit({"run", kIdle, "--json", a});
  Json document = Json::parse(read_file(a));
  document["godwit"]["version"] = "0.0.9";  // who made it is shown, and is no difference
  folder.file("b.json", document.dump());
  const Ran ran = godwit({"diff", a, b});
  EXPECT_EQ(ran.status, 0) << ran.out << ran.err;
  EXPECT_THAT(ran.out, HasSubstr("idle_guest, by godwit 0.0.9"));
  EXPECT_THAT(ran.out, HasSubstr("the same scenario, the same result"));
}

TEST(Diff, TellsTheScenarioFromTheResult) {
  const Folder folder;
  const std::string a = folder.path("a.json"), b = folder.path("b.json");
  godwit({"run", kIdle, "--json", a});
  godwit({"run", kIdle, "--json", b, "--set", "/guests/0/memory=1 GiB"});
  const Ran ran = godwit({"diff", a, b});
  EXPECT_EQ(ran.status, 1) << ran.err;
  const auto scenario = ran.out.find("1 field of the scenario moved"), result = ran.out.find("of the result moved");
  ASSERT_NE(scenario, std::string::npos) << ran.out;
  ASSERT_NE(result, std::string::npos) << ran.out;
  EXPECT_THAT(ran.out.substr(scenario, result - scenario), HasSubstr("/guests/0/memory (idle)  2 GiB  1 GiB"));
  const std::string moved = ran.out.substr(result);
  EXPECT_THAT(moved, HasSubstr("/migrations/0/ram/total_bytes"));
  EXPECT_THAT(moved, HasSubstr("-50 %"));
  EXPECT_THAT(moved, HasSubstr("/digest"));
}

TEST(Diff, ComparesComparisonsByStrategy) {
  const Folder folder;
  const std::string a = folder.path("a.json"), b = folder.path("b.json");
  godwit({"compare", kIdle, "--strategies", "pre-copy,qemu-10", "--seeds", "1", "--json", a});
  godwit({"compare", kIdle, "--strategies", "qemu-10", "--seeds", "1", "--json", b});
  const Ran ran = godwit({"diff", a, b});
  EXPECT_EQ(ran.status, 1) << ran.err;
  EXPECT_THAT(ran.out, HasSubstr("the scenario is the same"));
  EXPECT_THAT(ran.out, HasSubstr("/strategies/0 (pre-copy)"));
  EXPECT_THAT(ran.out, Not(HasSubstr("(qemu-10)"))) << "it came to the same";
}

TEST(Diff, RefusesWhatIsNoResult) {
  const Folder folder;
  const std::string run = folder.path("run.json"), comparison = folder.path("comparison.json");
  godwit({"run", kIdle, "--json", run});
  godwit({"compare", kIdle, "--strategies", "pre-copy", "--seeds", "1", "--json", comparison});
  Json future = Json::parse(read_file(run));
  future["godwit"]["result_version"] = 7;
  const std::vector<std::pair<std::string, std::string>> refused = {
      {kIdle, "expected a result, as godwit run --json"},
      {folder.file("cut.json", read_file(run).substr(0, 200)), "cut.json:"},
      {folder.file("future.json", future.dump(2)),
       "future.json:4:23: /godwit/result_version: expected a result of format 1, got one of format 7"},
      {comparison, "the other of a comparison"},
      {"none.json", "no such file"}};
  for (const auto& [file, hint] : refused) {
    const Ran ran = godwit({"diff", run, file});
    EXPECT_EQ(ran.status, 2) << file;
    EXPECT_EQ(ran.out, "") << file;
    EXPECT_THAT(ran.err, HasSubstr(hint)) << file;
  }
}

}  // namespace
}  // namespace godwit::test
