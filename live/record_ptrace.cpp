#include "live/record_ptrace.h"

#include <elf.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <iterator>

#include "live/record_maps.h"

#ifndef PTRACE_EVENT_STOP
#define PTRACE_EVENT_STOP 128
#endif
#ifndef KCMP_VM
#define KCMP_VM 1
#endif

namespace godwit::live {
namespace {

constexpr long kOptions = PTRACE_O_EXITKILL | PTRACE_O_TRACECLONE | PTRACE_O_TRACEEXEC | PTRACE_O_TRACEEXIT |
                          PTRACE_O_TRACEFORK | PTRACE_O_TRACESYSGOOD | PTRACE_O_TRACEVFORK;

std::string failure(const std::string& what, int error) { return what + ": " + std::strerror(error); }

/// Waits until the caller traces this process, then becomes `command`. Tells `report` why it cannot.
[[noreturn]] void become(const std::vector<std::string>& command, bool huge_pages, int go, int report) {
  char byte = 0;
  while (::read(go, &byte, 1) < 0 && errno == EINTR) {
  }
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, nullptr);
  if (!huge_pages) ::prctl(PR_SET_THP_DISABLE, 1, 0, 0, 0);
  std::vector<char*> arguments;
  for (const std::string& argument : command) arguments.push_back(const_cast<char*>(argument.c_str()));
  arguments.push_back(nullptr);
  ::execvp(arguments[0], arguments.data());
  const int error = errno;
  [[maybe_unused]] const ssize_t told = ::write(report, &error, sizeof(error));
  ::_exit(127);
}

/// Waits for a stop of `tid`. False if it is gone.
bool wait_for_stop(pid_t tid, int& status) {
  while (::waitpid(tid, &status, __WALL) < 0)
    if (errno != EINTR) return false;
  return WIFSTOPPED(status);
}

/// Reads the status line "`key`:\tN" of a process.
long status_field(pid_t pid, const std::string& key) {
  std::ifstream file("/proc/" + std::to_string(pid) + "/status");
  for (std::string line; std::getline(file, line);)
    if (line.starts_with(key + ":")) return std::strtol(line.c_str() + key.size() + 1, nullptr, 10);
  return 0;
}

#if defined(__x86_64__)

constexpr std::uint64_t kUserCode64 = 0x33;  // the code segment of 64-bit programs
constexpr std::array<unsigned char, 2> kSyscallInstruction = {0x0f, 0x05};

/// Where the process has a system call instruction: in the vDSO as a rule, else in the loader. Nothing is
/// written into the process: that would be a write of ours.
std::optional<std::uint64_t> find_syscall_instruction(pid_t pid) {
  std::ifstream maps("/proc/" + std::to_string(pid) + "/maps");
  std::vector<std::pair<bool, AddressRange>> candidates;  // false sorts first
  for (std::string line; std::getline(maps, line);)
    if (line.find(" r-xp ") != std::string::npos)
      for (const Mapping& mapping : parse_maps(line))
        candidates.emplace_back(!mapping.name.starts_with("[vdso]"), mapping.range);
  std::stable_sort(candidates.begin(), candidates.end(),
                   [](const auto& a, const auto& b) { return a.first < b.first; });
  for (const auto& [not_vdso, range] : candidates) {
    std::vector<unsigned char> code(std::min<std::uint64_t>(range.end - range.begin, std::uint64_t{1} << 20));
    const iovec local{code.data(), code.size()};
    const iovec remote{reinterpret_cast<void*>(range.begin), code.size()};
    const ssize_t got = ::process_vm_readv(pid, &local, 1, &remote, 1, 0);
    if (got <= 0) continue;
    const auto end = code.begin() + got;
    const auto at = std::search(code.begin(), end, kSyscallInstruction.begin(), kSyscallInstruction.end());
    if (at != end) return range.begin + static_cast<std::uint64_t>(at - code.begin());
  }
  return std::nullopt;
}

/// Makes system calls in a stopped process, and afterwards leaves it as it was.
class Injector {
 public:
  explicit Injector(pid_t pid) : pid_(pid) {}

