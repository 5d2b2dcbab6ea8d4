#include "studies/crew.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <deque>
#include <memory>
#include <mutex>
#include <numeric>
#include <stdexcept>
#include <string>
#include <thread>
#include <variant>
#include <vector>

#include "studies/sweep.h"
#include "tests/support/command.h"

namespace godwit::studies {
namespace {

using testing::HasSubstr;

/// Ranks that are threads of this process.
class Job {
 public:
  explicit Job(std::uint32_t size) : inboxes_(size) {}

  class Rank : public Ranks {
   public:
    Rank(Job& job, std::uint32_t rank) : job_(job), rank_(rank) {}
    std::uint32_t rank() const override { return rank_; }
    std::uint32_t size() const override { return static_cast<std::uint32_t>(job_.inboxes_.size()); }
    void send(std::uint32_t to, std::string_view text) override {
      const std::lock_guard lock(job_.mutex_);
      job_.inboxes_[to].push_back({rank_, std::string(text)});
    }
    std::optional<Message> receive() override {
      const std::lock_guard lock(job_.mutex_);
      std::deque<Message>& inbox = job_.inboxes_[rank_];
      if (inbox.empty()) return std::nullopt;
      Message first = std::move(inbox.front());
      inbox.pop_front();
      return first;
    }
    void abandon(int) override { ADD_FAILURE() << "nobody asked for it"; }

   private:
    Job& job_;
    std::uint32_t rank_;
  };

 private:
  std::mutex mutex_;
  std::vector<std::deque<Ranks::Message>> inboxes_;
};

Sweep sweep_of(const test::Folder& folder, int seeds) {
  auto loaded = load_sweep(folder.file("sweep.json", R"({"base": {
    "hosts": [{"name": "a", "profile": "ideal"}, {"name": "b", "profile": "ideal"}], "links": [{"between": ["a", "b"]}],
    "guests": [{"name": "g", "memory": "16 MiB", "workload": {"kind": "uniform", "write_rate": "100 pages/s"}}],
    "migrations": [{"to": "b", "strategy": "pre-copy"}]},
    "vary": {"/guests/0/memory": ["16 MiB", "32 MiB"]}, "seeds": )" +
                                                         std::to_string(seeds) + "}"));
  return std::get<Sweep>(std::move(loaded));
}

bool go_on(std::size_t, std::size_t) { return true; }
bool going_on() { return true; }

/// A sweep with its store, which rank 0 has, and what the other ranks do.
struct Spread {
  test::Folder folder;
  Sweep sweep = sweep_of(folder, 150);  // 300 points
  SweepStore store = SweepStore::create(folder.path("s.sqlite"), header_of(sweep, "sweep.json", {}));
  Job job{3};
  Job::Rank zero{job, 0}, one{job, 1}, two{job, 2};

  std::string content_by_threads() const {
    SweepStore other = SweepStore::create(folder.path("threads.sqlite"), header_of(sweep, "sweep.json", {}));
    studies::run_points(sweep, missing_points(other), 1, other, go_on);
    return other.content_hash();
  }
};

TEST(Crew, ComesToWhatThreadsComeTo) {
  Spread spread;
  {
    const std::jthread one([&] { serve(spread.one, spread.sweep, 1, going_on); });
    const std::jthread two([&] { serve(spread.two, spread.sweep, 2, going_on); });
    Crew crew(spread.zero);
    crew.run_points(spread.sweep, missing_points(spread.store), spread.store, go_on);
    EXPECT_FALSE(crew.lost());
  }
  EXPECT_EQ(spread.store.count(), 300u);
  EXPECT_EQ(spread.store.content_hash(), spread.content_by_threads());
}

TEST(Crew, WithNothingToRunAllAreToldThatItIsOver) {
  Spread spread;
  const std::jthread one([&] { serve(spread.one, spread.sweep, 1, going_on); });
  const std::jthread two([&] { serve_not(spread.two, "no such file"); });
  const Crew crew(spread.zero);  // as where rank 0 finds that the output is another sweep's
}

TEST(Crew, AnInterruptOfAllIsTheEndAndWhatIsDoneIsKept) {
  Spread spread;
  std::atomic<bool> interrupted{false};
  const auto uninterrupted = [&] { return !interrupted; };
  {
    const std::jthread one([&] { serve(spread.one, spread.sweep, 1, uninterrupted); });
    const std::jthread two([&] { serve(spread.two, spread.sweep, 1, uninterrupted); });
    Crew crew(spread.zero);
    crew.run_points(spread.sweep, missing_points(spread.store), spread.store, [&](std::size_t done, std::size_t) {
      if (done > 0) interrupted = true;
      return uninterrupted();
    });
  }
  EXPECT_GT(spread.store.count(), 0u);
  studies::run_points(spread.sweep, missing_points(spread.store), 1, spread.store, go_on);
  EXPECT_EQ(spread.store.content_hash(), spread.content_by_threads());
}

TEST(Crew, OneThatIsInterruptedLeavesTheRestToTheOthers) {
  Spread spread;
  std::atomic<int> asked{0};
  const std::jthread one([&] { serve(spread.one, spread.sweep, 1, going_on); });
  const std::jthread two([&] { serve(spread.two, spread.sweep, 1, [&] { return ++asked < 8; }); });
  Crew crew(spread.zero);
  crew.run_points(spread.sweep, missing_points(spread.store), spread.store, go_on);
  EXPECT_FALSE(crew.lost());
  const std::size_t missing = missing_points(spread.store).size();
  EXPECT_LE(missing, 18u) << "what was dealt to it at a time: the sixteenth part of 300 points";
}

TEST(Crew, OneThatIsSilentAfterAnInterruptIsGivenUp) {
  Spread spread;
  std::atomic<bool> interrupted{false};
  const std::jthread one([&] { serve(spread.one, spread.sweep, 1, [&] { return !interrupted; }); });
  Crew crew(spread.zero);  // nobody is rank 2
  crew.run_points(spread.sweep, missing_points(spread.store), spread.store, [&](std::size_t done, std::size_t) {
    if (done > 0) interrupted = true;
    return !interrupted;
  });
  EXPECT_TRUE(crew.lost());
  EXPECT_GT(spread.store.count(), 0u);
}

TEST(Crew, OneThatHasAnotherSweepEndsIt) {
  Spread spread;
  const test::Folder folder;
  const Sweep other = sweep_of(folder, 7);
  const std::jthread one([&] { serve(spread.one, spread.sweep, 1, going_on); });
  const std::jthread two([&] { serve(spread.two, other, 1, going_on); });
  Crew crew(spread.zero);
  try {
    crew.run_points(spread.sweep, missing_points(spread.store), spread.store, go_on);
    FAIL() << "rank 2 has taken part";
  } catch (const std::runtime_error& error) {
    EXPECT_THAT(error.what(), HasSubstr("rank 2"));
    EXPECT_THAT(error.what(), HasSubstr("another than that of rank 0"));
  }
}

TEST(Crew, AStoreThatFailsEndsItAndKeepsWhatItHas) {
  Spread spread;
  const std::jthread one([&] { serve(spread.one, spread.sweep, 1, going_on); });
  const std::jthread two([&] { serve(spread.two, spread.sweep, 1, going_on); });
  std::vector<std::uint64_t> points(100);
  std::iota(points.begin(), points.end(), 0);
  points.push_back(0);  // whose row cannot be there twice
  Crew crew(spread.zero);
  EXPECT_THROW(crew.run_points(spread.sweep, points, spread.store, go_on), StoreError);
  EXPECT_GT(spread.store.count(), 0u);
}

}  // namespace
}  // namespace godwit::studies
