#include <benchmark/benchmark.h>
#include <fmt/format.h>

#include <stdexcept>

#include "scenarios/load.h"
#include "sim/arena.h"
#include "sim/run.h"

// How the time of a run grows when one thing doubles, and doubles again: the memory of a guest that writes nothing or at a fixed
// rate, its writes, the number of migrations one after another, at once on one link, and at once on links of their own.
namespace godwit {
namespace {

sim::RunOptions scenario(const std::string& hosts_and_links, const std::string& guest, const std::string& more = "") {
  const std::string text = fmt::format(R"({{"horizon": "10000 h", {}, "guests": [{{"name": "vm", {}}}], {}
      "migrations": [{{"guest": "vm*", "to": "b", "strategy": {{"name": "pre-copy", "downtime_limit": "30 ms"}}}}]}})",
                                       hosts_and_links, guest, more);
  const auto loaded = scenarios::load_text(text, "bench", GODWIT_SOURCE_DIR, {});
  if (const auto* issues = std::get_if<std::vector<scenarios::Issue>>(&loaded))
    throw std::runtime_error(scenarios::to_string(*issues));
  return std::get<scenarios::Loaded>(loaded).options;
}

std::string one_link(const char* bandwidth) {
  return fmt::format(R"("hosts": [{{"name": "a", "profile": "ideal"}}, {{"name": "b", "profile": "ideal"}}],
      "links": [{{"between": ["a", "b"], "bandwidth": "{}"}}])",
                     bandwidth);
}

void measure(benchmark::State& state, const sim::RunOptions& options) {
  sim::Arena arena;
  for (auto _ : state) benchmark::DoNotOptimize(sim::run(options, arena).digest);
  state.SetComplexityN(state.range(0));
}

// The first round sends all of it as one run after another, whatever its size.
void clean_gigabytes(benchmark::State& state) {
  measure(state, scenario(one_link("10 Gbit/s"), fmt::format(R"("host": "a", "memory": "{} GiB")", state.range(0))));
}

// The writes grow with the memory, so that the dirty part stays the same.
void dirty_gigabytes(benchmark::State& state) {
  measure(state, scenario(one_link("10 Gbit/s"),
                          fmt::format(R"("host": "a", "memory": "{} GiB", "workload": {{"kind": "uniform",
      "write_rate": "30000 pages/s"}})",
                                      state.range(0))));
}

void writes_per_second(benchmark::State& state) {
  measure(state, scenario(one_link("10 Gbit/s"),
                          fmt::format(R"("host": "a", "memory": "16 GiB", "workload": {{"kind": "uniform",
      "write_rate": "{} pages/s"}})",
                                      state.range(0))));
}

constexpr const char* kMany = R"("count": {}, "host": "a", "memory": "1 GiB",
    "workload": {{"kind": "sequential", "write_rate": "{} pages/s"}})";

void migrations_in_a_row(benchmark::State& state) {
  measure(state, scenario(one_link("1 Gbit/s"), fmt::format(fmt::runtime(kMany), state.range(0), 12207),
                          R"("max_parallel": 1,)"));
}

void migrations_on_one_link(benchmark::State& state) {
  measure(state,
          scenario(one_link("10 Gbit/s"), fmt::format(fmt::runtime(kMany), state.range(0), 122070 / state.range(0))));
}

void migrations_on_own_links(benchmark::State& state) {
  const std::string pairs = fmt::format(R"("hosts": [{{"name": "a", "count": {0}, "profile": "ideal"}},
      {{"name": "b", "count": {0}, "profile": "ideal"}}],
      "links": [{{"between": ["a", "b"], "count": {0}, "bandwidth": "1 Gbit/s"}}])",
                                        state.range(0));
  measure(state, scenario(pairs, fmt::format(fmt::runtime(kMany), state.range(0), 12207)));
}

BENCHMARK(clean_gigabytes)->RangeMultiplier(2)->Range(64, 4096)->Unit(benchmark::kMicrosecond)->Complexity();
BENCHMARK(dirty_gigabytes)->RangeMultiplier(2)->Range(8, 64)->Unit(benchmark::kMillisecond)->Complexity();
BENCHMARK(writes_per_second)->RangeMultiplier(2)->Range(16384, 131072)->Unit(benchmark::kMillisecond)->Complexity();
BENCHMARK(migrations_in_a_row)->RangeMultiplier(2)->Range(512, 4096)->Unit(benchmark::kMillisecond)->Complexity();
BENCHMARK(migrations_on_one_link)->RangeMultiplier(2)->Range(1024, 8192)->Unit(benchmark::kMillisecond)->Complexity();
BENCHMARK(migrations_on_own_links)->RangeMultiplier(2)->Range(1024, 8192)->Unit(benchmark::kMillisecond)->Complexity();

}  // namespace
}  // namespace godwit
