#pragma once

#include <sys/types.h>
#include <ucontext.h>

#include <array>
#include <atomic>
#include <csignal>
#include <vector>

#include "core/ports.h"

namespace godwit::live {

/// Stops threads of this process wherever they are, by a signal in whose handler they wait, and lets them go on.
/// One at a time in a process.
class Freezer {
 public:
  static constexpr std::size_t kThreadsMax = 64;

  enum class Where : std::uint8_t {
    kAnywhere,
    /// Only in the program's own code, since libraries lie elsewhere in another process; and from when it is said to
    /// stand, a thread writes nothing to its own stack any more: it waits on another.
    kInProgram,
  };

  explicit Freezer(Where where = Where::kAnywhere);
  ~Freezer();
  Freezer(const Freezer&) = delete;
  Freezer& operator=(const Freezer&) = delete;

  /// The calling thread takes part from here on. While it is frozen, `*registers` is the address of what it goes on
  /// with, a ucontext_t on its own stack.
  void join(void** registers = nullptr);
  void leave();

  /// Stops all threads that take part but the caller; returns when they stand.
  void freeze();
  /// Lets them go on; returns when they do.
  void thaw();

 private:
  enum State : std::uint32_t { kFree, kJoining, kRunning, kAsked, kParked, kNotHere };
  struct Slot {
    std::atomic<std::uint32_t> state = kFree;
    pid_t thread = 0;
    void** registers = nullptr;
    std::vector<std::byte> stack;  // to wait on
    ucontext_t waiting{};
  };

  static void on_signal(int, siginfo_t*, void* context);
  void park(Slot& slot, void* context);
  void wait_for_thaw(Slot& slot);
  static void wait_outside();
  void ask(Slot& slot, std::uint32_t state);
  void wait_until(std::uint32_t wanted, const Slot& slot);

  static thread_local Slot* mine_;
  Where where_;
  std::array<Slot, kThreadsMax> slots_;
  std::atomic<std::uint32_t> frozen_ = 0;
};

/// The threads of this process as a machine: what takes part in `freezer` are its virtual CPUs.
class Threads final : public core::Guest {
 public:
  explicit Threads(Freezer& freezer) : freezer_(freezer) {}

  core::Await<core::Done> pause() override { return freezer_.freeze(), core::Done{}; }
  core::Await<core::Done> freeze() override { return freezer_.freeze(), core::Done{}; }
  core::Await<core::Done> resume() override { return freezer_.thaw(), core::Done{}; }
  void fence() override { fenced_ = true; }
  Bytes device_state() const override { return {0}; }  // registers lie in memory, on the stack of each thread

  bool fenced() const { return fenced_; }

 private:
  Freezer& freezer_;
  bool fenced_ = false;
};

}  // namespace godwit::live
