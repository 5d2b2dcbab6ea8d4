#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

#include "scenarios/strategy.h"
#include "tests/support/drawn_guest.h"
#include "tests/support/reference_guest.h"
#include "tests/support/scenario.h"
#include "tests/support/statistics.h"

// Whole migrations against a reference that plays every write and every page in turn: what is reported dirty when, by a log
// that is cleared as KVM's is (just before the first page of its chunk is sent, and only what was reported of that chunk),
// or with the read, as TCG's, Xen's and Cloud Hypervisor's. The real runs are all under TCG.
namespace godwit {
namespace {

using namespace std::chrono_literals;
using core::ClearRule;
using test::Bitmap;
using test::has;
using test::kMiB;
using workloads::Kind;

constexpr std::uint64_t kPages = 16384;  // 64 MiB
constexpr PageRange kAll{0, kPages};

struct Round {
  std::uint64_t sent = 0, new_dirty = 0;
  bool operator==(const Round&) const = default;
};

/// The guest's log and what a sender knows of it, with every write in turn.
class ReferenceSender {
 public:
  ReferenceSender(const workloads::Options& workload, std::uint64_t seed, ClearRule rule, std::uint64_t chunk)
      : guest_(kPages, test::make_writer(workload, kAll, test::kTestPage, seed)),
        rule_(rule),
        chunk_(chunk),
        pending_(kPages, true),
        reported_(kPages, true),
        due_(kPages / chunk + 1, true) {}

  std::uint64_t pending() const { return count_; }
  void rewind() { at_ = 0; }

  /// The next pending page from where the scan stands, circular; it is sent from `now` on.
  void send_next(Nanos now) {
    while (!pending_[at_]) at_ = (at_ + 1) % kPages;
    if (rule_ == ClearRule::kPerChunk) clear_chunk_of(at_, now);
    pending_[at_] = false;
    --count_;
    at_ = (at_ + 1) % kPages;
  }

  /// Reads the log. Returns what was not pending.
  std::uint64_t read(Nanos now) {
    guest_.run_until(now);
    std::uint64_t fresh = 0;
    for (PageIndex page = 0; page < kPages; ++page) {
      if (!guest_.marked(page)) continue;
      reported_[page] = due_[page / chunk_] = true;
      fresh += !pending_[page];
      pending_[page] = true;
      if (rule_ == ClearRule::kAtRead) guest_.forget(page);
    }
    count_ += fresh;
    return fresh;
  }

 private:
  void clear_chunk_of(PageIndex page, Nanos now) {
    if (!due_[page / chunk_]) return;
    due_[page / chunk_] = false;
    guest_.run_until(now);
    const PageIndex first = page / chunk_ * chunk_;
    for (PageIndex each = first; each < std::min(first + chunk_, kPages); ++each) {
      if (reported_[each]) guest_.forget(each);
      reported_[each] = false;
    }
  }

