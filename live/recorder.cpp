#include "live/recorder.h"

#include <poll.h>
#include <signal.h>
#include <sys/signalfd.h>
#include <sys/timerfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <map>

#include "live/record_ptrace.h"
#include "live/record_spaces.h"

namespace godwit::live {
namespace {

constexpr Nanos kGrace{2'000'000'000};  // from asking the program to end to making it end
constexpr int kEventsPerLook = 64;      // before the clock is looked at again

Nanos now() { return std::chrono::duration_cast<Nanos>(std::chrono::steady_clock::now().time_since_epoch()); }

/// Blocks the signals that the recorder waits for, and gives them back as they were.
class WaitedSignals {
 public:
  WaitedSignals() {
    sigset_t set;
    sigemptyset(&set);
    for (const int signal : {SIGCHLD, SIGINT, SIGTERM, SIGHUP}) sigaddset(&set, signal);
    sigprocmask(SIG_BLOCK, &set, &before_);
    fd_ = UniqueFd(::signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK));
  }
  ~WaitedSignals() {
    take_interrupt();  // or a second Ctrl-C would end the caller before it has closed its file
    sigprocmask(SIG_SETMASK, &before_, nullptr);
  }
  WaitedSignals(const WaitedSignals&) = delete;
  WaitedSignals& operator=(const WaitedSignals&) = delete;

  int fd() const { return fd_.get(); }

  /// Takes all that have come. True if one asks the recorder to end.
  bool take_interrupt() {
    bool interrupt = false;
    signalfd_siginfo info{};
    while (::read(fd_.get(), &info, sizeof(info)) == static_cast<ssize_t>(sizeof(info)))
      interrupt |= info.ssi_signo != SIGCHLD;
    return interrupt;
  }

 private:
  sigset_t before_{};
  UniqueFd fd_;
};

/// Counts distinct pages, in all and in each second.
class Distinct {
 public:
  void add(std::uint64_t second, std::span<const GuestPages::Page> pages) {
    for (const GuestPages::Page page : pages) {
      if (page >= last_second_.size()) last_second_.resize(page + 1, kNever32);
      if (last_second_[page] == kNever32) ++ever_;
      if (last_second_[page] != static_cast<std::uint32_t>(second)) ++in_seconds_;
      last_second_[page] = static_cast<std::uint32_t>(second);
    }
  }
  std::uint64_t ever() const { return ever_; }
  std::uint64_t in_seconds() const { return in_seconds_; }

 private:
  static constexpr std::uint32_t kNever32 = 0xffffffff;
  std::vector<std::uint32_t> last_second_;
  std::uint64_t ever_ = 0;
  std::uint64_t in_seconds_ = 0;
};

std::vector<PageRange> runs_of(std::span<const GuestPages::Page> pages) {
  std::vector<PageRange> runs;
  for (const GuestPages::Page page : pages) {
    if (!runs.empty() && runs.back().end() == page)
      ++runs.back().count;
    else
      runs.push_back({page, 1});
  }
  return runs;
}

std::string describe_end(int status) {
  if (WIFEXITED(status)) return "exited with status " + std::to_string(WEXITSTATUS(status));
  return std::string("was ended by signal ") + ::strsignal(WTERMSIG(status));
}

class Recorder {
 public:
  Recorder(pid_t root, const RecordOptions& options, const RecordSink& sink, WaitedSignals& signals)
      : root_(root), options_(options), sink_(sink), signals_(signals) {
    threads_[root];
  }

  RecordSummary run() {
    start_clock();
    while (!threads_.empty()) {
      wait();
      if (signals_.take_interrupt()) {
        summary_.interrupted |= recording_;
        stop_recording();
      }
      if (recording_) tick();
      take_events();
      if (!recording_ && now() >= kill_at_) end_all(SIGKILL);
    }
    stop_recording();
    return summarize();
  }

 private:
  struct Thread {
    AddressSpaces::Space space;       // none before its first exec, and of a task yet unknown
    bool inherits_untracked = false;  // it begins in a copy of its parent's memory that nobody tracks yet
    bool known = true;                // its parent has told of it
    bool waits = false;               // stopped until its parent has told of it
    bool exiting = false;
  };

