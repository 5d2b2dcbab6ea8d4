#pragma once

#include <sys/types.h>

#include <optional>
#include <string>
#include <vector>

#include "live/write_tracker.h"

namespace godwit::live {

/// How a stop of a traced thread reads.
struct Stop {
  enum class Kind { kNewTask, kExec, kExit, kGroupStop, kTrap, kSignal };
  Kind kind = Kind::kTrap;
  int signal = 0;      // kSignal: to be delivered
  pid_t other = 0;     // kNewTask: the new thread; kExec: which thread called
  bool vfork = false;  // kNewTask: it runs in the memory of its parent
};

/// Starts `command` under trace: it and all it starts stop at fork, exec and exit, and die with the caller.
/// Nothing, and the reason in `error`, where it cannot be run. With `huge_pages` false the kernel gives the
/// command none, so that a first write touches one small page, not 512.
std::optional<pid_t> start_traced(const std::vector<std::string>& command, bool huge_pages, std::string& error);

/// Reads the wait status of stopped thread `tid`.
Stop read_stop(pid_t tid, int status);

/// Lets a stopped thread go on, with `signal` if it is not zero.
void resume(pid_t tid, int signal = 0);
/// Leaves a thread in its group stop, but hears of its end.
void leave_stopped(pid_t tid);

/// Goes from the exec event to the end of that system call, where the registers are the program's.
/// False if the thread went away meanwhile.
bool finish_exec(pid_t tid);

/// Has a stopped process make a userfaultfd, and takes it over. Leaves no trace in the process.
/// Nothing, and the reason in `error`, where it cannot; `gone` is then set if the process is no more.
std::optional<UniqueFd> make_userfaultfd_in(pid_t pid, std::string& error, bool& gone);

/// True if `tid` is the first thread of a process.
bool is_process(pid_t tid);

/// True if both threads run in the same address space; `otherwise` where the kernel does not tell.
bool same_memory(pid_t a, pid_t b, bool otherwise);

}  // namespace godwit::live
