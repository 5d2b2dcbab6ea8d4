#include "cli/interrupt.h"

#include <unistd.h>

#include <atomic>
#include <csignal>

#include "cli/commands.h"

namespace godwit::cli {
namespace {

std::atomic<bool> g_noted{false};
std::atomic<const char*> g_temporary{nullptr};
static_assert(std::atomic<bool>::is_always_lock_free && std::atomic<const char*>::is_always_lock_free);

void leave(int) {
  if (const char* path = g_temporary.load()) ::unlink(path);
  ::_exit(kInterrupted);
}

void note(int signal) {
  if (g_noted.exchange(true)) leave(signal);
}

void handle_with(void (*handler)(int)) {
  struct sigaction action {};
  action.sa_handler = handler;
  action.sa_flags = SA_RESTART;
  ::sigaction(SIGINT, &action, nullptr);
  ::sigaction(SIGTERM, &action, nullptr);
}

}  // namespace

void exit_on_interrupt() { handle_with(leave); }
void note_interrupt() { handle_with(note); }
bool interrupted() { return g_noted.load(); }
void set_temporary_file(const char* path) { g_temporary.store(path); }

}  // namespace godwit::cli
