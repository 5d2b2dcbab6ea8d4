#include "workloads/import.h"

#include <gtest/gtest.h>

#include <sstream>

namespace godwit::workloads {
namespace {

using namespace std::chrono_literals;
using Runs = std::vector<Run>;

std::variant<Imported, ImportError> import(const std::string& text, ImportOptions options) {
  std::istringstream input(text);
  return import_writes(input, options);
}

Imported imported(const std::string& text, const ImportOptions& options) {
  auto result = import(text, options);
  if (const auto* error = std::get_if<ImportError>(&result)) ADD_FAILURE() << error->line << ": " << error->what;
  return std::get<Imported>(std::move(result));
}

Runs runs(const Imported& all, std::size_t interval) {
  const auto found = all.trace.runs(interval);
  return {found.begin(), found.end()};
}

void expect_refused(const std::string& text, ImportFormat format, std::uint64_t line, const std::string& what) {
  const auto result = import(text, {.format = format});
  ASSERT_TRUE(std::holds_alternative<ImportError>(result)) << text;
  EXPECT_EQ(std::get<ImportError>(result).line, line);
  EXPECT_NE(std::get<ImportError>(result).what.find(what), std::string::npos) << std::get<ImportError>(result).what;
}

// The first write, at 100.000 s, begins interval 0 of 10 ms: 100.012 s lies in interval 1, 100.031 s in interval 3.
TEST(Import, ReadsPagesOfCsvInAnyOrder) {
  const Imported all = imported(
      "page,time_s\n"
      "7,100.012\n"
      "3,100.000\n"
      "4,100.009999999\n"
      "\n"
      "0x7,100.0125\n"
      "9,100.031\n",
      {});
  ASSERT_EQ(all.trace.interval_count(), 4u);
  EXPECT_EQ(runs(all, 0), (Runs{{3, 2}}));
  EXPECT_EQ(runs(all, 1), (Runs{{7, 1}}));
  EXPECT_EQ(runs(all, 2), Runs{});
  EXPECT_EQ(runs(all, 3), (Runs{{9, 1}}));
  EXPECT_EQ(all.writes, 5u);
  EXPECT_EQ(all.trace.marks, 4u);
  EXPECT_EQ(all.trace.page_count, 10u);
  EXPECT_EQ(all.trace.interval, 10ms);
}

// Pages 0x1000/4096 = 1, 2 and 0x7f00c0de1: three that are written, and so numbers 0, 1 and 2.
TEST(Import, NumbersThePagesOfAddresses) {
  const Imported all = imported("time_ns,address\n0,0x1000\n1,8192\n2,0x7f00c0de1abc\n", {.interval = 1us});
  ASSERT_EQ(all.trace.interval_count(), 1u);
  EXPECT_EQ(runs(all, 0), (Runs{{0, 3}}));
}

TEST(Import, ReadsPerfScript) {
  const Imported all = imported(
      "# a comment\n"
      "  5208.110523:     7f3a5c001fff\n"
      "  5208.110600: cpu/mem-stores/P:     7f3a5c002000\n"
      "  5208.120524:                0\n"
      "  5208.120524:     7f3a5c001000\n",
      {.format = ImportFormat::kPerf});
  ASSERT_EQ(all.trace.interval_count(), 2u);
  EXPECT_EQ(runs(all, 0), (Runs{{0, 2}}));
  EXPECT_EQ(runs(all, 1), (Runs{{0, 1}}));
}

// At 1,000 instructions a second each takes 1 ms: the first write comes after one, the second after three, in interval 1 of 2 ms.
TEST(Import, ReadsLackeyAndCountsInstructions) {
  const Imported all = imported(
      "==42== Lackey, an example Valgrind tool\n"
      "I  04001000,3\n"
      " S 1ffeffe7e0,8\n"
      " L 1ffeffe7e0,8\n"
      "I  04001003,5\n"
      "I  04001008,5\n"
      " M 1fff000000,4\n",
      {.format = ImportFormat::kLackey, .interval = 2ms, .instructions_per_second = 1000});
  ASSERT_EQ(all.trace.interval_count(), 2u);
  EXPECT_EQ(runs(all, 0), (Runs{{0, 1}}));
  EXPECT_EQ(runs(all, 1), (Runs{{1, 1}}));
}

TEST(Import, SaysInWhichLineItFailed) {
  expect_refused("", ImportFormat::kCsv, 0, "no write");
  expect_refused("time,page\n", ImportFormat::kCsv, 1, "time_s");
  expect_refused("time_s,page\n1,2\nx,2\n", ImportFormat::kCsv, 3, "a time");
  expect_refused("time_s,page\n1\n", ImportFormat::kCsv, 2, "a page");
  expect_refused("time_s,page\n-1,4\n", ImportFormat::kCsv, 2, "a time");
  expect_refused("time_s,page\n1,4294967295\n", ImportFormat::kCsv, 2, "4294967294");
  expect_refused("time_s,page\n0,1\n99999999,1\n", ImportFormat::kCsv, 0, "longer interval");
  expect_refused("time_s,page\n99999999999999999999,1\n", ImportFormat::kCsv, 2, "a time");
  expect_refused("redis 1 2.0: hello\n", ImportFormat::kPerf, 1, "perf script");
  expect_refused(" X 1000,4\n", ImportFormat::kLackey, 1, "lackey");
  expect_refused(" S zzz,4\n", ImportFormat::kLackey, 1, "an address");
}

}  // namespace
}  // namespace godwit::workloads
