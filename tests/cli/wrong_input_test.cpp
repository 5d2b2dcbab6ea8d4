#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/command.h"

// What a new user gets wrong: each ends with exit status 2, nothing on standard output, and lines that say where it is
// and what would be right.
namespace godwit::test {
namespace {

using testing::HasSubstr;

constexpr const char* kIdle = "scenarios/library/idle_guest.json";

void expect_refused(const std::vector<std::string>& arguments, const std::vector<std::string>& hints) {
  const Ran ran = godwit(arguments);
  EXPECT_EQ(ran.status, 2) << ran.err;
  EXPECT_EQ(ran.out, "");
  for (const std::string& hint : hints) EXPECT_THAT(ran.err, HasSubstr(hint));
}

void expect_set_refused(const std::string& assignment, const std::vector<std::string>& hints) {
  expect_refused({"run", kIdle, "--set", assignment}, hints);
}

TEST(WrongCommandLine, UnknownCommand) { expect_refused({"rnu", kIdle}, {"did you mean run?"}); }
TEST(WrongCommandLine, UnknownOption) { expect_refused({"run", kIdle, "--sede", "3"}, {"--sede"}); }
TEST(WrongCommandLine, NoFile) { expect_refused({"run"}, {"file is required"}); }
TEST(WrongCommandLine, ASeedThatIsNoNumber) { expect_refused({"run", kIdle, "--seed", "abc"}, {"--seed", "abc"}); }
TEST(WrongCommandLine, SetWithoutAPointer) {
  expect_refused({"run", kIdle, "--set", "memory=3"}, {"/guests/0/memory"});
}
TEST(WrongCommandLine, OutputIntoNowhere) {
  expect_refused({"run", kIdle, "--json", "/nonexistent/x.json"}, {"/nonexistent/x.json"});
}
TEST(WrongCommandLine, UnknownStrategyToCompare) {
  expect_refused({"compare", kIdle, "--strategies", "qemu10"}, {"did you mean qemu-10?"});
}
TEST(WrongCommandLine, UnknownStrategyToShow) {
  expect_refused({"strategies", "clark"}, {"there is no strategy clark", "clark05"});
}

TEST(WrongFile, Missing) { expect_refused({"run", "no.json"}, {"no.json", "no such file"}); }
TEST(WrongFile, AFolder) { expect_refused({"run", "scenarios"}, {"directory", "expected a scenario file"}); }
TEST(WrongFile, NotJson) {
  const Folder folder;
  expect_refused({"run", folder.file("x.json", "{\n  \"seed\": 1,\n}\n")}, {"x.json:3"});
  expect_refused({"run", folder.file("empty.json", "")}, {"empty"});
  expect_refused({"run", folder.file("list.json", "[]")}, {"object"});
  expect_refused({"run", folder.file("nul.json", std::string("{\0}", 3))}, {"nul.json:1"});
  expect_refused({"run", folder.file("deep.json", std::string(10 << 20, '['))}, {"deep.json"});
  expect_refused({"run", folder.file("twice.json", R"({"seed": 1, "seed": 2})")}, {"seed", "twice"});
}

TEST(WrongValue, AMissingUnit) { expect_set_refused("/guests/0/memory=4096", {"/guests/0/memory", "\"4 GiB\""}); }
TEST(WrongValue, AnUnknownUnit) { expect_set_refused("/guests/0/memory=4 gigs", {"/guests/0/memory", "GiB"}); }
TEST(WrongValue, AUnitOfSomethingElse) { expect_set_refused("/links/0/bandwidth=4 GiB", {"/links/0/bandwidth"}); }
TEST(WrongValue, Negative) { expect_set_refused("/guests/0/memory=-1 GiB", {"/guests/0/memory"}); }
TEST(WrongValue, AbsurdlyLarge) { expect_set_refused("/guests/0/memory=999999999 TiB", {"/guests/0/memory"}); }
TEST(WrongValue, AMisspeltField) { expect_set_refused("/guests/0/memroy=1 GiB", {"did you mean memory?"}); }
TEST(WrongValue, AnUnknownStrategy) {
  expect_set_refused("/migrations/0/strategy=pre-cpoy", {"did you mean pre-copy?"});
}
TEST(WrongValue, AnUnknownHost) { expect_set_refused("/migrations/0/to=mars", {"no host called mars", "a, b"}); }
TEST(WrongValue, AHostWithoutAWay) {
  expect_refused({"run", kIdle, "--set", "/hosts/2={\"name\": \"c\"}", "--set", "/migrations/0/to=c"},
                 {"no links lead from a to c"});
}
TEST(WrongValue, ARecordingThatIsNotThere) {
  expect_refused({"run", "scenarios/library/redis_over_1g.json", "--set", "/guests/0/workload/file=no.gwt"},
                 {"/guests/0/workload/file", "no.gwt"});
}

TEST(WrongFile, AllErrorsAreSaidAtOnceWithTheirLines) {
  const Folder folder;
  std::string text = read_file(std::string(GODWIT_SOURCE_DIR) + "/scenarios/library/hot_heap_over_1g.json");
  const auto replace = [&](const std::string& from, const std::string& to) {
    const auto at = text.find(from);
    ASSERT_NE(at, std::string::npos);
    text.replace(at, from.size(), to);
  };
  replace("\"4 GiB\"", "4096");
  replace("\"vcpus\"", "\"vcpu\"");
  replace("\"hot_set\"", "\"hotset\"");
  expect_refused({"run", folder.file("x.json", text)},
                 {"x.json:13", "/guests/0/memory", "x.json:15", "did you mean vcpus?", "did you mean hot_set?"});
}

}  // namespace
}  // namespace godwit::test
