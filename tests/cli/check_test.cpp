#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <nlohmann/json.hpp>

#include "tests/support/command.h"
#include "tests/support/xml.h"

namespace godwit::test {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;
using testing::HasSubstr;
using testing::Not;

const std::string kLibrary = std::string(GODWIT_SOURCE_DIR) + "/scenarios/library";

/// A folder with scenarios of the library and their goldens.
class Copied : public testing::Test {
 protected:
  Copied() {
    fs::create_directory(folder.path("golden"));
    for (const char* name : {"idle_guest", "nomadbios_100mbit"}) {
      fs::copy_file(kLibrary + "/" + name + ".json", scenario(name));
      fs::copy_file(kLibrary + "/golden/" + name + ".json", golden(name));
    }
  }

  std::string here() const { return folder.path(""); }
  std::string scenario(const std::string& name) const { return folder.path(name + ".json"); }
  std::string golden(const std::string& name) const { return folder.path("golden/" + name + ".json"); }

  /// Replaces `from` in a file, where it must be.
  void plant(const std::string& path, const std::string& from, const std::string& to) const {
    std::string text = read_file(path);
    const auto at = text.find(from);
    ASSERT_NE(at, std::string::npos) << from;
    folder.file(fs::relative(path, here()).string(), text.replace(at, from.size(), to));
  }