  test::ReferenceGuest guest_;
  ClearRule rule_;
  std::uint64_t chunk_;
  std::vector<bool> pending_, reported_;
  std::vector<bool> due_;  // chunks with reported pages
  std::uint64_t count_ = kPages;
  PageIndex at_ = 0;
};

workloads::Options writer(Kind kind, std::uint64_t rate, std::uint64_t mib, std::uint64_t at_mib) {
  return {.kind = kind,
          .write_rate = rate,
          .memory = Bytes{mib * kMiB},
          .at = Bytes{at_mib * kMiB},
          .hot_memory = Bytes{mib * kMiB / 8},
          .hot_share = kWhole / 10 * 9};
}

std::vector<Round> live_rounds(const sim::MigrationResult& result) {
  std::vector<Round> rounds;
  for (const sim::Iteration& each : result.iterations)
    if (!each.round.stopped) rounds.push_back({each.round.sent.value, each.round.new_dirty.value});
  return rounds;
}

// ---- rounds that send all that is pending: exact

constexpr Nanos kPageTime = 32'768ns;  // 4,096 bytes at 1 Gbit/s
constexpr std::uint32_t kRounds = 5;

std::vector<Round> reference_rounds(const workloads::Options& workload, std::uint64_t seed, ClearRule rule,
                                    std::uint64_t chunk) {
  ReferenceSender sender(workload, seed, rule, chunk);
  std::vector<Round> rounds;
  Nanos now{0};
  for (std::uint32_t i = 0; i < kRounds && sender.pending() > 0; ++i) {
    Round round{.sent = sender.pending()};
    sender.rewind();
    for (; sender.pending() > 0; now += kPageTime) sender.send_next(now);
    round.new_dirty = sender.read(now);
    rounds.push_back(round);
  }
  return rounds;
}

std::vector<Round> simulated_rounds(const workloads::Options& workload, std::uint64_t seed, ClearRule rule,
                                    std::uint64_t chunk) {
  sim::RunOptions run = test::plain_run();
  run.seed = seed;
  run.guests[0].workload = workload;
  core::Plan& plan = run.migrations[0].strategy.plan;
  plan.stop = {.budget = false, .rounds_max = kRounds};
  plan.clear = rule;
  plan.clear_chunk = {chunk};
  const sim::MigrationResult result = test::migrate(run);
  EXPECT_TRUE(result.verified);
  return live_rounds(result);
}

class ReferenceRounds : public testing::TestWithParam<std::tuple<ClearRule, std::uint64_t>> {};

TEST_P(ReferenceRounds, OfASweepArePageForPageTheSame) {
  const auto [rule, chunk] = GetParam();
  for (const std::uint64_t rate : {700u, 9'999u, 25'000u, 61'000u}) {
    for (const auto& [mib, at] : {std::pair{64u, 0u}, {32u, 32u}, {5u, 13u}}) {
      const workloads::Options sweep = writer(Kind::kSequential, rate, mib, at);
      const std::vector<Round> right = reference_rounds(sweep, 1, rule, chunk);
      const std::vector<Round> real = simulated_rounds(sweep, 1, rule, chunk);
      ASSERT_EQ(real.size(), right.size()) << rate;
      for (std::size_t i = 0; i < right.size(); ++i)
        EXPECT_EQ(real[i], right[i]) << rate << " over " << mib << " MiB, round " << i + 1 << ": " << real[i].new_dirty
                                     << ", not " << right[i].new_dirty;
    }
  }
}

TEST_P(ReferenceRounds, OfRandomWritesHaveTheSameLaw) {
  const auto [rule, chunk] = GetParam();
  const workloads::Options kinds[] = {writer(Kind::kUniform, 12'000, 48, 8), writer(Kind::kHotSet, 20'000, 32, 20)};
  for (const workloads::Options& workload : kinds) {
    std::vector<test::Histogram> real(kRounds), right(kRounds);
    for (std::uint64_t seed = 1; seed <= 60; ++seed) {
      const std::vector<Round> a = simulated_rounds(workload, seed, rule, chunk);
      const std::vector<Round> b = reference_rounds(workload, seed, rule, chunk);
      ASSERT_EQ(a.size(), b.size());
      // In tens, so that values meet.
      for (std::size_t i = 0; i < a.size(); ++i) ++real[i][a[i].new_dirty / 10], ++right[i][b[i].new_dirty / 10];
    }
    for (std::size_t i = 0; i < kRounds; ++i) EXPECT_GT(test::same_law(real[i], right[i]), test::kFalseAlarm) << i;
  }
}

INSTANTIATE_TEST_SUITE_P(Clear, ReferenceRounds,
                         testing::Values(std::tuple{ClearRule::kAtRead, 262144u}, std::tuple{ClearRule::kPerChunk, 64u},
                                         std::tuple{ClearRule::kPerChunk, 1024u},
                                         std::tuple{ClearRule::kPerChunk, 8192u},
                                         std::tuple{ClearRule::kPerChunk, 262144u}),
                         [](const auto& each) {
                           return std::get<0>(each.param) == ClearRule::kAtRead
                                      ? std::string("at_read")
                                      : "chunk_" + std::to_string(std::get<1>(each.param));
                         });

// ---- QEMU's loop: passes, slices, windows

struct QemuRun {
  std::vector<Round> passes;
  std::uint64_t sent = 0;
  bool completed = false;
};

constexpr Nanos kDowntime = 30ms, kLongest = 20s;

/// migration_thread and ram_save_iterate in short, over a link of 125,000,000 bytes a second without a limit: the clock is
/// looked at every 64 pages of a slice, which ends after more than 50 ms; a pass ends when less is known to be left than
/// the last window of at least 100 ms would carry in the downtime limit.
QemuRun reference_qemu(const workloads::Options& workload, std::uint64_t seed, ClearRule rule, std::uint64_t chunk) {
  ReferenceSender sender(workload, seed, rule, chunk);
  QemuRun run;
  Nanos now{0}, window{0};
  std::uint64_t bytes = 0, threshold = 0, in_pass = 0;
  const auto carry = [&](std::uint64_t more) {
    bytes += more;
    now += Nanos{static_cast<std::int64_t>(more * 8)};
  };
  while (now < kLongest) {
    if (sender.pending() * 4096 < threshold) {
      run.passes.push_back({in_pass, sender.read(now)});
      in_pass = 0;
      if (sender.pending() * 4096 <= threshold) {
        run.completed = true;
        run.sent += sender.pending();
        return run;
      }
    }
    const Nanos began = now;
    carry(18);
    for (std::uint64_t i = 0; sender.pending() > 0 && (i % 64 != 0 || now - began < 51ms); ++i, ++in_pass, ++run.sent) {
      sender.send_next(now);
      carry(4104);
    }
    if (now - window < 100ms) continue;
    const auto took = static_cast<std::uint64_t>((now - window).count());
    threshold = mul_div(mul_div(bytes, kNanosPerSecond, took), kDowntime.count(), kNanosPerSecond);
    window = now;
    bytes = 0;
  }
  return run;
}

sim::MigrationResult simulated_qemu(const workloads::Options& workload, std::uint64_t seed, ClearRule rule,
                                    std::uint64_t chunk) {
  sim::RunOptions run = test::plain_run();
  run.seed = seed;
  run.horizon = kLongest;
  run.guests[0].workload = workload;
  run.migrations[0].strategy = scenarios::find_strategy("qemu-10")->options;
  core::Plan& plan = run.migrations[0].strategy.plan;
  plan.rate = core::RateLaw::kUnlimited;
  plan.rate_max = {0};
  plan.stop.downtime_max = kDowntime;
  plan.clear = rule;
  plan.clear_chunk = {chunk};
  return test::migrate(run);
}

// Godwit counts 64 pages from the begin of a record, of which a slice may have several: its slices may be that much longer.
TEST_P(ReferenceRounds, OfQemusLoopUnderASweepAreTheSameButForALump) {
  const auto [rule, chunk] = GetParam();
  for (const workloads::Options& sweep :
       {writer(Kind::kSequential, 9'000, 64, 0), writer(Kind::kSequential, 22'000, 24, 30)}) {
    const sim::MigrationResult real = simulated_qemu(sweep, 1, rule, chunk);
    const QemuRun right = reference_qemu(sweep, 1, rule, chunk);
    EXPECT_EQ(real.status == sim::Status::kCompleted, right.completed);
    const std::vector<Round> passes = live_rounds(real);
    ASSERT_EQ(passes.size(), right.passes.size()) << sweep.write_rate;
    EXPECT_EQ(passes[0], right.passes[0]) << sweep.write_rate;
    for (std::size_t i = 0; i < passes.size(); ++i) {
      EXPECT_NEAR(static_cast<double>(passes[i].new_dirty), static_cast<double>(right.passes[i].new_dirty), 64) << i;
      EXPECT_NEAR(static_cast<double>(passes[i].sent), static_cast<double>(right.passes[i].sent), 64) << i;
    }
    EXPECT_NEAR(static_cast<double>(real.normal.value), static_cast<double>(right.sent), 64);
  }
}

// Two draws of one law: the pages of a pass vary by less than their root, the number of passes by one at its edge.
TEST_P(ReferenceRounds, OfQemusLoopUnderRandomWritesDifferByChanceAlone) {
  const auto [rule, chunk] = GetParam();
  for (const workloads::Options& workload :
       {writer(Kind::kUniform, 9'000, 64, 0), writer(Kind::kHotSet, 14'000, 40, 16)}) {
    const sim::MigrationResult real = simulated_qemu(workload, 3, rule, chunk);
    const QemuRun right = reference_qemu(workload, 3, rule, chunk);
    EXPECT_EQ(real.status == sim::Status::kCompleted, right.completed);
    const std::vector<Round> passes = live_rounds(real);
    ASSERT_TRUE(!passes.empty() && !right.passes.empty());
    EXPECT_EQ(passes[0].sent, right.passes[0].sent);
    const auto first = static_cast<double>(right.passes[0].new_dirty);
    EXPECT_NEAR(static_cast<double>(passes[0].new_dirty), first, 4 * std::sqrt(first)) << workload.write_rate;
    EXPECT_NEAR(static_cast<double>(real.normal.value), static_cast<double>(right.sent), 0.01 * kPages);
    EXPECT_LE(std::max(passes.size(), right.passes.size()), std::min(passes.size(), right.passes.size()) + 1);
  }
}

}  // namespace
}  // namespace godwit
