#include "sim/guest_memory.h"

#include <gtest/gtest.h>

#include "tests/support/drawn_guest.h"
#include "tests/support/pages.h"
#include "tests/support/recordings.h"
#include "tests/support/statistics.h"

// The guest's memory as a migration uses it, against the write-by-write reference: the same reads of the log, peeks, masked
// clears, pauses, changes of speed and reads of pages at the same instants. Where nothing is random both agree in every page;
// otherwise in law (tests/support/statistics.h; about 400 tests of one in a million).
namespace godwit::sim {
namespace {

using namespace std::chrono_literals;
using test::Bitmap;
using test::kFalseAlarm;
using test::pages;
using workloads::Kind;

constexpr std::uint64_t kPages = 2 * PageSet::kBlockPages + 713;
constexpr PageRange kAll{0, kPages};
constexpr PageRange kMiddle{4096, 4096};
constexpr PageRange kOdd{4000, 777};  // not on blocks, nor on words

enum class Do : std::uint8_t {
  kPeek,          // look at the log of all memory
  kRead,          // of the range; leaves the marks
  kClear,         // of what was last reported, in the range
  kReadAndClear,  // of the range
  kGather,        // read the range's pages for sending
  kPause,
  kResume,
  kSpeed,  // of the guest's clock, in quarters
};

struct Step {
  Nanos at;  // a multiple of 4 ns, so that the guest's time is whole at any speed
  Do what;
  PageRange range = kAll;
  std::int64_t quarters = 4;
};
using Script = std::vector<Step>;

/// What a script saw: the log at each peek and read, and at its end the log, the stale pages and the faults.
struct Report {
  std::vector<Bitmap> seen;
  Bitmap log, stale;
  std::uint64_t faults = 0;
};

Bitmap bitmap_of(const PageSet& set, PageRange range) {
  Bitmap found = test::no_pages(kPages);
  set.for_each_run(range, [&](const PageRun& run) { test::put(found, run); });
  return found;
}

/// Godwit's memory and clock.
class Drawn {
 public:
  Drawn(const workloads::Options& workload, std::uint64_t seed)
      : memory_({.memory = pages(kPages), .page_size = test::kTestPage, .workload = workload}, seed, 0) {
    memory_.start(clock_.at(0ns));
  }
  void settle(Nanos now, PageRange range) {
    memory_.advance(range, clock_.at(now));
    faults_ += memory_.take_faults();
  }
  Bitmap log(PageRange range) { return bitmap_of(memory_.log(), range); }
  Bitmap stale() { return bitmap_of(memory_.stale(), kAll); }
  void clear(const Bitmap& reported, PageRange range) {
    test::Pages mask(kPages);
    for (std::size_t w = 0; w < reported.size(); ++w) mask.set.add_word(w, reported[w]);
    memory_.log().remove(mask.set, range);
  }
  void gather(PageRange range) {
    const PageRun run = PageRun::solid(range.first, range.count);
    memory_.gathered({&run, 1});
    memory_.handed_over();
  }
  void set_quarters(Nanos now, std::int64_t quarters) {
    clock_.set_speed(now, kWhole / 4 * static_cast<Share>(quarters));
  }
  std::uint64_t faults() const { return faults_; }

 private:
  GuestMemory memory_;
  models::GuestClock clock_;
  std::uint64_t faults_ = 0;
};

/// The reference, and a clock in quarters of a nanosecond.
class Reference {
 public:
  Reference(const workloads::Options& workload, std::uint64_t seed, const test::Recordings& recordings)
      : guest_(kPages, test::make_writer(workload, kAll, test::kTestPage, seed, recordings)) {}
  void settle(Nanos now, PageRange /*all of it*/) {
    guest_.run_until(Nanos{(guest_quarters_ + (now - since_).count() * quarters_) / 4});
  }
  Bitmap log(PageRange range) { return guest_.log(range); }
  Bitmap stale() {
    Bitmap found = test::no_pages(kPages);
    for (PageIndex page = 0; page < kPages; ++page) {
      if (guest_.stale(page)) test::put(found, page);
    }
    return found;
  }
  void clear(const Bitmap& reported, PageRange range) {
    for (PageIndex page = range.first; page < range.end(); ++page) {
      if (test::has(reported, page)) guest_.forget(page);
    }
  }
  void gather(PageRange range) {
    for (PageIndex page = range.first; page < range.end(); ++page) guest_.gather(page);
  }
  void set_quarters(Nanos now, std::int64_t quarters) {
    guest_quarters_ += (now - since_).count() * quarters_;
    since_ = now;
    quarters_ = quarters;
  }
  std::uint64_t faults() const { return guest_.faults(); }

