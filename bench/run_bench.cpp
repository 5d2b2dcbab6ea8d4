#include <benchmark/benchmark.h>

#include <string>

#include "scenarios/load.h"
#include "sim/run.h"

// Whole runs of the files in bench/cases/. Loading is outside of what is measured.
namespace godwit {
namespace {

void run_case(benchmark::State& state, const std::string& name) {
  const auto loaded = scenarios::load_file(std::string(GODWIT_SOURCE_DIR) + "/bench/cases/" + name + ".json");
  if (const auto* issues = std::get_if<std::vector<scenarios::Issue>>(&loaded)) {
    state.SkipWithError(scenarios::to_string(*issues).c_str());
    return;
  }
  const sim::RunOptions& options = std::get<scenarios::Loaded>(loaded).options;
  std::size_t rounds = 0;
  for (auto _ : state) {
    const sim::RunResult result = sim::run(options);
    rounds = result.migrations.at(0).iterations.size();
    if (!result.migrations[0].verified) state.SkipWithError("not verified");
  }
  state.counters["rounds"] = static_cast<double>(rounds);
}

BENCHMARK_CAPTURE(run_case, hot_set_4g_ten_rounds, std::string("hot_set_4g_ten_rounds"))->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace godwit
