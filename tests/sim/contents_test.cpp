#include <gtest/gtest.h>

#include <filesystem>

#include "report/run_json.h"
#include "scenarios/load.h"
#include "sim/run.h"
#include "tests/support/scaled.h"
#include "tests/support/scenario.h"

// Real bytes through the real encoder, checksum, zero test and decoder come to the same as the page oracle's two bits.
namespace godwit {
namespace {

using namespace std::chrono_literals;
using sim::Contents;

constexpr Bytes kSmall{64 * test::kMiB};

std::string document(sim::RunOptions run, Contents contents) {
  for (sim::GuestOptions& guest : run.guests) guest.contents = contents;
  return report::run_json(sim::run(run), {}).dump(1);
}

void expect_same_with_bytes(const sim::RunOptions& run) {
  EXPECT_EQ(document(run, Contents::kBytes), document(run, Contents::kVersions));
}

sim::RunOptions library(const std::filesystem::path& path) {
  return test::scaled(std::get<scenarios::Loaded>(scenarios::load_file(path.string())).options, kSmall);
}

std::vector<std::filesystem::path> library_files() {
  std::vector<std::filesystem::path> files;
  for (const auto& entry : std::filesystem::directory_iterator(GODWIT_SOURCE_DIR "/scenarios/library"))
    if (entry.path().extension() == ".json") files.push_back(entry.path());
  std::ranges::sort(files);
  return files;
}

class Library : public testing::TestWithParam<std::filesystem::path> {};

TEST_P(Library, ScaledTo64MiBRunsTheSameWithRealBytes) {
  sim::RunOptions run = library(GetParam());
  run.horizon = std::min<Nanos>(run.horizon, 60s);  // what never converges need not go on for an hour
  expect_same_with_bytes(run);
}

INSTANTIATE_TEST_SUITE_P(Scenario, Library, testing::ValuesIn(library_files()),
                         [](const auto& each) { return each.param.stem().string(); });

sim::RunOptions busy_guest() {
  sim::RunOptions run = test::plain_run();
  run.links[0].latency = 200us;
  run.guests[0].memory = {16 * test::kMiB};
  run.guests[0].device_state = {test::kMiB};
  run.guests[0].pages = {{.kind = sim::PageKind::kZero, .share = kWhole / 4, .at_high = true}};
  run.guests[0].workload = {.kind = workloads::Kind::kMix,
                            .parts = {{.kind = workloads::Kind::kUniform, .write_rate = 2000, .at = Bytes{0}},
                                      {.kind = workloads::Kind::kSequential, .write_rate = 4000}}};
  run.migrations[0].strategy.plan.stop.downtime_max = 10ms;
  return run;
}

TEST(Contents, ADamagedRecordIsFoundByItsChecksum) {
  for (const bool self : {false, true}) {
    sim::RunOptions run = busy_guest();
    if (self) test::self_migrating(run);
    run.guests[0].contents = Contents::kBytes;
    run.events = {{.kind = sim::EventKind::kCorrupt, .at = 20ms}};
    const sim::MigrationResult r = test::migrate(run);
    EXPECT_EQ(r.status, sim::Status::kFailed);
    EXPECT_EQ(r.reason, "corrupt_stream");
    EXPECT_EQ(r.home, sim::Home::kSource);
    expect_same_with_bytes(run);
  }
}

// A zero page that is written stops being one: the real test sees that in the bytes, the other in the set.
TEST(Contents, ZeroPagesAreFoundByLookingAtThem) {
  sim::RunOptions run = busy_guest();
  run.guests[0].memory = {32 * test::kMiB};
  run.guests[0].workload.parts[0].memory = run.guests[0].memory;
  run.migrations[0].strategy.plan.detect_zero = true;
  run.migrations[0].strategy.plan.framing = {.page_header = {8}, .zero_page = {9}};
  run.guests[0].contents = Contents::kBytes;
  const sim::MigrationResult r = test::migrate(run);
  EXPECT_TRUE(r.verified);
  EXPECT_GT(r.duplicate, Pages{1500});  // of 2048, for some were written before their turn
  EXPECT_LT(r.duplicate, Pages{2048});
  expect_same_with_bytes(run);
}

TEST(Contents, AGuestThatMovesTwiceTakesItsBytesAlong) {
  sim::RunOptions run = busy_guest();
  run.guests[0].contents = Contents::kBytes;
  run.hosts.resize(3);
  run.hosts[2].name = "c";
  run.links.push_back({.from = 1, .to = 2, .bandwidth = {1'000'000'000}, .latency = 1ms});
  run.migrations.push_back(run.migrations[0]);
  run.migrations[1].to = 2;
  run.migrations[1].after = 0;
  const sim::RunResult r = sim::run(run);
  for (const sim::MigrationResult& each : r.migrations) EXPECT_TRUE(each.verified);
  EXPECT_EQ(r.migrations[1].source, "b");
  expect_same_with_bytes(run);
}

}  // namespace
}  // namespace godwit
