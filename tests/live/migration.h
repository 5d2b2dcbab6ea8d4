#pragma once

#include <gtest/gtest.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstring>
#include <filesystem>
#include <fstream>
#include <functional>
#include <string>

#include "live/admission.h"
#include "live/page_hash.h"
#include "live/receiver.h"
#include "live/sender.h"
#include "tests/live/region.h"

namespace godwit::test {

using namespace std::chrono_literals;

/// Memory that this process shares with the children that it has from then on.
template <class T>
class Shared {
 public:
  Shared() : at_(new (::mmap(nullptr, sizeof(T), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0)) T) {}
  ~Shared() { ::munmap(static_cast<void*>(at_), sizeof(T)); }
  Shared(const Shared&) = delete;
  Shared& operator=(const Shared&) = delete;
  T* operator->() { return at_; }
  T& operator*() { return *at_; }

 private:
  T* at_;
};

inline live::Address somewhere() {
  static int number = 0;
  const std::string name = "godwit-test-" + std::to_string(::getpid()) + "-" + std::to_string(number++);
  return {"", std::filesystem::temp_directory_path() / name};
}

/// A destination in a process of its own, which listens, lets one sender in, and receives.
class DestinationProcess {
 public:
  struct Options {
    Bytes memory_max{1ull << 31};
    Bytes may_map{0};  ///< Address space left to it; 0: no bound.
    Nanos stall_max = 60s;
  };
  struct Seen {
    std::atomic<bool> runs = false;  ///< The guest runs there.
    std::atomic<bool> ended = false;
    live::Received received;
    std::array<std::uint64_t, 65536> hashes{};
  };

  DestinationProcess(const live::Token& token, const Options& options) : address_(somewhere()) {
    std::string error;
    const live::UniqueFd listener = live::listen_at(address_, error);
    EXPECT_TRUE(listener.valid()) << error;
    child_ = ::fork();
    if (child_ == 0) {
      ::prctl(PR_SET_PDEATHSIG, SIGKILL);
      work(listener.get(), token, options);
      ::_exit(0);
    }
  }
  ~DestinationProcess() {
    kill();
    ::unlink(address_.port.c_str());
  }

  const live::Address& address() const { return address_; }
  Seen& seen() { return *seen_; }
  /// Waits for its end.
  void join() {
    if (child_ > 0) ::waitpid(child_, nullptr, 0);
    child_ = -1;
  }
  void kill() {
    if (child_ > 0) ::kill(child_, SIGKILL);
    join();
  }
  pid_t process() const { return child_; }

 private:
  class Room final : public live::Lodging {
   public:
    explicit Room(Seen& seen) : seen_(seen) {}
    std::byte* reserve(Pages size) override {
      if (size.value > seen_.hashes.size()) return nullptr;
      try {
        region_ = std::make_unique<Region>(size.value);
      } catch (const std::bad_alloc&) {
        return nullptr;
      }
      return region_->page(0);
    }
    void arrived() override { live::page_hashes(region_->span(), seen_.hashes); }
    bool run() override { return seen_.runs = true; }
    void discard() override { region_.reset(); }

   private:
    Seen& seen_;
    std::unique_ptr<Region> region_;
  };

  void work(int listener, const live::Token& token, const Options& options) {
    live::Gate gate(listener, {.token = token});
    live::UniqueFd socket = gate.admit(60s).socket;
    if (!socket.valid()) return;
    if (options.may_map.value > 0) {
      std::uint64_t mapped = 0;  // in pages; the first number of proc(5)'s statm
      std::ifstream("/proc/self/statm") >> mapped;
      const rlim_t most = mapped * static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE)) + options.may_map.value;
      const rlimit limit{.rlim_cur = most, .rlim_max = most};
      ::setrlimit(RLIMIT_AS, &limit);
    }
    live::Stream stream{std::move(socket), options.stall_max};
    Room room(*seen_);
    seen_->received = live::receive(stream, room, options.memory_max, false);
    seen_->ended = true;
  }

  live::Address address_;
  Shared<Seen> seen_;
  pid_t child_ = -1;
};

struct Sent {
  core::Outcome outcome = core::Outcome::kLinkBroken;
  live::Trouble trouble = live::Trouble::kNone;
  std::uint64_t refusal = 0;
  bool fenced = false;
  live::Observer::Figures figures;
};

/// Keeps what it is told, and does something before each live round, when the log is kept already.
class PacedObserver final : public core::Observer {
 public:
  explicit PacedObserver(std::function<void()> between) : between_(std::move(between)) {}
  void enter(core::Phase phase) override {
    kept_.enter(phase);
    if (between_ && phase == core::Phase::kPreCopy) between_();
  }
  void round(const core::RoundStats& round) override {
    kept_.round(round);
    if (between_ && !round.stopped) between_();
  }
  const live::Observer::Figures& figures() const { return kept_.figures(); }

 private:
  std::function<void()> between_;
  live::Observer kept_;
};

/// Migrates `region`, whose writers take part in `freezer`, to who listens at `address`. Where it is fenced, the
/// threads stay frozen.
inline Sent send(Region& region, live::Freezer& freezer, live::Tracking tracking, const core::Plan& plan,
                 const live::Address& address, const live::Token& token, Nanos stall_max = 60s,
                 std::function<void()> between_rounds = {}) {
  std::string error;
  live::Stream stream{live::connect_to(address, 60s, error), stall_max};
  Sent sent;
  if (const auto refused = live::ask_in(stream, {.token = token})) {
    sent.trouble = stream.trouble();
    return sent;
  }
  const auto log = std::get<0>(live::make_dirty_log(tracking, region.span()));
  live::OwnPages pages(region.span());
  live::Memory memory(pages, region.pages());
  std::vector<std::byte> storage(live::SenderSpace::size_for({region.pages()}));
  live::SenderSpace space(storage, {region.pages()});
  live::Link link(stream, pages, pages, space.link());
  live::Threads guest(freezer);
  live::Control control;
  PacedObserver observer(std::move(between_rounds));
  sent.outcome = live::migrate(live::in_batches(plan), {*log, memory, link, guest, control, observer}, space);
  sent.figures = observer.figures();
  log->stop();
  sent.trouble = stream.trouble();
  sent.refusal = link.refusal();
  sent.fenced = guest.fenced();
  return sent;
}

/// How many pages of `region` have another hash than `there`.
inline std::uint64_t pages_that_differ(Region& region, std::span<const std::uint64_t> there) {
  std::uint64_t differ = 0;
  for (PageIndex page = 0; page < region.pages(); ++page) differ += live::page_hash(region.page(page)) != there[page];
  return differ;
}

/// The ways of tracking, each as a test of its own; skipped where the kernel lacks it.
class EveryTracking : public testing::TestWithParam<live::Tracking> {
 protected:
  void SetUp() override {
    std::string why;
    if (GetParam() == live::Tracking::kAsynchronous && live::best_tracking(why) != GetParam()) GTEST_SKIP() << why;
  }
};

inline std::string tracking_name(const testing::TestParamInfo<live::Tracking>& info) {
  return info.param == live::Tracking::kAsynchronous ? "Asynchronous" : "Protection";
}

/// True where the long versions of tests are asked for.
inline bool long_run() { return std::getenv("GODWIT_LONG") != nullptr; }

}  // namespace godwit::test
