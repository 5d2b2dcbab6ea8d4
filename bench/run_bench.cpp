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
  sim::Arena arena;
  for (auto _ : state) {
    const sim::RunResult result = sim::run(options, arena);
    for (const sim::MigrationResult& each : result.migrations)
      if (!each.verified) state.SkipWithError("not verified");
  }
  state.SetItemsProcessed(static_cast<std::int64_t>(state.iterations() * options.migrations.size()));
}

#define GODWIT_CASE(name) BENCHMARK_CAPTURE(run_case, name, std::string(#name))->Unit(benchmark::kMillisecond)

GODWIT_CASE(hot_set_4g_ten_rounds);
GODWIT_CASE(uniform_16g);
GODWIT_CASE(hot_set_1t);
GODWIT_CASE(ten_thousand_in_a_row);
GODWIT_CASE(ten_thousand_in_a_row_hot_set);
GODWIT_CASE(ten_thousand_in_a_row_uniform);
GODWIT_CASE(ten_thousand_on_own_links);
GODWIT_CASE(ten_thousand_on_own_links_hot_set);
GODWIT_CASE(ten_thousand_on_own_links_uniform);
GODWIT_CASE(ten_thousand_on_one_link);
GODWIT_CASE(ten_thousand_on_one_link_hot_set);
GODWIT_CASE(ten_thousand_on_one_link_uniform);
GODWIT_CASE(three_thousand_on_one_link);
GODWIT_CASE(three_thousand_on_one_link_hot_set);
GODWIT_CASE(three_thousand_on_one_link_uniform);

}  // namespace
}  // namespace godwit
