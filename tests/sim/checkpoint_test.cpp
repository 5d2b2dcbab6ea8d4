#include <gtest/gtest.h>

#include "core/wire.h"
#include "sim/guest_memory.h"
#include "sim/restore.h"
#include "tests/support/scenario.h"

namespace godwit {
namespace {

using namespace std::chrono_literals;
using test::migrate;

/// A guest of 8 MiB that writes a checkpoint of itself to storage of 1 Gbit/s.
sim::RunOptions checkpoint_run(sim::Contents contents) {
  sim::RunOptions run = test::plain_run();
  test::self_migrating(run);
  run.guests[0].memory = {8 * test::kMiB};
  run.guests[0].device_state = {65536};
  run.guests[0].contents = contents;
  run.guests[0].workload = {.kind = workloads::Kind::kSequential, .write_rate = 10000, .memory = Bytes{4 * test::kMiB}};
  run.migrations[0].file = {.path = "g.ckpt", .bandwidth = {1'000'000'000}};
  run.migrations[0].strategy.plan.goes_on = true;
  run.migrations[0].strategy.plan.stop.downtime_max = 5ms;
  return run;
}

sim::RestoreOptions from(const sim::RunOptions& run, const sim::MigrationResult& made) {
  return {.guest = &run.guests[0], .seed = run.seed, .bandwidth = {1'000'000'000}, .snapshot_at = made.snapshot_at};
}

class Checkpoint : public testing::TestWithParam<sim::Contents> {};

TEST_P(Checkpoint, IsWrittenWhileTheGuestGoesOn) {
  const sim::RunOptions run = checkpoint_run(GetParam());
  const sim::MigrationResult r = migrate(run);
  EXPECT_EQ(r.status, sim::Status::kCompleted);
  EXPECT_EQ(r.home, sim::Home::kSource);
  EXPECT_TRUE(r.verified);
  EXPECT_EQ(r.destination, "g.ckpt");
  Nanos sum{0};
  for (const Nanos part : r.parts) sum += part;
  EXPECT_EQ(sum, r.downtime);
  EXPECT_GT(r.downtime, 0ns);
  EXPECT_EQ(r.work_lost, r.downtime);  // on hosts that cost nothing it stands still for that only
  // Device state and shadow are written after it, at 1 Gbit/s.
  EXPECT_GT(r.total_time - r.snapshot_at, wire_time({65536}, {1'000'000'000}));
}

TEST_P(Checkpoint, StartsTheGuestThatItWas) {
  const sim::RunOptions run = checkpoint_run(GetParam());
  const sim::MigrationResult made = migrate(run);
  sim::RestoreOptions options = from(run, made);
  options.host.device_load = 3ms;
  options.host.resume = 1ms;
  options.go_on = 50ms;
  const sim::RestoreResult r = sim::restore(options, made.checkpoint);
  EXPECT_EQ(r.trouble, "");
  EXPECT_EQ(r.device_state, Bytes{65536});
  EXPECT_EQ(r.normal, made.normal);
  EXPECT_EQ(r.load_time, 3ms);
  EXPECT_EQ(r.resume_time, 1ms);
  EXPECT_NEAR(static_cast<double>(r.written.value), 500, 1);  // 10,000 a second for 50 ms, all distinct
}

TEST_P(Checkpoint, CutShortAnywhereIsRefused) {
  const sim::RunOptions run = checkpoint_run(GetParam());
  const sim::MigrationResult made = migrate(run);
  const std::span<const std::byte> whole(made.checkpoint);
  for (std::size_t keep = 0; keep < whole.size(); keep += whole.size() / 97 + 1) {
    EXPECT_NE(sim::restore(from(run, made), whole.first(keep)).trouble, "") << keep;
  }
}

TEST_P(Checkpoint, AlteredAnywhereIsRefused) {
  const sim::RunOptions run = checkpoint_run(GetParam());
  const sim::MigrationResult made = migrate(run);
  std::vector<std::byte> altered = made.checkpoint;
  for (std::size_t at = 0; at < altered.size(); at += altered.size() / 97 + 1) {
    altered[at] ^= std::byte{16};
    EXPECT_NE(sim::restore(from(run, made), altered).trouble, "") << at;
    altered[at] ^= std::byte{16};
  }
}

TEST_P(Checkpoint, WithSomethingAfterItsEndIsRefused) {
  const sim::RunOptions run = checkpoint_run(GetParam());
  const sim::MigrationResult made = migrate(run);
  std::vector<std::byte> longer = made.checkpoint;
  longer.push_back(std::byte{0});
  EXPECT_EQ(sim::restore(from(run, made), longer).trouble, "something follows the end");
}

INSTANTIATE_TEST_SUITE_P(Of, Checkpoint, testing::Values(sim::Contents::kVersions, sim::Contents::kBytes),
                         [](const auto& each) { return each.param == sim::Contents::kBytes ? "Bytes" : "Versions"; });

// An idle guest whose sending dirties nothing is in its checkpoint as it was at the start.
TEST(Checkpoints, HoldTheMemoryByteForByte) {
  sim::RunOptions run = checkpoint_run(sim::Contents::kBytes);
  run.guests[0].workload = {};
  run.migrations[0].strategy.sender.derived = false;
  const sim::GuestMemory fresh(run.guests[0], run.seed, 1);
  const sim::MigrationResult made = migrate(run);
  EXPECT_EQ(sim::restore(from(run, made), made.checkpoint).memory_crc, core::crc32c(0, fresh.bytes()->all()));
}

TEST(Checkpoints, OfAMemoryWithAHoleAreRefusedThoughEveryRecordIsSound) {
  const sim::RunOptions run = checkpoint_run(sim::Contents::kVersions);
  std::vector<std::byte> file;
  core::StreamHash hash;
  std::uint64_t sequence = 0;
  const auto add = [&](core::Record record) {
    record.sequence = sequence++;
    hash.add(record, 0);
    const std::size_t at = file.size();
    file.resize(at + core::encoded_size(record));
    core::encode(record, std::span(file).subspan(at));
  };
  const PageRun most = PageRun::solid(0, 2047);
  add({.type = core::RecordType::kHello, .value = 2048});
  add({.type = core::RecordType::kPages, .runs = {&most, 1}});
  add({.type = core::RecordType::kEnd, .value = hash.value()});
  add({.type = core::RecordType::kCommit});
  EXPECT_EQ(sim::restore({.guest = &run.guests[0]}, file).trouble, "some of the memory is missing");
}

}  // namespace
}  // namespace godwit
