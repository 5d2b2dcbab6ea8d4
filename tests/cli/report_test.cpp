#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <string>

#include "tests/support/command.h"

namespace godwit::test {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

constexpr const char* kScenario = R"({
  "name": "small",
  "hosts": [{"name": "a"}, {"name": "b"}], "links": [{"between": ["a", "b"]}],
  "guests": [{"name": "g", "memory": "16 MiB", "workload": {"kind": "idle"}}],
  "migrations": [{"to": "b", "strategy": "pre-copy"}]
})";

// `run --report` is `run --json` and `report` in one.
TEST(ReportCommand, ARunWritesThePageOfItsResult) {
  const Folder folder;
  const std::string file = folder.file("s.json", kScenario), json = folder.path("run.json");
  const Ran run = godwit({"run", file, "--json", json, "--report", folder.path("run.md")});
  ASSERT_EQ(run.status, 0) << run.err;
  const std::string page = read_file(folder.path("run.md"));
  EXPECT_THAT(page, StartsWith("# small\n"));
  const Ran report = godwit({"report", json, "-o", folder.path("report.csv")});
  ASSERT_EQ(report.status, 0) << report.err;
  ASSERT_EQ(godwit({"run", file, "--report", folder.path("run.csv")}).status, 0);
  EXPECT_EQ(read_file(folder.path("run.csv")), read_file(folder.path("report.csv")));
}

TEST(ReportCommand, AComparisonWritesThePageOfItsStrategies) {
  const Folder folder;
  const std::string file = folder.file("s.json", kScenario), page = folder.path("c.md");
  const Ran ran = godwit({"compare", file, "--strategies", "self-migration,clark05", "--seeds", "2", "--report", page});
  ASSERT_EQ(ran.status, 0) << ran.err;
  EXPECT_THAT(ran.out, HasSubstr("self-migration"));
  for (const char* each : {"self-migration", "clark05", "Work lost over time"})
    EXPECT_THAT(read_file(page), HasSubstr(each));
}

TEST(ReportCommand, AFormatThatNobodyKnowsIsRefusedBeforeAnythingRuns) {
  const Folder folder;
  const std::string file = folder.file("s.json", kScenario), page = folder.path("page.pdf");
  const Ran ran = godwit({"run", file, "--report", page});
  EXPECT_EQ(ran.status, 2);
  EXPECT_EQ(ran.out, "");
  EXPECT_THAT(ran.err, HasSubstr("page.pdf: expected a name that ends in .html, .md or .csv"));
  EXPECT_FALSE(std::filesystem::exists(page));
}

// Whether there is a network when this is built is not for a test to say; half a page is never written.
TEST(ReportCommand, APageIsWrittenOrWhatItNeedsIsSaid) {
  const Folder folder;
  const std::string file = folder.file("s.json", kScenario), page = folder.path("page.html");
  const Ran ran = godwit({"run", file, "--report", page});
  if (ran.status == 0) {
    EXPECT_THAT(read_file(page), HasSubstr("vegaEmbed"));
  } else {
    EXPECT_EQ(ran.status, 2);
    EXPECT_THAT(ran.err, HasSubstr("install npm and build again"));
    EXPECT_FALSE(std::filesystem::exists(page));
  }
}

}  // namespace
}  // namespace godwit::test
