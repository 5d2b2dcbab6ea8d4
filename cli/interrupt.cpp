#include "cli/interrupt.h"

#include <unistd.h>

#include <array>
#include <atomic>
#include <csignal>

#include "cli/commands.h"

namespace godwit::cli {
namespace {

std::atomic<bool> g_noted{false};
std::array<std::atomic<const char*>, 64> g_temporaries{};
static_assert(std::atomic<bool>::is_always_lock_free && std::atomic<const char*>::is_always_lock_free);

void leave(int) {
  for (const auto& each : g_temporaries)
    if (const char* path = each.load()) ::unlink(path);
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

void remember_temporary_file(const char* path) {
  for (auto& each : g_temporaries) {
    const char* free = nullptr;
    if (each.compare_exchange_strong(free, path)) return;
  }
}

void forget_temporary_file(const char* path) {
  for (auto& each : g_temporaries) {
    const char* kept = path;
    each.compare_exchange_strong(kept, nullptr);
  }
}

}  // namespace godwit::cli
