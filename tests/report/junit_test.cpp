#include "report/junit.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/golden.h"
#include "tests/support/xml.h"

// What is written is read with an independent parser.
namespace godwit::report {
namespace {

using testing::HasSubstr;

/// A check without a golden that met what was expected.
studies::Check passing(const std::string& name) {
  studies::Check check;
  check.scenario.options.name = name;
  check.scenario.file = "folder/" + name + ".json";
  check.golden_path = "folder/golden/" + name + ".json";
  check.outcome.emplace().found = test::some_golden(3, 1);
  return check;
}

studies::Check unmet(const std::string& name, const std::string& pointer) {
  studies::Check check = passing(name);
  check.scenario.expect.emplace_back().pointer = pointer;
  check.outcome->unmet.push_back({pointer, "at most 300", "412.5"});
  return check;
}

studies::Check moved(const std::string& name) {
  studies::Check check = passing(name);
  check.golden = check.outcome->found;
  check.golden->records[1] = "0.001000000 s g round_sent 5 pages";
  check.outcome->moved = studies::moved(*check.golden, check.outcome->found);
  return check;
}

TEST(Junit, CountsAndNamesWhatFailed) {
  std::vector<studies::Check> checks{passing("good"), unmet("slow", "/migrations/0/downtime_ms"), moved("other"),
                                     passing("late")};
  checks.back().outcome.reset();
  const auto elements = test::parse_xml(junit_xml(checks));
  ASSERT_TRUE(elements);
  std::vector<std::string> names;
  for (const test::Element& each : *elements) names.push_back(each.name);
  EXPECT_EQ(names, (std::vector<std::string>{"testsuites", "testsuite", "testcase", "testcase", "failure", "testcase",
                                             "failure", "testcase", "skipped"}));
  for (const std::size_t counted : {0, 1}) {
    EXPECT_EQ((*elements)[counted].attributes.at("tests"), "4");
    EXPECT_EQ((*elements)[counted].attributes.at("failures"), "2");
    EXPECT_EQ((*elements)[counted].attributes.at("skipped"), "1");
  }
  EXPECT_EQ((*elements)[3].attributes.at("name"), "slow");
  EXPECT_EQ((*elements)[3].attributes.at("classname"), "folder");
  EXPECT_EQ((*elements)[3].attributes.at("file"), "folder/slow.json");
  EXPECT_EQ((*elements)[4].attributes.at("message"), "1 of 1 expectations unmet");
  EXPECT_THAT((*elements)[4].text, HasSubstr("/migrations/0/downtime_ms: expected at most 300, found 412.5"));
  EXPECT_EQ((*elements)[6].attributes.at("message"), "golden differs");
  EXPECT_THAT((*elements)[6].text, HasSubstr("record 2 is the first that differs"));
}

TEST(Junit, IsWellFormedWhateverNamesThereAre) {
  const std::string nasty = "a<b>&\"c\" ]]> \x01\x1b d\xff\n\xc3\xa9";
  const auto elements = test::parse_xml(junit_xml(std::vector<studies::Check>{unmet(nasty, "/" + nasty)}));
  ASSERT_TRUE(elements);
  EXPECT_THAT((*elements)[2].attributes.at("name"), HasSubstr("a<b>&\"c\" ]]> ?? d\xef\xbf\xbd"));
  EXPECT_THAT((*elements)[3].text, HasSubstr("a<b>&\"c\" ]]>"));
  EXPECT_THAT((*elements)[3].text, HasSubstr("\xc3\xa9"));
}

}  // namespace
}  // namespace godwit::report
