#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "tests/support/command.h"

namespace godwit::test {
namespace {

using Json = nlohmann::json;

TEST(Soak, TwoHundredSeedsWithoutAViolation) {
  const Folder folder;
  const Ran ran = godwit({"soak", "--seeds", "200", "--out", folder.path(""), "--json", "-"});
  ASSERT_EQ(ran.status, 0) << ran.out << ran.err;
  const Json summary = Json::parse(ran.out);
  EXPECT_EQ(summary["seeds"], 200);
  EXPECT_TRUE(summary["violations"].empty());
  EXPECT_GT(summary["outcomes"].size(), 5u);
}

TEST(Soak, TheTableSaysWhatWasDone) {
  const Ran ran = godwit({"soak", "--seeds", "20"});
  EXPECT_EQ(ran.status, 0) << ran.err;
  EXPECT_TRUE(ran.out.starts_with("20 seeds from 1 on, ")) << ran.out;
  EXPECT_TRUE(ran.out.ends_with("no violation\n")) << ran.out;
  EXPECT_EQ(ran.err, "");
}

TEST(Soak, OneSeed) {
  const Ran ran = godwit({"soak", "--seed", "17"});
  EXPECT_EQ(ran.status, 0) << ran.err;
  EXPECT_TRUE(ran.out.starts_with("1 seed from 17 on, ")) << ran.out;
}

TEST(Soak, OneScenarioInEveryWay) {
  const Ran ran = godwit({"soak", "scenarios/library/nomadbios_100mbit.json"});
  EXPECT_EQ(ran.status, 0) << ran.err;
  EXPECT_EQ(ran.out, "no violation\n");
}

TEST(Soak, WrongInput) {
  EXPECT_EQ(godwit({"soak", "--seeds", "0"}).status, 2);
  EXPECT_EQ(godwit({"soak", "--jobs", "none"}).status, 2);
  EXPECT_EQ(godwit({"soak", "--out", "/nowhere/at/all"}).status, 2);
  EXPECT_EQ(godwit({"soak", "no_such_file.json"}).status, 2);
  EXPECT_EQ(godwit({"soak", "--json", "/nowhere/at/all.json"}).status, 2);
}

}  // namespace
}  // namespace godwit::test
