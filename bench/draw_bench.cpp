#include <benchmark/benchmark.h>

#include "scenarios/load.h"
#include "sim/arena.h"
#include "sim/guest_memory.h"

// The log of a 4 GiB guest, read and cleared every second of its time, for each kind of workload at 200,000 writes/s. One item
// is one word of 64 pages that had a mark.
namespace godwit {
namespace {

sim::GuestOptions guest_with(const std::string& workload) {
  const std::string text =
      R"({"hosts": [{"name": "a"}, {"name": "b"}], "links": [{"between": ["a", "b"], "bandwidth": "1 Gbit/s"}],
    "guests": [{"name": "vm", "memory": "4 GiB", "workload": )" +
      workload + R"(}], "migrations": [{"to": "b", "strategy": "pre-copy"}]})";
  const std::string folder = std::string(GODWIT_SOURCE_DIR) + "/scenarios/library";
  const auto loaded = scenarios::load_text(text, "bench", folder, {});
  if (const auto* issues = std::get_if<std::vector<scenarios::Issue>>(&loaded))
    throw std::runtime_error(scenarios::to_string(*issues));
  return std::get<scenarios::Loaded>(loaded).options.guests.at(0);
}

void draw(benchmark::State& state, const std::string& workload) {
  const sim::GuestOptions options = guest_with(workload);
  sim::Arena arena;
  sim::GuestMemory memory(options, 1, 1, &arena.pages());
  const PageRange all{0, memory.size().value};
  Nanos now{0};
  memory.start(now);
  std::int64_t words = 0, marked = 0;
  for (auto _ : state) {
    now += std::chrono::seconds(1);
    memory.advance(all, now);
    marked += static_cast<std::int64_t>(memory.log().count().value);
    memory.log().for_each_run(all, [&words](const PageRun& run) {
      words += run.is_mask() ? 1 : static_cast<std::int64_t>((run.count() + 63) / 64);
    });
    memory.log().clear();
  }
  state.SetItemsProcessed(words);
  state.counters["marked"] = static_cast<double>(marked) / static_cast<double>(state.iterations());
}

BENCHMARK_CAPTURE(draw, uniform, std::string(R"({"kind": "uniform", "write_rate": "200000 pages/s"})"));
BENCHMARK_CAPTURE(draw, uniform_sparse, std::string(R"({"kind": "uniform", "write_rate": "2000 pages/s"})"));
BENCHMARK_CAPTURE(draw, sequential, std::string(R"({"kind": "sequential", "write_rate": "200000 pages/s"})"));
BENCHMARK_CAPTURE(
    draw, hot_set,
    std::string(
        R"({"kind": "hot_set", "write_rate": "200000 pages/s", "hot_memory": "256 MiB", "hot_share": "95 %"})"));
BENCHMARK_CAPTURE(draw, zipf, std::string(R"({"kind": "zipf", "write_rate": "200000 pages/s", "exponent": 1})"));
BENCHMARK_CAPTURE(draw, phased, std::string(R"({"kind": "phased", "phases": [
    {"lasts": "300 ms", "workload": {"kind": "uniform", "write_rate": "200000 pages/s"}},
    {"lasts": "700 ms", "workload": {"kind": "sequential", "write_rate": "200000 pages/s"}}]})"));
BENCHMARK_CAPTURE(draw, mix, std::string(R"({"kind": "mix", "parts": [
    {"kind": "uniform", "write_rate": "100000 pages/s"}, {"kind": "sequential", "write_rate": "100000 pages/s"}]})"));

}  // namespace
}  // namespace godwit