  bool begin(std::string& error) {
    const auto place = find_syscall_instruction(pid_);
    if (!place || ::ptrace(PTRACE_GETREGS, pid_, nullptr, &saved_) != 0 || saved_.cs != kUserCode64) {
      error = "not a 64-bit program";
      return false;
    }
    place_ = *place;
    std::uint64_t all = ~std::uint64_t{0};  // no handler may run while the registers are ours
    ::ptrace(PTRACE_GETSIGMASK, pid_, reinterpret_cast<void*>(sizeof(mask_)), &mask_);
    ::ptrace(PTRACE_SETSIGMASK, pid_, reinterpret_cast<void*>(sizeof(all)), &all);
    return true;
  }

  /// The result, or a negative errno. Nothing if the process is gone.
  std::optional<long> call(long number, long argument0, long argument1) {
    user_regs_struct registers = saved_;
    registers.rip = place_;
    registers.rax = static_cast<std::uint64_t>(number);
    registers.orig_rax = ~std::uint64_t{0};  // not in a system call: nothing to restart
    registers.rdi = static_cast<std::uint64_t>(argument0);
    registers.rsi = static_cast<std::uint64_t>(argument1);
    if (::ptrace(PTRACE_SETREGS, pid_, nullptr, &registers) != 0) return std::nullopt;
    if (!step_to_syscall_stop() || !step_to_syscall_stop()) return std::nullopt;  // its entry, its exit
    if (::ptrace(PTRACE_GETREGS, pid_, nullptr, &registers) != 0) return std::nullopt;
    return static_cast<long>(registers.rax);
  }

  void end() {
    ::ptrace(PTRACE_SETREGS, pid_, nullptr, &saved_);
    ::ptrace(PTRACE_SETSIGMASK, pid_, reinterpret_cast<void*>(sizeof(mask_)), &mask_);
  }

 private:
  /// Passes over other stops: a SIGSTOP that comes now is taken away, as it cannot be told to wait.
  bool step_to_syscall_stop() {
    while (true) {
      int status = 0;
      if (::ptrace(PTRACE_SYSCALL, pid_, nullptr, nullptr) != 0 || !wait_for_stop(pid_, status)) return false;
      if (WSTOPSIG(status) == (SIGTRAP | 0x80)) return true;
      if (status >> 16 == PTRACE_EVENT_EXIT) {  // killed: let it go
        ::ptrace(PTRACE_CONT, pid_, nullptr, nullptr);
        return false;
      }
    }
  }

  pid_t pid_;
  user_regs_struct saved_{};
  std::uint64_t place_ = 0;
  std::uint64_t mask_ = 0;
};

#else

class Injector {
 public:
  explicit Injector(pid_t) {}
  bool begin(std::string& error) {
    error = "recording is not yet supported on this kind of processor";
    return false;
  }
  std::optional<long> call(long, long, long) { return std::nullopt; }
  void end() {}
};

#endif

}  // namespace

std::optional<pid_t> start_traced(const std::vector<std::string>& command, bool huge_pages, std::string& error) {
  std::array<int, 2> go{};
  std::array<int, 2> report{};
  if (::pipe2(go.data(), O_CLOEXEC) != 0 || ::pipe2(report.data(), O_CLOEXEC) != 0) {
    error = failure("pipe", errno);
    return std::nullopt;
  }
  UniqueFd go_read(go[0]), go_write(go[1]), report_read(report[0]), report_write(report[1]);
  const pid_t pid = ::fork();
  if (pid == 0) become(command, huge_pages, go[0], report[1]);
  if (pid < 0) {
    error = failure("fork", errno);
    return std::nullopt;
  }
  report_write = UniqueFd();
  if (::ptrace(PTRACE_SEIZE, pid, nullptr, reinterpret_cast<void*>(kOptions)) != 0) {
    error = failure("cannot trace a program here (ptrace)", errno);
    ::kill(pid, SIGKILL);
    ::waitpid(pid, nullptr, __WALL);
    return std::nullopt;
  }
  [[maybe_unused]] const ssize_t told = ::write(go[1], "g", 1);
  // The child's exec closes the pipe, but it stops in it first, with the pipe already closed; a failed exec reports.
  int exec_error = 0;
  ssize_t got = 0;
  do got = ::read(report[0], &exec_error, sizeof(exec_error));
  while (got < 0 && errno == EINTR);
  if (got == 0) return pid;
  error = failure(command.front(), exec_error);
  ::kill(pid, SIGKILL);
  int status = 0;
  while (::waitpid(pid, &status, __WALL) == pid && WIFSTOPPED(status)) ::ptrace(PTRACE_CONT, pid, nullptr, nullptr);
  return std::nullopt;
}

