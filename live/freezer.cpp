#include "live/freezer.h"

#include <linux/futex.h>
#include <sched.h>
#include <sys/syscall.h>
#include <ucontext.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>

#include "live/clock.h"

// The linker's names for the first and the last address of the program's own code.
extern "C" const char __executable_start;  // NOLINT(bugprone-reserved-identifier)
extern "C" const char etext;

namespace godwit::live {

thread_local Freezer::Slot* Freezer::mine_ = nullptr;

namespace {

std::atomic<Freezer*> g_freezer{nullptr};

void futex(std::atomic<std::uint32_t>& word, int operation, std::uint32_t value, const timespec* timeout = nullptr) {
  ::syscall(SYS_futex, &word, operation | FUTEX_PRIVATE_FLAG, value, timeout, nullptr, 0);
}

/// Whether what `context` goes on with is in the program's own code.
bool in_program(const void* context) {
#if defined(__x86_64__)
  const auto at = static_cast<std::uintptr_t>(static_cast<const ucontext_t*>(context)->uc_mcontext.gregs[REG_RIP]);
  return at >= reinterpret_cast<std::uintptr_t>(&__executable_start) && at < reinterpret_cast<std::uintptr_t>(&etext);
#else
  return context != nullptr;
#endif
}

int freeze_signal() { return SIGRTMIN; }

constexpr std::size_t kWaitingStack = 64 * 1024;

}  // namespace

Freezer::Freezer(Where where) : where_(where) {
  Freezer* none = nullptr;
  GODWIT_CHECK(g_freezer.compare_exchange_strong(none, this));
  struct sigaction action {};
  action.sa_sigaction = &Freezer::on_signal;
  action.sa_flags = SA_SIGINFO;
  GODWIT_CHECK(::sigaction(freeze_signal(), &action, nullptr) == 0);
}

Freezer::~Freezer() { g_freezer.store(nullptr); }

void Freezer::join(void** registers) {
  GODWIT_CHECK(mine_ == nullptr);
  for (Slot& slot : slots_) {
    std::uint32_t free = kFree;
    if (!slot.state.compare_exchange_strong(free, kJoining)) continue;
    slot.thread = static_cast<pid_t>(::syscall(SYS_gettid));
    slot.registers = registers;
    if (where_ == Where::kInProgram) slot.stack.resize(kWaitingStack);
    mine_ = &slot;
    slot.state.store(kRunning);
    return;
  }
  GODWIT_CHECK(mine_ != nullptr);  // kThreadsMax take part already
}

void Freezer::leave() {
  if (mine_ == nullptr) return;
  // Whoever has asked this thread to stop waits for it: it stops first, and leaves when it goes on.
  for (std::uint32_t running = kRunning; !mine_->state.compare_exchange_weak(running, kFree); running = kRunning) {
    ::sched_yield();
  }
  mine_ = nullptr;
}

void Freezer::on_signal(int, siginfo_t*, void* context) {
  const int error = errno;
  Freezer* freezer = g_freezer.load();
  if (freezer != nullptr && mine_ != nullptr) freezer->park(*mine_, context);
  errno = error;
}

void Freezer::park(Slot& slot, void* context) {
  if (slot.state.load() != kAsked) return;
  if (where_ == Where::kInProgram && !in_program(context)) {
    slot.state.store(kNotHere);
    futex(slot.state, FUTEX_WAKE, 1);
    return;
  }
  if (slot.registers != nullptr) *slot.registers = context;
  if (where_ == Where::kAnywhere) return wait_for_thaw(slot);
  ucontext_t here;
  ::getcontext(&slot.waiting);
  slot.waiting.uc_stack.ss_sp = slot.stack.data();
  slot.waiting.uc_stack.ss_size = slot.stack.size();
  slot.waiting.uc_link = &here;
  ::makecontext(&slot.waiting, &Freezer::wait_outside, 0);
  ::swapcontext(&here, &slot.waiting);
}

void Freezer::wait_outside() { g_freezer.load()->wait_for_thaw(*mine_); }

void Freezer::wait_for_thaw(Slot& slot) {
  slot.state.store(kParked);
  futex(slot.state, FUTEX_WAKE, 1);
  while (frozen_.load() != 0) futex(frozen_, FUTEX_WAIT, 1);
  slot.state.store(kRunning);
  futex(slot.state, FUTEX_WAKE, 1);
}

/// Asks the thread of `slot` to stop, if it is in `state`.
void Freezer::ask(Slot& slot, std::uint32_t state) {
  if (slot.state.compare_exchange_strong(state, kAsked)) {
    ::syscall(SYS_tgkill, ::getpid(), slot.thread, freeze_signal());
  }
}

void Freezer::wait_until(std::uint32_t wanted, const Slot& slot) {
  auto& state = const_cast<Slot&>(slot).state;
  for (std::uint32_t now = state.load(); now != wanted && now != kNotHere; now = state.load()) {
    const timespec soon{.tv_sec = 0, .tv_nsec = 10'000'000};
    futex(state, FUTEX_WAIT, now, &soon);
  }
}

void Freezer::freeze() {
  frozen_.store(1);
  for (Slot& slot : slots_) {
    if (&slot != mine_) ask(slot, kRunning);
  }
  const Nanos patience = monotonic_now() + Nanos{std::int64_t{10'000'000'000}};
  for (Slot& slot : slots_) {
    if (&slot == mine_) continue;
    while (slot.state.load() == kAsked || slot.state.load() == kNotHere) {
      wait_until(kParked, slot);
      if (slot.state.load() != kNotHere) continue;
      GODWIT_CHECK(monotonic_now() < patience);
      sleep_until(monotonic_now() + Nanos{10'000});  // it leaves the library soon
      ask(slot, kNotHere);
    }
  }
}

void Freezer::thaw() {
  frozen_.store(0);
  futex(frozen_, FUTEX_WAKE, kThreadsMax);
  for (Slot& slot : slots_) {
    if (&slot != mine_ && slot.state.load() == kParked) wait_until(kRunning, slot);
  }
}

}  // namespace godwit::live
