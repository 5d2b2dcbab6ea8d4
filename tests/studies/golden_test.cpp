#include "studies/golden.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/source.h"
#include "sim/result.h"
#include "studies/moved.h"
#include "studies/record_text.h"
#include "tests/support/golden.h"

namespace godwit::studies {
namespace {

using scenarios::Json;
using test::some_golden;
using testing::HasSubstr;

/// As it comes back from its file.
Golden kept(const Golden& golden) {
  auto read = read_golden(golden_text(golden), "golden.json");
  if (const auto* issues = std::get_if<std::vector<scenarios::Issue>>(&read)) {
    ADD_FAILURE() << scenarios::to_string(*issues);
    return {};
  }
  return std::get<Golden>(std::move(read));
}

TEST(RecordText, IsOneReadableLine) {
  const auto text = [](sim::RecordKind kind, std::uint64_t value) {
    return record_text({.guest = 0, .kind = kind, .at = Nanos{1'234'567'890}, .value = value}, "web");
  };
  using enum sim::RecordKind;
  EXPECT_EQ(text(kLogRead, 0x9f86d081884c7d65), "1.234567890 s web log_read set 9f86d081884c7d65");
  EXPECT_EQ(text(kLogCleared, 262144), "1.234567890 s web log_cleared from page 262144");
  EXPECT_EQ(text(kPhase, static_cast<std::uint64_t>(core::Phase::kPreCopy)), "1.234567890 s web phase pre_copy");
  EXPECT_EQ(text(kRoundSent, 7), "1.234567890 s web round_sent 7 pages");
  EXPECT_EQ(text(kSourceEnded, static_cast<std::uint64_t>(core::Outcome::kShadowFull)),
            "1.234567890 s web source_ended shadow_full");
  EXPECT_EQ(text(kNobodyLeft, static_cast<std::uint64_t>(sim::Status::kLost)), "1.234567890 s web nobody_left lost");
  EXPECT_EQ(record_text({.guest = 0, .kind = kPhase, .at = Nanos{5}, .value = 0}, "g"), "0.000000005 s g phase setup");
}

TEST(RecordText, IsTakenApartAgain) {
  const auto words = record_words("1.234567890 s web log_cleared from page 7");
  ASSERT_TRUE(words);
  EXPECT_EQ(words->at, "1.234567890 s");
  EXPECT_EQ(words->guest, "web");
  EXPECT_EQ(words->kind, "log_cleared");
  EXPECT_EQ(words->value, "from page 7");
  for (const char* wrong :
       {"", "1.2", "1.2 ms web phase copy", "x s web phase copy", "1.2 s web phase", "1.2 s  phase copy"})
    EXPECT_FALSE(record_words(wrong)) << wrong;
}

TEST(Golden, ComesBackFromItsFile) {
  const Golden golden = some_golden(3, 2);
  EXPECT_FALSE(moved(kept(golden), golden));
  EXPECT_EQ(golden_text(kept(golden)), golden_text(golden));
}

TEST(Golden, NamesTheRecordThatDiffers) {
  const Golden golden = kept(some_golden(10, 1));
  Golden found = some_golden(10, 1);
  found.records[4] = "0.004000000 s g round_sent 99 pages";
  found.digest = "00000000000000cc";
  const auto difference = moved(golden, found);
  ASSERT_TRUE(difference && difference->record);
  EXPECT_EQ(difference->record->index, 4u);
  EXPECT_EQ(difference->record->among, 0u);
  EXPECT_EQ(difference->record->before, "0.003000000 s g round_sent 3 pages");
  EXPECT_EQ(difference->record->from, "0.004000000 s g round_sent 4 pages");
  EXPECT_EQ(difference->record->to, "0.004000000 s g round_sent 99 pages");
  EXPECT_EQ(difference->digest_from, "00000000000000bb");
  EXPECT_EQ(difference->digest_to, "00000000000000cc");
  EXPECT_TRUE(difference->changes.empty());
  EXPECT_FALSE(difference->scenario_changed);
}

TEST(Golden, ARecordTooManyOrTooFewDiffersFromNothing) {
  const auto longer = moved(kept(some_golden(10, 1)), some_golden(11, 1));
  ASSERT_TRUE(longer && longer->record);
  EXPECT_EQ(longer->record->index, 10u);
  EXPECT_EQ(longer->record->from, std::nullopt);
  EXPECT_EQ(longer->record->to, "0.010000000 s g round_sent 10 pages");
  const auto shorter = moved(kept(some_golden(10, 1)), some_golden(9, 1));
  ASSERT_TRUE(shorter && shorter->record);
  EXPECT_EQ(shorter->record->index, 9u);
  EXPECT_EQ(shorter->record->from, "0.009000000 s g round_sent 9 pages");
  EXPECT_EQ(shorter->record->to, std::nullopt);
}

TEST(Golden, NamesTheFieldThatMoved) {
  Golden found = some_golden(3, 2);
  found.migrations[1]["downtime_ms"] = 150.0;
  const auto difference = moved(kept(some_golden(3, 2)), found);
  ASSERT_TRUE(difference);
  EXPECT_FALSE(difference->record);
  ASSERT_EQ(difference->changes.size(), 1u);
  EXPECT_EQ(difference->changes[0].pointer, "/migrations/1/downtime_ms");
  EXPECT_EQ(difference->changes[0].from, Json(200.0));
  EXPECT_EQ(difference->changes[0].to, Json(150.0));
  EXPECT_EQ(difference->changes[0].relative(), -0.25);
}

TEST(Golden, SaysThatTheScenarioIsAnother) {
  Golden found = some_golden(3, 1);
  found.scenario = "00000000000000ab";
  EXPECT_FALSE(moved(some_golden(3, 1), found)) << "a scenario written in another way, with the same result";
  found.digest = "00000000000000cc";
  EXPECT_TRUE(moved(some_golden(3, 1), found)->scenario_changed);
}

// 800 records are kept in full. Of the 99,200 others, with a hash after every 512 there are 194 hashes; with one after
// every 256 there would be 388, more than 256. The record of index 2,500 is of index 1,700 among the others, in the
// fourth stretch, which begins with the record of index 800 + 3 x 512 = 2,336.
TEST(Golden, NarrowsADifferenceDownWhereItKeepsHashes) {
  const Golden golden = kept(some_golden(100'000, 1));
  ASSERT_TRUE(golden.more_records);
  EXPECT_EQ(golden.records.size(), 800u);
  EXPECT_EQ(golden.more_records->count, 99'200u);
  EXPECT_EQ(golden.more_records->every, 512u);
  EXPECT_EQ(golden.more_records->hashes.size(), 194u);
  EXPECT_FALSE(moved(golden, some_golden(100'000, 1)));

  Golden found = some_golden(100'000, 1);
  found.records[2500] = "2.500000000 s g round_sent 99 pages";
  const auto difference = moved(golden, found);
  ASSERT_TRUE(difference && difference->record);
  EXPECT_EQ(difference->record->index, 2336u);
  EXPECT_EQ(difference->record->among, 512u);
  EXPECT_EQ(difference->record->from, std::nullopt);
  EXPECT_EQ(difference->record->to, found.records[2336]);
}

TEST(Golden, SeesARecordMoreOrLessBeyondThoseInFull) {
  const Golden golden = kept(some_golden(2000, 1));
  for (const std::size_t count : {800, 1999, 2001}) {
    const auto difference = moved(golden, some_golden(count, 1));
    ASSERT_TRUE(difference && difference->record) << count;
    EXPECT_EQ(difference->records_from, 2000u);
    EXPECT_EQ(difference->records_to, count);
    const std::uint64_t first = std::min<std::size_t>(count, 2000);
    EXPECT_LE(difference->record->index, first);
    EXPECT_GE(difference->record->index + difference->record->among, first);
  }
}

TEST(Golden, SeesAFieldMoveBeyondTheMigrationsInFull) {
  Golden found = some_golden(3, 40);
  const Golden golden = kept(found);
  EXPECT_EQ(golden.migrations.size(), 10u);
  EXPECT_FALSE(moved(golden, found));
  found.migrations[30]["downtime_ms"] = 150.0;
  const auto difference = moved(golden, found);
  ASSERT_TRUE(difference);
  ASSERT_EQ(difference->changes.size(), 1u);
  EXPECT_EQ(difference->changes[0].pointer, "/migrations/30");
}

// ---------------------------------------------------------------- what is no golden

std::string trouble_with(const std::string& text) {
  auto read = read_golden(text, "g.json");
  const auto* issues = std::get_if<std::vector<scenarios::Issue>>(&read);
  return issues ? scenarios::to_string(*issues) : "";
}

std::string with(const std::string& from, const std::string& to) {
  std::string text = golden_text(some_golden(2, 1));
  const auto at = text.find(from);
  EXPECT_NE(at, std::string::npos) << from;
  return text.replace(at, from.size(), to);
}

TEST(GoldenFile, SaysWhereItIsWrong) {
  EXPECT_THAT(trouble_with("{\n  \"godwit\": 1,\n"), HasSubstr("g.json:3"));
  EXPECT_THAT(trouble_with("[]"), HasSubstr("g.json:1:1: expected an object"));
  EXPECT_THAT(trouble_with(with("\"00000000000000bb\"", "\"bb\"")),
              HasSubstr("g.json:5:13: /digest: expected 16 hexadecimal digits, got \"bb\""));
  EXPECT_THAT(trouble_with(with("0.001000000 s g", "now g")), HasSubstr("g.json:6:53: /records/1: expected a record"));
  EXPECT_THAT(trouble_with(with("\"seed\"", "\"sede\"")), HasSubstr("did you mean seed?"));
  EXPECT_THAT(trouble_with(with("{\"guest\": \"vm-0\", \"downtime_ms\": 200.0}", "7")),
              HasSubstr("/migrations/0: expected an object, got 7"));
}

TEST(GoldenFile, OfAnotherFormatIsNotReadAtAll) {
  EXPECT_EQ(trouble_with(with("\"golden_version\": 1", "\"golden_version\": 2")),
            "g.json:2:52: /godwit/golden_version: expected a golden of format 1, got one of format 2, made by godwit "
            "0.1.0\n");
}

}  // namespace
}  // namespace godwit::studies