Stop read_stop(pid_t tid, int status) {
  const int signal = WSTOPSIG(status);
  const int event = status >> 16;
  unsigned long message = 0;
  if (event != 0 && event != PTRACE_EVENT_STOP) ::ptrace(PTRACE_GETEVENTMSG, tid, nullptr, &message);
  const auto other = static_cast<pid_t>(message);
  switch (event) {
    case PTRACE_EVENT_FORK:
    case PTRACE_EVENT_CLONE: return {.kind = Stop::Kind::kNewTask, .other = other};
    case PTRACE_EVENT_VFORK: return {.kind = Stop::Kind::kNewTask, .other = other, .vfork = true};
    case PTRACE_EVENT_EXEC: return {.kind = Stop::Kind::kExec, .other = other};
    case PTRACE_EVENT_EXIT: return {.kind = Stop::Kind::kExit};
    case PTRACE_EVENT_STOP: return {.kind = signal == SIGTRAP ? Stop::Kind::kTrap : Stop::Kind::kGroupStop};
    default: break;
  }
  if (signal == (SIGTRAP | 0x80)) return {.kind = Stop::Kind::kTrap};
  return {.kind = Stop::Kind::kSignal, .signal = signal};
}

void resume(pid_t tid, int signal) {
  ::ptrace(PTRACE_CONT, tid, nullptr, reinterpret_cast<void*>(static_cast<long>(signal)));
}

void leave_stopped(pid_t tid) { ::ptrace(PTRACE_LISTEN, tid, nullptr, nullptr); }

bool finish_exec(pid_t tid) {
  int status = 0;
  if (::ptrace(PTRACE_SYSCALL, tid, nullptr, nullptr) != 0) return false;
  return wait_for_stop(tid, status) && WSTOPSIG(status) == (SIGTRAP | 0x80);
}

std::optional<UniqueFd> make_userfaultfd_in(pid_t pid, std::string& error, bool& gone) {
  gone = false;
  if (status_field(pid, "Seccomp") != 0) {
    error = "it filters its system calls (seccomp)";
    return std::nullopt;
  }
  Injector injector(pid);
  if (!injector.begin(error)) return std::nullopt;
  const auto made = injector.call(SYS_userfaultfd, userfaultfd_flags(), 0);
  std::optional<UniqueFd> taken;
  if (made && *made >= 0) {
    UniqueFd process(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0)));
    UniqueFd copy(static_cast<int>(::syscall(SYS_pidfd_getfd, process.get(), *made, 0)));
    if (copy.valid())
      taken = std::move(copy);
    else
      error = failure("pidfd_getfd", errno);
    gone = !injector.call(SYS_close, *made, 0);
  } else if (made) {
    error = failure("userfaultfd", static_cast<int>(-*made));
  }
  gone = gone || !made;
  if (gone) error = "it ended";
  if (!gone) injector.end();
  return taken;
}

bool is_process(pid_t tid) { return status_field(tid, "Tgid") == tid; }

bool same_memory(pid_t a, pid_t b, bool otherwise) {
  const long result = ::syscall(SYS_kcmp, a, b, KCMP_VM, 0, 0);
  return result < 0 ? otherwise : result == 0;
}

}  // namespace godwit::live