  Folder folder;
};

TEST(Check, TheLibraryIsAsItWas) {
  const Ran ran = godwit({"check", "--require-golden"});
  EXPECT_EQ(ran.status, 0) << ran.out << ran.err
                           << "\nIf that is right: godwit check --update, and say in the commit what changed.";
}

TEST(Check, EveryGoldenOfTheLibraryHasItsScenario) {
  for (const auto& entry : fs::directory_iterator(kLibrary + "/golden"))
    EXPECT_TRUE(fs::exists(fs::path(kLibrary) / entry.path().filename())) << entry.path();
}

TEST_F(Copied, WhatIsAsBeforePasses) {
  const Ran ran = godwit({"check", here()});
  EXPECT_EQ(ran.status, 0) << ran.out << ran.err;
  EXPECT_THAT(ran.out, HasSubstr("2 scenarios: 2 passed, 0 failed\n"));
}

TEST_F(Copied, DoesNotDependOnTheNumberOfJobs) {
  const auto with = [&](const char* jobs) { return godwit({"check", here(), "--json", "-", "--jobs", jobs}).out; };
  EXPECT_EQ(with("1"), with("2"));
}

// The golden says what the run does not: the account names the record and the field that were planted, both ways round.
TEST_F(Copied, APlantedChangeIsNamed) {
  Json document = Json::parse(read_file(golden("idle_guest")));
  const std::string record = document["records"][4];
  document["records"][4] = "9.000000000 s idle phase shadow";
  document["digest"] = "0123456789abcdef";
  const double downtime = document["migrations"][0]["downtime_ms"];
  document["migrations"][0]["downtime_ms"] = downtime * 2;
  folder.file("golden/idle_guest.json", document.dump());

  const Ran ran = godwit({"check", here(), "--json", "-"});
  EXPECT_EQ(ran.status, 1) << ran.err;
  const Json found = Json::parse(ran.out)["scenarios"][0];
  EXPECT_EQ(found["name"], "idle_guest");
  EXPECT_EQ(found["status"], "failed");
  EXPECT_EQ(found["golden"]["state"], "differs");
  EXPECT_EQ(found["golden"]["version"], GODWIT_VERSION);
  EXPECT_EQ(found["golden"]["scenario_changed"], false);
  EXPECT_EQ(found["golden"]["digest"]["from"], "0123456789abcdef");
  EXPECT_EQ(found["golden"]["first_record"]["index"], 4);
  EXPECT_EQ(found["golden"]["first_record"]["from"], "9.000000000 s idle phase shadow");
  EXPECT_EQ(found["golden"]["first_record"]["to"], record);
  ASSERT_EQ(found["golden"]["changes"].size(), 1u);
  EXPECT_EQ(found["golden"]["changes"][0]["pointer"], "/migrations/0/downtime_ms");
  EXPECT_EQ(found["golden"]["changes"][0]["to"], downtime);
  EXPECT_EQ(found["golden"]["changes"][0]["relative_percent"], -50.0);
  EXPECT_EQ(Json::parse(ran.out)["scenarios"][1]["status"], "passed");

  const Ran table = godwit({"check", here()});
  EXPECT_EQ(table.status, 1);
  for (const std::string& words :
       {std::string("which godwit ") + GODWIT_VERSION + " made", std::string("record 5 is the first that differs"),
        std::string("9.000000000 s"), std::string("1 field of the result moved"),
        std::string("/migrations/0/downtime_ms"), std::string("-50 %"), std::string("1 passed, 1 failed")})
    EXPECT_THAT(table.out, HasSubstr(words));
}

TEST_F(Copied, AChangedScenarioIsSaidToBeChanged) {
  plant(scenario("idle_guest"), "\"memory\": \"2 GiB\"", "\"memory\": \"1 GiB\"");
  const Ran ran = godwit({"check", scenario("idle_guest")});
  EXPECT_EQ(ran.status, 1);
  EXPECT_THAT(ran.out, HasSubstr("the scenario itself has been changed since"));
  EXPECT_THAT(ran.out, HasSubstr("/migrations/0/ram/total_bytes"));
}

TEST_F(Copied, AnUnmetExpectationFailsThoughTheGoldenIsTheSame) {
  plant(scenario("idle_guest"), "\"at_most\": 50", "\"at_most\": 1");
  const Ran ran = godwit({"check", here()});
  EXPECT_EQ(ran.status, 1);
  EXPECT_THAT(ran.out, HasSubstr("unmet: /migrations/0/downtime_ms: expected at most 1"));
  EXPECT_THAT(ran.out, Not(HasSubstr("differs from")));
}

TEST_F(Copied, WithoutAGoldenExpectationsCountAlone) {
  fs::remove(golden("idle_guest"));
  const Ran ran = godwit({"check", here()});
  EXPECT_EQ(ran.status, 0) << ran.out;
  EXPECT_THAT(ran.out, HasSubstr("1 without a golden"));
  const Ran required = godwit({"check", here(), "--require-golden"});
  EXPECT_EQ(required.status, 1);
  EXPECT_THAT(required.out, HasSubstr("there is no golden " + golden("idle_guest")));
}

TEST_F(Copied, AnUpdateAcceptsWhatIsFoundAndLeavesTheRestAlone) {
  const std::string before = read_file(golden("idle_guest")), other = read_file(golden("nomadbios_100mbit"));
  plant(golden("idle_guest"), "\"pauses\": 1", "\"pauses\": 7");
  plant(golden("nomadbios_100mbit"), "\"version\": \"", "\"version\": \"0.0.");
  const std::string older = read_file(golden("nomadbios_100mbit"));
  EXPECT_EQ(godwit({"check", here()}).status, 1);

  const Ran update = godwit({"check", here(), "--update"});
  EXPECT_EQ(update.status, 0) << update.out << update.err;
  EXPECT_THAT(update.out, HasSubstr("rewritten"));
  EXPECT_THAT(update.out, HasSubstr("/migrations/0/pauses"));
  EXPECT_EQ(read_file(golden("idle_guest")), before);
  EXPECT_EQ(read_file(golden("nomadbios_100mbit")), older) << "the same result is older than this version";
  EXPECT_NE(older, other);
  EXPECT_EQ(godwit({"check", here(), "--require-golden"}).status, 0);
}

TEST_F(Copied, AnUpdateMakesTheFolderAndSaysWhatIsUnmet) {
  fs::remove_all(folder.path("golden"));
  plant(scenario("idle_guest"), "\"at_most\": 50", "\"at_most\": 1");
  const Ran update = godwit({"check", here(), "--update"});
  EXPECT_EQ(update.status, 1);
  EXPECT_THAT(update.out, HasSubstr("unmet"));
  EXPECT_EQ(godwit({"check", scenario("nomadbios_100mbit"), "--require-golden"}).status, 0);
}

TEST_F(Copied, AGoldenThatIsNoneIsWrongInputAndAnUpdateReplacesIt) {
  const std::string right = read_file(golden("idle_guest"));
  plant(golden("idle_guest"), "\"digest\": \"", "\"digest\": \"x");
  const Ran ran = godwit({"check", here()});
  EXPECT_EQ(ran.status, 2);
  EXPECT_EQ(ran.out, "");
  EXPECT_THAT(ran.err, HasSubstr(golden("idle_guest") + ":5:13: /digest: expected 16 hexadecimal digits"));
  EXPECT_EQ(godwit({"check", here(), "--update"}).status, 0);
  EXPECT_EQ(read_file(golden("idle_guest")), right);
}

TEST_F(Copied, AllThatIsWrongIsSaidAtOnce) {
  folder.file("golden/idle_guest.json", "");
  plant(golden("nomadbios_100mbit"), "\"golden_version\": 1", "\"golden_version\": 9");
  plant(scenario("nomadbios_100mbit"), "\"links\"", "\"lniks\"");
  folder.file("zebra.json", "{");
  const Ran ran = godwit({"check", here()});
  EXPECT_EQ(ran.status, 2);
  EXPECT_THAT(ran.err, HasSubstr("this file is empty; expected a golden file"));
  EXPECT_THAT(ran.err, HasSubstr("did you mean links?"));
  EXPECT_THAT(ran.err, HasSubstr("zebra.json:1"));
}

TEST_F(Copied, JunitNamesWhatFailed) {
  plant(golden("idle_guest"), "\"pauses\": 1", "\"pauses\": 7");
  const std::string file = folder.path("report.xml");
  EXPECT_EQ(godwit({"check", here(), "--junit", file}).status, 1);
  const auto elements = parse_xml(read_file(file));
  ASSERT_TRUE(elements);
  ASSERT_EQ(elements->size(), 5u);
  EXPECT_EQ((*elements)[1].attributes.at("failures"), "1");
  EXPECT_EQ((*elements)[2].attributes.at("name"), "idle_guest");
  EXPECT_EQ((*elements)[3].name, "failure");
  EXPECT_THAT((*elements)[3].text, HasSubstr("/migrations/0/pauses"));
  EXPECT_EQ((*elements)[4].attributes.at("name"), "nomadbios_100mbit");
  EXPECT_TRUE(parse_xml(godwit({"check", here(), "--junit", "-"}).out)) << "nothing else is on standard output";
}

TEST_F(Copied, WrongArgumentsAreRefused) {
  for (const auto& [argument, hint] :
       std::vector<std::pair<std::string, std::string>>{{"no.json", "no such file"},
                                                        {folder.path("golden"), "field"},
                                                        {"scenarios/schema/nowhere", "no such file"},
                                                        {"cmake", "no scenario in this folder"}}) {
    const Ran ran = godwit({"check", argument});
    EXPECT_EQ(ran.status, 2) << argument;
    EXPECT_THAT(ran.err, HasSubstr(hint)) << argument;
  }
  EXPECT_EQ(godwit({"check", here(), "--junit", "-", "--json", "-"}).status, 2);
  EXPECT_EQ(godwit({"check", here(), "--junit", "/nonexistent/x.xml"}).status, 2);
}

}  // namespace
}  // namespace godwit::test