  // --- time ---------------------------------------------------------------------------------

  void start_clock() {
    timer_ = UniqueFd(::timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK));
    itimerspec spec{};
    spec.it_interval.tv_sec = static_cast<time_t>(options_.interval.count() / 1'000'000'000);
    spec.it_interval.tv_nsec = static_cast<long>(options_.interval.count() % 1'000'000'000);
    spec.it_value = spec.it_interval;
    ::timerfd_settime(timer_.get(), 0, &spec, nullptr);
    began_ = now();
  }

  void wait() {
    pollfd fds[] = {{.fd = signals_.fd(), .events = POLLIN, .revents = 0},
                    {.fd = timer_.get(), .events = POLLIN, .revents = 0}};
    ::poll(fds, 2, more_events_ ? 0 : 100);
  }

  void tick() {
    std::uint64_t passed = 0;
    if (::read(timer_.get(), &passed, sizeof(passed)) != static_cast<ssize_t>(sizeof(passed)) || passed == 0) return;
    const Nanos begin = now();
    spaces_.collect_all();
    // Late by some intervals: what was written in them is told in the last one.
    for (; passed > 1 && recording_; --passed) {
      ++summary_.late_intervals;
      emit({});
    }
    if (recording_) emit(spaces_.take_written());
    summary_.scanning += now() - begin;
    if (options_.duration && now() - began_ >= *options_.duration) stop_recording();
  }

  void emit(const std::vector<GuestPages::Page>& pages) {
    const auto second = summary_.intervals * static_cast<std::uint64_t>(options_.interval.count()) / kNanosPerSecond;
    distinct_.add(second, pages);
    summary_.marks += pages.size();
    ++summary_.intervals;
    const std::vector<PageRange> runs = runs_of(pages);
    if (!sink_(runs)) stop_recording();
  }

  /// Tells the last, shorter interval, and asks the program to end if it has not.
  void stop_recording() {
    if (!recording_) return;
    recording_ = false;
    if (!threads_.empty()) spaces_.collect_all();
    summary_.wall = now() - began_;
    if (const auto pages = spaces_.take_written(); !pages.empty()) emit(pages);
    kill_at_ = now() + kGrace;
    end_all(SIGTERM);
    end_all(SIGCONT);  // what is stopped would not hear of it
  }

  void end_all(int signal) {
    for (const auto& [tid, thread] : threads_)
      if (is_process(tid)) ::kill(tid, signal);
  }

  RecordSummary summarize() {
    summary_.pages_written = distinct_.ever();
    const auto wall = static_cast<std::uint64_t>(std::max<std::int64_t>(summary_.wall.count(), 1));
    summary_.pages_per_second = mul_div(distinct_.in_seconds(), kNanosPerSecond, std::max(wall, kNanosPerSecond));
    summary_.guest_pages = spaces_.guest_pages();
    summary_.processes = spaces_.tracked();
    summary_.unseen = spaces_.unseen();
    return summary_;
  }

  // --- events -------------------------------------------------------------------------------

  void take_events() {
    more_events_ = false;
    for (int i = 0; i < kEventsPerLook; ++i) {
      int status = 0;
      const pid_t tid = ::waitpid(-1, &status, WNOHANG | __WALL);
      if (tid <= 0) {
        if (tid < 0 && errno == ECHILD) threads_.clear();
        return;
      }
      const Nanos begin = now();
      if (WIFSTOPPED(status))
        stopped(tid, read_stop(tid, status));
      else
        ended(tid, status);
      summary_.stopped += now() - begin;
    }
    more_events_ = true;
  }

  void stopped(pid_t tid, const Stop& stop) {
    const auto [thread, is_new] = threads_.try_emplace(tid);
    if (is_new) thread->second.known = false;
    switch (stop.kind) {
      case Stop::Kind::kNewTask: new_task(tid, stop); break;
      case Stop::Kind::kExec: exec(tid, stop.other); return;
      case Stop::Kind::kExit: exiting(tid); break;
      case Stop::Kind::kGroupStop: leave_stopped(tid); return;
      case Stop::Kind::kSignal: resume(tid, stop.signal); return;
      case Stop::Kind::kTrap: first_stop(tid); return;
    }
    resume(tid);
  }

  /// A fork copies the memory of the parent, whose marks so far belong to pages that both now share.
  void new_task(pid_t parent, const Stop& stop) {
    Thread& child = threads_[stop.other];
    child.known = true;
    if (const AddressSpaces::Space space = threads_[parent].space) {
      if (same_memory(parent, stop.other, stop.vfork)) {
        child.space = space;
      } else {
        child.space = spaces_.fork(*space);
        child.inherits_untracked = space->tracker.has_value();
      }
    }
    if (child.waits) first_stop(stop.other);
  }

  /// A new task stops before its first instruction. Its parent may tell of it later than that.
  void first_stop(pid_t tid) {
    Thread& thread = threads_[tid];
    thread.waits = !thread.known;
    if (thread.waits) return;
    if (std::exchange(thread.inherits_untracked, false) && recording_) track(tid, true);
    if (threads_.contains(tid)) resume(tid);
  }

  void exec(pid_t tid, pid_t caller) {
    if (caller != tid) leave(caller);  // a thread that is not the first takes over the number of the process
    leave(tid);
    Thread& thread = threads_[tid];
    thread.space = spaces_.add();
    if (recording_ && finish_exec(tid)) track(tid, false);
    resume(tid);
  }

  void track(pid_t tid, bool inherited) {
    std::string error;
    bool gone = false;
    auto userfaultfd = make_userfaultfd_in(tid, error, gone);
    if (userfaultfd)
      spaces_.track(*threads_[tid].space, tid, std::move(*userfaultfd), inherited);
    else if (!gone)
      spaces_.unseen().insert("a process: " + error);
  }

  /// The last thread of an address space still has it when it stops to exit.
  void exiting(pid_t tid) {
    Thread& thread = threads_[tid];
    thread.exiting = true;
    if (!thread.space || !recording_) return;
    const bool last = std::none_of(threads_.begin(), threads_.end(), [&](const auto& other) {
      return other.second.space == thread.space && !other.second.exiting;
    });
    if (last) spaces_.collect(*thread.space);
  }

  void ended(pid_t tid, int status) {
    if (tid == root_) summary_.end = describe_end(status);
    leave(tid);
  }

  /// Forgets a thread, and its address space if it was the last in it.
  void leave(pid_t tid) {
    const auto thread = threads_.find(tid);
    if (thread == threads_.end()) return;
    const AddressSpaces::Space space = std::move(thread->second.space);
    threads_.erase(thread);
    if (!space) return;
    const bool used =
        std::any_of(threads_.begin(), threads_.end(), [&](const auto& other) { return other.second.space == space; });
    if (!used) spaces_.remove(space);
  }

  pid_t root_;
  const RecordOptions& options_;
  const RecordSink& sink_;
  WaitedSignals& signals_;
  UniqueFd timer_;
  Nanos began_{0};
  Nanos kill_at_{0};
  bool recording_ = true;
  bool more_events_ = true;
  std::map<pid_t, Thread> threads_;
  AddressSpaces spaces_;
  Distinct distinct_;
  RecordSummary summary_;
};

}  // namespace

std::variant<RecordSummary, RecordError> record(const std::vector<std::string>& command, const RecordOptions& options,
                                                const RecordSink& sink) {
  if (const auto why = WriteTracker::unsupported()) return RecordError{"this kernel cannot track writes: " + *why};
  WaitedSignals signals;
  std::string error;
  const auto root = start_traced(command, options.huge_pages, error);
  if (!root) return RecordError{error};
  return Recorder(*root, options, sink, signals).run();
}

std::string record_mechanism() { return "userfaultfd asynchronous write protection, PAGEMAP_SCAN"; }

}  // namespace godwit::live
