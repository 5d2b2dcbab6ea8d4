#include <benchmark/benchmark.h>
#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <string>

// From the shell to the first result: the whole process, one small scenario of the library. Beside it a process that does
// nothing, which is what the system itself costs.
namespace godwit {
namespace {

void run(benchmark::State& state, std::array<std::string, 3> words) {
  std::array<char*, 4> arguments{words[0].data(), words[1].empty() ? nullptr : words[1].data(), words[2].data(),
                                 nullptr};
  posix_spawn_file_actions_t quiet;
  posix_spawn_file_actions_init(&quiet);
  posix_spawn_file_actions_addopen(&quiet, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
  for (auto _ : state) {
    pid_t child = 0;
    int status = 0;
    if (posix_spawn(&child, arguments[0], &quiet, nullptr, arguments.data(), environ) != 0 ||
        waitpid(child, &status, 0) != child || !WIFEXITED(status) || WEXITSTATUS(status) != 0) {
      state.SkipWithError("it did not end well");
      break;
    }
  }
  posix_spawn_file_actions_destroy(&quiet);
}

BENCHMARK_CAPTURE(run, first_result,
                  std::array<std::string, 3>{GODWIT_BINARY, "run",
                                             GODWIT_SOURCE_DIR "/scenarios/library/idle_guest.json"})
    ->Unit(benchmark::kMillisecond)
    ->UseRealTime();
BENCHMARK_CAPTURE(run, nothing, std::array<std::string, 3>{"/bin/true", "", ""})
    ->Unit(benchmark::kMillisecond)
    ->UseRealTime();

}  // namespace
}  // namespace godwit
