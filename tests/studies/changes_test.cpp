#include "studies/changes.h"

#include <gtest/gtest.h>

namespace godwit::studies {
namespace {

using scenarios::Json;

std::vector<Change> between(const char* from, const char* to) { return changes(Json::parse(from), Json::parse(to)); }

void expect_one(const std::vector<Change>& found, const std::string& pointer, const std::string& item,
                const std::optional<Json>& from, const std::optional<Json>& to) {
  ASSERT_EQ(found.size(), 1u);
  EXPECT_EQ(found[0].pointer, pointer);
  EXPECT_EQ(found[0].item, item);
  EXPECT_EQ(found[0].from, from);
  EXPECT_EQ(found[0].to, to);
}

TEST(Changes, AreNoneBetweenEquals) {
  EXPECT_TRUE(between(R"({"a": [1, {"b": null}]})", R"({"a": [1.0, {"b": null}]})").empty());
}

TEST(Changes, NameTheField) {
  expect_one(between(R"({"a": {"b/c": 1, "d": 2}})", R"({"a": {"b/c": 3, "d": 2}})"), "/a/b~1c", "", 1, 3);
}

TEST(Changes, TellWhatCameFromWhatWent) {
  expect_one(between(R"({"a": 1})", R"({})"), "/a", "", 1, std::nullopt);
  expect_one(between(R"({})", R"({"a": null})"), "/a", "", std::nullopt, Json(nullptr));
  expect_one(between(R"({"a": null})", R"({"a": "horizon"})"), "/a", "", Json(nullptr), "horizon");
  expect_one(between("[1, 2]", "[1]"), "/1", "", 2, std::nullopt);
}

// A bill that is new must not shift those that follow it.
TEST(Changes, MatchBillsByWhoPaysForWhat) {
  const char* from = R"([{"payer": "guest", "host": "a", "activity": "copy", "cpu_ms": 1},
                         {"payer": "guest", "host": "a", "activity": "protocol", "cpu_ms": 2}])";
  const char* to = R"([{"payer": "guest", "host": "a", "activity": "track", "cpu_ms": 9},
                       {"payer": "guest", "host": "a", "activity": "copy", "cpu_ms": 1},
                       {"payer": "guest", "host": "a", "activity": "protocol", "cpu_ms": 3}])";
  const std::vector<Change> found = between(from, to);
  ASSERT_EQ(found.size(), 2u);
  EXPECT_EQ(found[0].pointer, "/2/cpu_ms");
  EXPECT_EQ(found[0].item, "guest, a, protocol");
  EXPECT_EQ(found[0].relative(), 0.5);
  EXPECT_EQ(found[1].pointer, "/0");
  EXPECT_EQ(found[1].from, std::nullopt);
}

TEST(Changes, MatchWhatHasAName) {
  const std::vector<Change> found = between(R"({"strategies": [{"name": "x", "n": 1}, {"name": "y", "n": 2}]})",
                                            R"({"strategies": [{"name": "y", "n": 4}]})");
  ASSERT_EQ(found.size(), 2u);
  EXPECT_EQ(found[0].pointer, "/strategies/0");
  EXPECT_EQ(found[0].item, "x");
  EXPECT_EQ(found[0].to, std::nullopt);
  EXPECT_EQ(found[1].pointer, "/strategies/0/n");
  EXPECT_EQ(found[1].item, "y");
  EXPECT_EQ(found[1].to, Json(4));
}

TEST(Changes, SeeAnotherOrderOfNames) {
  EXPECT_EQ(between(R"([{"name": "x"}, {"name": "y"}])", R"([{"name": "y"}, {"name": "x"}])").size(), 2u);
}

TEST(Changes, MatchByPlaceWhereNamesAreNotUnique) {
  expect_one(
      between(R"([{"name": "x", "n": 1}, {"name": "x", "n": 2}])", R"([{"name": "x", "n": 1}, {"name": "x", "n": 3}])"),
      "/1/n", "", 2, 3);
}

TEST(Changes, HaveASizeWhereBothAreNumbersAndTheFirstIsNotZero) {
  EXPECT_EQ((Change{"", "", -4, -5}.relative()), -0.25);
  EXPECT_EQ((Change{"", "", 0, 5}.relative()), std::nullopt);
  EXPECT_EQ((Change{"", "", "4", 5}.relative()), std::nullopt);
  EXPECT_EQ((Change{"", "", std::nullopt, 5}.relative()), std::nullopt);
}

}  // namespace
}  // namespace godwit::studies