 private:
  test::ReferenceGuest guest_;
  std::int64_t guest_quarters_ = 0;
  Nanos since_{0};
  std::int64_t quarters_ = 4;
};

/// Plays a script. As in a migration, whoever reads or clears the log first settles the range that he asks for.
template <class Guest>
Report play(Guest& guest, const Script& script) {
  Report report;
  Bitmap reported = test::no_pages(kPages);
  for (const Step& step : script) {
    guest.settle(step.at, step.what == Do::kPeek || step.what >= Do::kPause ? kAll : step.range);
    switch (step.what) {
      case Do::kPeek: report.seen.push_back(guest.log(kAll)); break;
      case Do::kRead: report.seen.push_back(reported = guest.log(step.range)); break;
      case Do::kClear: guest.clear(reported, step.range); break;
      case Do::kReadAndClear:
        report.seen.push_back(guest.log(step.range));
        guest.clear(report.seen.back(), step.range);
        break;
      case Do::kGather: guest.gather(step.range); break;
      case Do::kPause: guest.set_quarters(step.at, 0); break;
      case Do::kResume: guest.set_quarters(step.at, 4); break;
      case Do::kSpeed: guest.set_quarters(step.at, step.quarters); break;
    }
  }
  guest.settle(script.back().at, kAll);
  report.log = guest.log(kAll);
  report.stale = guest.stale();
  report.faults = guest.faults();
  return report;
}

workloads::Options writer(Kind kind, std::uint64_t rate, PageRange range) {
  return {.kind = kind,
          .write_rate = rate,
          .memory = pages(range.count),
          .at = pages(range.first),
          .hot_memory = pages(range.count / 9),
          .hot_share = kWhole / 10 * 9,
          .exponent_millionths = 1'000'000};
}

workloads::Options phased(const workloads::Options& a, const workloads::Options& b) {
  return {.kind = Kind::kPhased, .phases = {{.lasts = 37ms, .workload = a}, {.lasts = 90ms, .workload = b}}};
}

workloads::Options mix(const workloads::Options& a, const workloads::Options& b) {
  return {.kind = Kind::kMix, .parts = {a, b}};
}

// ---------------------------------------------------------------- without chance: page for page

Script any_script(std::mt19937_64& random) {
  static constexpr PageRange kRanges[] = {kAll, kMiddle, kOdd, {0, 4096}, {8192, 713}, {8200, 1}};
  Script script;
  Nanos at{0};
  for (int i = 0; i < 40; ++i) {
    if (random() % 4 != 0) at += Nanos{static_cast<std::int64_t>(4 * (random() % 20'000'000))};
    script.push_back(
        {at, static_cast<Do>(random() % 8), kRanges[random() % 6], static_cast<std::int64_t>(random() % 5)});
  }
  return script;
}

TEST(GuestMemory, WithoutChanceIsTheReferencePageForPage) {
  const test::MadeUpTraces traces;
  std::vector<workloads::Options> all = {
      {}, writer(Kind::kSequential, 5000, {4000, 300}), writer(Kind::kSequential, 700, kAll)};
  for (const auto& [name, recording] : traces.all()) {
    all.push_back(traces.replay(name));
    all.push_back(traces.replay(name));
    all.back().offset = 5ms;
    all.back().speed_millionths = 300'000;
    all.back().repeat = false;
  }
  all.push_back(phased(all[1], all[5]));
  all.push_back(mix(all[2], all[3]));
  all.push_back(mix(phased(all[4], all[2]), phased(all[1], all[7])));

  std::mt19937_64 random(5);
  for (std::size_t w = 0; w < all.size(); ++w) {
    for (int trial = 0; trial < 30 && !HasFailure(); ++trial) {
      SCOPED_TRACE(std::to_string(w) + ", " + std::to_string(trial));
      const Script script = any_script(random);
      Drawn drawn(all[w], 1);
      Reference reference(all[w], 1, traces.all());
      const Report real = play(drawn, script), right = play(reference, script);
      EXPECT_EQ(real.seen, right.seen);
      EXPECT_EQ(real.log, right.log);
      EXPECT_EQ(real.stale, right.stale);
      EXPECT_EQ(real.faults, right.faults);
    }
  }
}

// ---------------------------------------------------------------- with chance: in law

/// A migration in small: all memory is read for sending; the log is read whole, and in parts later; peeked at; what was
/// reported is cleared after a while, chunk by chunk, and then read for sending; the guest slows down, stands in the
/// middle of an interval, and goes on.
const Script kMigration = {
    {40ms, Do::kGather},
    {52ms, Do::kPeek},
    {60ms, Do::kRead},
    {71ms, Do::kClear, kMiddle},
    {75ms, Do::kGather, kMiddle},
    {80ms, Do::kSpeed, kAll, 1},
    {95ms, Do::kClear, {0, 4096}},
    {95ms, Do::kClear, {8192, 713}},
    {120ms, Do::kGather, {0, 4096}},
    {125ms, Do::kReadAndClear, kOdd},
    {130ms, Do::kSpeed, kAll, 3},
    {139ms, Do::kGather, kOdd},
    {150ms, Do::kPause},
    {210ms, Do::kPeek},
    {220ms, Do::kResume},
    {221ms, Do::kReadAndClear, kMiddle},
    {300ms, Do::kReadAndClear},
    {320ms, Do::kGather, {2000, 6000}},
    {340ms, Do::kRead, {3000, 3000}},
};

class InLaw : public testing::TestWithParam<std::pair<const char*, workloads::Options>> {};

TEST_P(InLaw, IsTheReference) {
  constexpr int kRuns = 2000;
  const auto& [name, options] = GetParam();
  std::vector<test::Seen> real, right;
  test::Histogram real_faults, right_faults;
  const auto take = [&](std::vector<test::Seen>& into, const Report& report) {
    std::vector<Bitmap> all = report.seen;
    all.push_back(report.log);
    all.push_back(report.stale);
    into.resize(all.size(), test::Seen(kPages));
    // Beside the one before, and the stale pages beside the log: how the two go together is tested too.
    for (std::size_t i = 0; i < all.size(); ++i) into[i].add(all[i], i > 0 ? all[i - 1] : test::no_pages(kPages));
  };
  for (std::uint64_t seed = 0; seed < kRuns; ++seed) {
    Drawn drawn(options, seed);
    Reference reference(options, seed, {});
    const Report a = play(drawn, kMigration), b = play(reference, kMigration);
    take(real, a);
    take(right, b);
    ++real_faults[a.faults];
    ++right_faults[b.faults];
  }
  ASSERT_EQ(real.size(), right.size());
  for (std::size_t i = 0; i < real.size(); ++i) {
    test::Seen::compare(real[i], right[i], [&](const std::string& what, double chance) {
      EXPECT_GT(chance, kFalseAlarm) << name << ", " << i << ": " << what;
    });
  }
  EXPECT_GT(test::same_law(real_faults, right_faults), kFalseAlarm) << name;
}

INSTANTIATE_TEST_SUITE_P(GuestMemory, InLaw,
                         testing::Values(std::pair{"uniform_sparse", writer(Kind::kUniform, 1500, {100, 8000})},
                                         std::pair{"uniform_dense", writer(Kind::kUniform, 4000, {3900, 400})},
                                         std::pair{"hot_set", writer(Kind::kHotSet, 3000, {3500, 900})},
                                         std::pair{"zipf", writer(Kind::kZipf, 4000, {3000, 4000})},
                                         std::pair{"phased", phased(writer(Kind::kUniform, 3000, {4000, 200}),
                                                                    writer(Kind::kZipf, 3000, {4100, 500}))},
                                         std::pair{"mix", mix(writer(Kind::kUniform, 900, {4000, 600}),
                                                              writer(Kind::kSequential, 900, {4300, 600}))}),
                         [](const auto& each) { return each.param.first; });

// ---------------------------------------------------------------- no write is lost

const std::vector<workloads::Options>& every_kind() {
  static const std::vector<workloads::Options> all = {
      writer(Kind::kUniform, 4000, {3900, 600}),
      writer(Kind::kUniform, 100, kAll),
      writer(Kind::kHotSet, 3000, {3500, 900}),
      writer(Kind::kZipf, 4000, {3000, 4000}),
      writer(Kind::kSequential, 4000, {4000, 500}),
      phased(writer(Kind::kUniform, 3000, {4000, 200}), writer(Kind::kSequential, 3000, {4100, 500}))};
  return all;
}

// The twin is looked at in the same places at the same instants, so that the same writes are drawn, but forgets nothing:
// its log is all that was ever written. In Godwit's each such page must have been reported before it was cleared, or
// still be marked.
TEST(GuestMemory, EveryWriteIsReportedOrStillMarked) {
  std::mt19937_64 random(9);
  std::uint64_t written = 0;
  for (const workloads::Options& options : every_kind()) {
    for (std::uint64_t trial = 0; trial < 40; ++trial) {
      const Script script = any_script(random);
      Script twins = script;
      for (Step& step : twins) {
        if (step.what == Do::kClear || step.what == Do::kReadAndClear) step.what = Do::kRead;
      }
      Drawn drawn(options, trial), twin(options, trial);
      const Report report = play(drawn, script);
      Bitmap found = report.log;
      for (const Bitmap& seen : report.seen) test::put(found, seen);
      EXPECT_EQ(found, play(twin, twins).log);
      written += test::count(found);
    }
  }
  EXPECT_GT(written, 100'000u);
}

// Rounds as a migration makes them: read, clear what was reported, and only then read those pages for sending. Whatever
// is stale at any instant is then marked, so that it goes again; the reverse is not true (a write between clear and read).
TEST(GuestMemory, WhatIsStaleIsMarkedWhenPagesAreReadAfterTheirClear) {
  std::uint64_t stale = 0;
  for (const workloads::Options& options : every_kind()) {
    for (std::uint64_t seed = 0; seed < 20; ++seed) {
      Drawn drawn(options, seed);
      const auto gather_at = [&](Nanos now, const Bitmap& reported) {
        drawn.settle(now, kAll);
        for (PageIndex page = 0; page < kPages; ++page) {
          if (test::has(reported, page)) drawn.gather({page, 1});
        }
      };
      drawn.settle(10ms, kAll);
      drawn.gather(kAll);
      drawn.clear(drawn.log(kAll), kAll);
      for (Nanos now = 20ms; now < 200ms; now += 20ms) {
        drawn.settle(now, kAll);
        const Bitmap reported = drawn.log(kAll);
        drawn.settle(now + 3ms, kMiddle);
        drawn.clear(reported, kMiddle);
        drawn.settle(now + 6ms, kAll);
        drawn.clear(reported, {0, 4096});
        drawn.clear(reported, {8192, 713});
        gather_at(now + 9ms, reported);
        drawn.settle(now + 12ms, kAll);
        Bitmap log = drawn.log(kAll);
        stale += test::count(drawn.stale());
        test::put(log, drawn.stale());
        EXPECT_EQ(log, drawn.log(kAll));
      }
    }
  }
  EXPECT_GT(stale, 1000u);
}

// Pages are read for sending without drawing what was written before: such a write is drawn later, and raises `stale` for
// a page that is up to date, never the other way round.
TEST(GuestMemory, AReadThatIsNotSettledRaisesStaleTooMuchNeverTooLittle) {
  const workloads::Options options = writer(Kind::kSequential, 4000, {4000, 500});
  Drawn drawn(options, 1);
  Reference reference(options, 1, {});
  for (Nanos now = 7ms; now < 300ms; now += 7ms) {
    drawn.gather({4000, 250});
    reference.settle(now, kAll);
    reference.gather({4000, 250});
    if (now % 21ms == 0ms) drawn.settle(now, kAll);
  }
  drawn.settle(301ms, kAll);
  reference.settle(301ms, kAll);
  const Bitmap real = drawn.stale(), right = reference.stale();
  for (PageIndex page = 0; page < kPages; ++page) EXPECT_LE(test::has(right, page), test::has(real, page)) << page;
}

// ---------------------------------------------------------------- tracking and zero pages

/// All memory is zero but the highest 713 pages; 1,000 writes a second go to pages 50, 51, ...
GuestOptions zero_guest() {
  GuestOptions guest{.memory = pages(kPages), .page_size = test::kTestPage};
  guest.pages = {{.kind = PageKind::kZero, .share = mul_div_up(kWhole, 8192, kPages)}};
  guest.workload = writer(Kind::kSequential, 1000, {50, 5000});
  return guest;
}

// From 5 s on pages 50 and 51 are written again.
TEST(GuestMemory, MarksNothingThatWasWrittenBeforeItStarts) {
  GuestMemory memory(zero_guest(), 1, 0);
  memory.advance(kAll, 3s);
  EXPECT_EQ(memory.log().count(), Pages{0});
  memory.start(5s);
  memory.advance(kAll, 5s + 2ms);
  EXPECT_EQ(test::pages_of(memory.log(), kAll), (std::vector<PageIndex>{50, 51}));
  EXPECT_EQ(memory.stale().count(), Pages{kPages});
}

TEST(GuestMemory, AZeroPageOnceWrittenIsNoneAnyMore) {
  GuestMemory memory(zero_guest(), 1, 0);
  EXPECT_EQ(memory.zero().count(), Pages{8192});
  memory.start(10ms);  // ten were written before
  EXPECT_EQ(memory.zero().count(), Pages{8182});
  EXPECT_FALSE(memory.zero().contains(59));
  EXPECT_TRUE(memory.zero().contains(60));
  memory.test_zero(PageRun::solid(60, 1), 11ms);  // looks for itself
  EXPECT_FALSE(memory.zero().contains(60));
  memory.advance(kAll, 30ms);
  EXPECT_EQ(memory.zero().count(), Pages{8162});
  memory.advance({0, 4096}, 40ms);  // blocks that stand at different instants
  memory.start(130ms);              // and another hundred between two migrations
  EXPECT_EQ(memory.zero().count(), Pages{8062});
  EXPECT_EQ(memory.log().count(), Pages{0});
  EXPECT_EQ(memory.take_faults(), 30u);  // of the first migration alone
}

// Two guests of one seed, and one guest of two seeds, do not write alike.
TEST(GuestMemory, GuestsAndSeedsHaveTheirOwnChances) {
  const auto log = [](std::uint64_t seed, std::uint64_t consumer) {
    GuestMemory memory({.memory = pages(kPages), .workload = writer(Kind::kUniform, 8000, kAll)}, seed, consumer);
    memory.start(0ns);
    memory.advance(kAll, 1s);
    return bitmap_of(memory.log(), kAll);
  };
  EXPECT_EQ(log(1, 0), log(1, 0));
  EXPECT_NE(log(1, 0), log(1, 1));
  EXPECT_NE(log(1, 0), log(2, 0));
}

}  // namespace
}  // namespace godwit::sim
