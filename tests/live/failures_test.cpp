// Whatever happens to the destination or to the way there (GODWIT_LONG=1: at 50 moments each): before the fence the source goes on with all its data and
// says why; at most one of the two runs; around COMMIT, whoever cannot know says so.
#include <optional>
#include <random>

#include "tests/live/migration.h"
#include "tests/live/proxy.h"

namespace godwit::test {
namespace {

constexpr std::uint64_t kPages = 2048;
constexpr PageIndex kWritten = 1024;  // the writers stay below

/// A guest of 8 MiB, of which threads write the lower half all the time. The upper half must stay as it is.
class Failures : public testing::Test {
 protected:
  Failures() : region_(kPages), writers_(region_, freezer_, 2, 10'000, kWritten, 100, 7) {
    for (PageIndex page = kWritten; page < kPages; ++page) region_.write(page, static_cast<std::uint8_t>(page * 7 | 1));
    const live::Span upper{region_.span().begin + kWritten * kPageBytes, kPages - kWritten};
    live::page_hashes(upper, still_);
    std::string why;
    tracking_ = live::best_tracking(why);
    plan_.stop = {.budget = false, .rounds_max = 4};
    plan_.rate = core::RateLaw::kFixed;
    plan_.rate_max = {4'000'000'000};
    plan_.limit_stop_phase = true;
  }

  static int moments() { return long_run() ? 50 : 8; }
  std::uint64_t random(std::uint64_t below) { return engine_() % below; }

  /// The source's threads go on, and nothing was lost. Nobody runs at the destination.
  void expect_at_source(const Sent& sent, DestinationProcess& destination) {
    EXPECT_FALSE(sent.fenced);
    EXPECT_FALSE(destination.seen().runs);
    const std::uint64_t before = writers_.writes();
    const Nanos until = live::monotonic_now() + 60s;
    while (writers_.writes() < before + 10 && live::monotonic_now() < until)
      live::sleep_until(live::monotonic_now() + 1ms);
    EXPECT_GE(writers_.writes(), before + 10);
    std::vector<std::uint64_t> now(kPages - kWritten);
    live::page_hashes({region_.span().begin + kWritten * kPageBytes, kPages - kWritten}, now);
    EXPECT_TRUE(std::equal(now.begin(), now.end(), still_.begin()));
  }

  /// What must hold however it went.
  void expect_one_home(const Sent& sent, DestinationProcess& destination) {
    const bool there = destination.seen().runs;
    if (!sent.fenced) {
      EXPECT_NE(sent.outcome, core::Outcome::kCompleted);
      EXPECT_NE(sent.outcome, core::Outcome::kInDoubt);
      return expect_at_source(sent, destination);
    }
    if (sent.outcome == core::Outcome::kCompleted) {
      EXPECT_TRUE(there);
    } else {
      EXPECT_EQ(sent.outcome, core::Outcome::kInDoubt);
      if (!there && destination.seen().ended) {
        EXPECT_EQ(destination.seen().received.outcome, core::Destination::Outcome::kInDoubt);
      }
    }
    if (there) {
      EXPECT_EQ(pages_that_differ(region_, destination.seen().hashes), 0u);
    }
    freezer_.thaw();  // for the next time: the guest of this test is immortal
  }

  Sent through(Proxy& proxy, Nanos stall_max) {
    return send(region_, freezer_, tracking_, plan_, proxy.address(), token_, stall_max);
  }

  Region region_;
  live::Freezer freezer_;
  Writers writers_;
  std::array<std::uint64_t, kPages - kWritten> still_{};
  live::Tracking tracking_{};
  core::Plan plan_;
  live::Token token_ = live::Token::random();
  std::mt19937_64 engine_{20260101};
};

TEST_F(Failures, TheDestinationIsKilled) {
  int before_the_fence = 0;
  for (int i = 0; i < moments(); ++i) {
    DestinationProcess destination(token_, {});
    // The first time as the rounds begin, however slow this host is; then whenever it happens to be.
    const auto at_the_start = [&] { ::kill(destination.process(), SIGKILL); };
    const Nanos delay{static_cast<std::int64_t>(random(40'000'000))};
    std::thread killer([&, i] {
      live::sleep_until(live::monotonic_now() + delay);
      if (i > 0) ::kill(destination.process(), SIGKILL);
    });
    const Sent sent = send(region_, freezer_, tracking_, plan_, destination.address(), token_, 60s,
                           i == 0 ? std::function<void()>(at_the_start) : nullptr);
    killer.join();
    destination.join();
    expect_one_home(sent, destination);
    if (sent.outcome == core::Outcome::kLinkBroken) {
      ++before_the_fence;
      EXPECT_NE(live::explain(sent.outcome, sent.trouble, sent.refusal).find("link_broken"), std::string::npos);
    }
  }
  EXPECT_GT(before_the_fence, 0);
}

TEST_F(Failures, TheConnectionIsCut) {
  for (int i = 0; i < moments(); ++i) {
    DestinationProcess destination(token_, {});
    Proxy proxy(destination.address(), {.kind = Fault::Kind::kCut, .at = random(kPages * kPageBytes)});
    const Sent sent = through(proxy, 60s);
    destination.join();
    EXPECT_TRUE(proxy.happened());
    EXPECT_EQ(sent.outcome, core::Outcome::kLinkBroken);
    EXPECT_NE(sent.trouble, live::Trouble::kNone);
    expect_at_source(sent, destination);
  }
}

TEST_F(Failures, TheConnectionStandsStill) {
  for (int i = 0; i < moments(); ++i) {
    DestinationProcess destination(token_, {});
    std::optional<Proxy> proxy;
    proxy.emplace(destination.address(), Fault{.kind = Fault::Kind::kStall, .at = random(kPages * kPageBytes)});
    const Sent sent = through(*proxy, 300ms);
    proxy.reset();  // until now the destination heard nothing either
    destination.join();
    EXPECT_EQ(sent.outcome, core::Outcome::kLinkBroken);
    EXPECT_EQ(sent.trouble, live::Trouble::kStalled);
    expect_at_source(sent, destination);
  }
}

TEST_F(Failures, AByteIsCorrupted) {
  for (int i = 0; i < moments(); ++i) {
    DestinationProcess destination(token_, {.stall_max = 1s});
    Proxy proxy(destination.address(),
                {.kind = Fault::Kind::kFlip, .at = live::Request::kBytes + random(kPages * kPageBytes)});
    const Sent sent = through(proxy, 1s);
    destination.join();
    // Where a length was hit, the destination waits for bytes that never come, or reads past the rest of the stream.
    EXPECT_TRUE(sent.outcome == core::Outcome::kRefused || sent.outcome == core::Outcome::kLinkBroken);
    expect_at_source(sent, destination);
  }
}

// In each direction, at every stage from READY to RUNNING.
TEST_F(Failures, ACutAroundCommitIsInDoubtAndNeverRunsTwice) {
  int in_doubt = 0, completed = 0, failed = 0;
  for (int i = 0; i < moments(); ++i) {
    const bool to_source = i % 2 == 1;
    const auto kind = random(4) == 0 ? Fault::Kind::kStall : Fault::Kind::kCut;
    const Nanos stall_max = kind == Fault::Kind::kCut ? Nanos{60s} : Nanos{500ms};
    DestinationProcess destination(token_, {.stall_max = stall_max});
    // COMMIT is 44 bytes after READY; READY and RUNNING are 44 each, after one byte of welcome.
    Proxy proxy(destination.address(), {.kind = kind,
                                        .to_source = to_source,
                                        .at = to_source ? 1 + random(88) : random(44),
                                        .after_ready = !to_source});
    const Sent sent = through(proxy, stall_max);
    destination.join();
    if (kind == Fault::Kind::kCut) {
      EXPECT_TRUE(proxy.happened());
    }
    expect_one_home(sent, destination);
    in_doubt += sent.outcome == core::Outcome::kInDoubt;
    completed += sent.outcome == core::Outcome::kCompleted;
    failed += sent.outcome == core::Outcome::kLinkBroken;
  }
  EXPECT_GT(in_doubt, 0);
  EXPECT_GT(failed, 0);  // READY did not arrive: nobody has been fenced
  EXPECT_EQ(completed, 0);
}

TEST_F(Failures, TheDestinationHasNoRoom) {
  std::vector<DestinationProcess::Options> reasons{{.memory_max = {kPages * kPageBytes - 1}}};
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)  // which need address space themselves
  reasons.push_back({.may_map = {kPages * kPageBytes - 1}});
#endif
  for (const DestinationProcess::Options& options : reasons) {
    DestinationProcess destination(token_, options);
    const Sent sent = send(region_, freezer_, tracking_, plan_, destination.address(), token_);
    destination.join();
    EXPECT_EQ(sent.outcome, core::Outcome::kRefused);
    EXPECT_NE(live::explain(sent.outcome, sent.trouble, sent.refusal).find("memory_refused"), std::string::npos);
    expect_at_source(sent, destination);
  }
}

TEST_F(Failures, AfterAFailureTheNextMigrationSucceeds) {
  {
    DestinationProcess destination(token_, {});
    Proxy proxy(destination.address(), {.kind = Fault::Kind::kCut, .at = kPages * kPageBytes / 2});
    EXPECT_EQ(through(proxy, 60s).outcome, core::Outcome::kLinkBroken);
  }
  DestinationProcess destination(token_, {});
  const Sent sent = send(region_, freezer_, tracking_, plan_, destination.address(), token_);
  destination.join();
  EXPECT_EQ(sent.outcome, core::Outcome::kCompleted);
  expect_one_home(sent, destination);
}

}  // namespace
}  // namespace godwit::test
