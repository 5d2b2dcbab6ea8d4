#include <gtest/gtest.h>

#include "tests/support/drawn_guest.h"
#include "tests/support/recordings.h"

// Workloads without chance write page for page what the reference writes, in every interval: random workloads, random
// looks at parts of memory at different instants.
namespace godwit::workloads {
namespace {

using test::Look;
using test::pages;

constexpr std::uint64_t kPages = 2 * PageSet::kBlockPages + 713;
constexpr PageRange kAll{0, kPages};

/// Makes up workloads without chance and looks at them.
class Inventor {
 public:
  Inventor(std::uint64_t seed, const test::MadeUpTraces& traces) : random_(seed), traces_(traces) {}

  std::uint64_t below(std::uint64_t n) { return random_() % n; }

  /// A power of ten times 1 to 9.
  std::uint64_t any_size(unsigned digits) {
    std::uint64_t value = 1 + below(9);
    for (std::uint64_t i = below(digits); i > 0; --i) value *= 10;
    return value;
  }

  Options sequential() {
    Options options{.kind = Kind::kSequential, .write_rate = below(8) == 0 ? 0 : any_size(6) + below(1000)};
    place(options, 1);
    return options;
  }

  Options recorded() {
    static const char* const kNames[] = {"one_interval", "odd_interval", "long", "mostly_idle"};
    Options options = traces_.replay(kNames[below(4)]);
    if (below(2) == 0) options.offset = Nanos{static_cast<std::int64_t>(below(600'000'000))};
    if (below(2) == 0) options.speed_millionths = 1000 + below(5'000'000);
    options.repeat = below(2) == 0;
    place(options, 20);
    return options;
  }

  Options any(int depth = 2) {
    const std::uint64_t choice = below(depth > 0 ? 6 : 3);
    if (choice == 0) return {};
    if (choice == 1 || choice == 4) return sequential();
    if (choice == 2) return recorded();
    Options options{.kind = choice == 3 ? Kind::kMix : Kind::kPhased};
    for (std::uint64_t n = 1 + below(3); n > 0; --n) {
      if (options.kind == Kind::kMix) options.parts.push_back(any(depth - 1));
      if (options.kind == Kind::kPhased)
        options.phases.push_back({Nanos{static_cast<std::int64_t>(1000 * any_size(5))}, any(depth - 1)});
    }
    return options;
  }

  /// Looks at all memory, or at some blocks; at the same instant, a moment later, or much later.
  std::vector<Look> looks() {
    std::vector<Look> all;
    Nanos at{0};
    for (int i = 0; i < 25; ++i) {
      if (below(5) != 0) at += Nanos{static_cast<std::int64_t>(any_size(8))};
      const std::uint64_t first = below(3);
      const PageRange blocks{first * PageSet::kBlockPages, (1 + below(3 - first)) * PageSet::kBlockPages};
      all.push_back({below(2) == 0 ? kAll : intersect(blocks, kAll), at});
    }
    return all;
  }

 private:
  void place(Options& options, std::uint64_t least_pages) {
    const std::uint64_t first = below(2) == 0 ? below(kPages - least_pages) : below(80);
    const std::uint64_t room = kPages - first;
    if (below(4) != 0) options.at = pages(first);
    if (options.at && below(4) != 0)
      options.memory = pages(least_pages + below(std::min(room - least_pages + 1, any_size(5))));
  }

  std::mt19937_64 random_;
  const test::MadeUpTraces& traces_;
};

/// The writes of `options` at every look are those of the reference. Returns how many were seen.
std::uint64_t compare(const Options& options, const std::vector<Look>& looks, const test::Recordings& recordings) {
  test::DrawnGuest drawn(options, kAll, kPages, 1);
  test::ReferenceGuest reference(kPages, test::make_writer(options, kAll, test::kTestPage, 1, recordings));
  std::uint64_t seen = 0;
  for (const Look& look : looks) {
    const test::Bitmap expected = test::look_at(reference, look);
    EXPECT_EQ(drawn.look(look), expected) << "at " << look.at.count() << " ns";
    seen += test::count(expected);
  }
  return seen;
}

template <class Invent>
void compare_many(int trials, Invent invent) {
  const test::MadeUpTraces traces;
  std::uint64_t seen = 0;
  for (int trial = 0; trial < trials && !testing::Test::HasFailure(); ++trial) {
    SCOPED_TRACE(trial);
    Inventor inventor(static_cast<std::uint64_t>(trial), traces);
    const Options options = invent(inventor);
    seen += compare(options, inventor.looks(), traces.all());
  }
  EXPECT_GT(seen, static_cast<std::uint64_t>(trials));  // enough happened
}

TEST(Exact, Sequential) {
  compare_many(300, [](Inventor& inventor) { return inventor.sequential(); });
}

TEST(Exact, RecordedAtAnySpeedFromAnyOffset) {
  compare_many(300, [](Inventor& inventor) { return inventor.recorded(); });
}

TEST(Exact, PhasesAndMixesOfThem) {
  compare_many(600, [](Inventor& inventor) { return inventor.any(); });
}

// A trace of 3 intervals of 10 ms that writes page i in interval i. An interval's writes come at its end, not a
// nanosecond earlier.
TEST(Exact, ARecordedIntervalTakesEffectAtItsEnd) {
  auto trace = std::make_shared<Trace>();
  trace->page_count = 3;
  trace->interval = Nanos{10'000'000};
  for (std::uint32_t i = 0; i < 3; ++i) trace->append(std::vector<workloads::Run>{{i, 1}});
  Options options{.kind = Kind::kRecorded, .trace = trace};
  const auto written = [&](std::int64_t from, std::int64_t to) {
    test::Bitmap found(1, 0);
    Workload(options, {0, 64}, test::kTestPage, 1, 1).writes({0, 64}, Nanos{from}, Nanos{to}, [&](const PageRun& run) {
      test::put(found, run);
    });
    return found.front();
  };
  EXPECT_EQ(written(0, 9'999'999), 0b000u);
  EXPECT_EQ(written(0, 10'000'000), 0b001u);
  EXPECT_EQ(written(10'000'000, 29'999'999), 0b010u);
  EXPECT_EQ(written(29'999'999, 30'000'000), 0b100u);
  EXPECT_EQ(written(30'000'000, 40'000'000), 0b001u);
  options.repeat = false;
  EXPECT_EQ(written(30'000'000, 400'000'000), 0b000u);
  options.offset = Nanos{19'000'000};  // in the middle of interval 1, which is over 1 ms later
  EXPECT_EQ(written(0, 999'999), 0b000u);
  EXPECT_EQ(written(0, 1'000'000), 0b010u);
  options.speed_millionths = 3'000'000;  // 1 ms of the recording passes in a third: 333,333.3 ns
  EXPECT_EQ(written(0, 333'333), 0b000u);
  EXPECT_EQ(written(0, 333'334), 0b010u);
}

}  // namespace
}  // namespace godwit::workloads
