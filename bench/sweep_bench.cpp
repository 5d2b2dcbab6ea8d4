#include <benchmark/benchmark.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <filesystem>
#include <functional>
#include <stdexcept>
#include <string>
#include <thread>
#include <variant>
#include <vector>

#include "scenarios/load.h"
#include "studies/sweep.h"

// What the second job of a sweep is worth, beside what the second processor of the machine is: in turn, the sweep with one job and two, its
// rows stored, and bare threads, one and two, that run the same points with nothing stored and nothing shared. The fastest of
// each counts: what else runs on the machine can only slow them down.
namespace godwit {
namespace {

/// The points of a sweep, or some of them.
struct Points {
  std::string file;
  std::uint64_t every;
};

studies::Sweep load(const Points& which) {
  auto loaded = studies::load_sweep(GODWIT_SOURCE_DIR "/bench/cases/sweeps/" + which.file);
  if (const auto* issues = std::get_if<std::vector<scenarios::Issue>>(&loaded))
    throw std::runtime_error(scenarios::to_string(*issues));
  return std::get<studies::Sweep>(std::move(loaded));
}

std::vector<std::uint64_t> numbers(const studies::Sweep& sweep, const Points& which) {
  std::vector<std::uint64_t> points;
  for (std::uint64_t number = 0; number < sweep.points(); number += which.every) points.push_back(number);
  return points;
}

double seconds_of(const std::function<void()>& work) {
  const auto start = std::chrono::steady_clock::now();
  work();
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

double sweep_with(std::uint32_t jobs, const Points& which) {
  const studies::Sweep sweep = load(which);
  const std::string out =
      (std::filesystem::temp_directory_path() / ("godwit_sweep_bench." + std::to_string(jobs))).string();
  std::remove(out.c_str());
  double seconds = 0;
  {
    studies::SweepStore store = studies::SweepStore::create(out, studies::header_of(sweep, which.file, {}));
    seconds = seconds_of([&] {
      studies::run_points(sweep, numbers(sweep, which), jobs, store, {});
      store.finish();
    });
  }
  std::remove(out.c_str());
  return seconds;
}

/// Each thread has a sweep of its own, and of two threads each every second point.
double bare_with(std::size_t threads, const Points& which) {
  const std::vector<studies::Sweep> sweeps = [&] {
    std::vector<studies::Sweep> all;
    while (all.size() < threads) all.push_back(load(which));
    return all;
  }();
  const auto share = [&](std::size_t thread) {
    const studies::SweepRows rows(sweeps[thread]);
    const std::vector<std::uint64_t> points = numbers(sweeps[thread], which);
    for (std::size_t i = thread; i < points.size(); i += threads)
      benchmark::DoNotOptimize(studies::run_point(sweeps[thread], rows, points[i]));
  };
  return seconds_of([&] {
    std::vector<std::jthread> others;
    for (std::size_t i = 1; i < threads; ++i) others.emplace_back(share, i);
    share(0);
  });
}

void two_jobs(benchmark::State& state, const Points& which) {
  double stored[2] = {1e9, 1e9}, bare[2] = {1e9, 1e9};
  for (auto _ : state)
    for (std::uint32_t jobs = 1; jobs <= 2; ++jobs) {
      stored[jobs - 1] = std::min(stored[jobs - 1], sweep_with(jobs, which));
      bare[jobs - 1] = std::min(bare[jobs - 1], bare_with(jobs, which));
    }
  const double gain = stored[0] / stored[1], most = bare[0] / bare[1];
  state.counters["sweep_1_s"] = stored[0];
  state.counters["sweep_2_s"] = stored[1];
  state.counters["bare_1_s"] = bare[0];
  state.counters["bare_2_s"] = bare[1];
  state.counters["sweep_gain"] = gain;
  state.counters["bare_gain"] = most;
  state.counters["of_the_bare"] = gain / most;
}

// Points of milliseconds, and points of microseconds, where storing is a part that counts. 2,999 is odd, so that every
// strategy, bandwidth, rate and seed has its turn.
BENCHMARK_CAPTURE(two_jobs, sweep_1g, {"sweep_1g.json", 2999})->Iterations(3)->Unit(benchmark::kSecond)->UseRealTime();
BENCHMARK_CAPTURE(two_jobs, small_points, {"small_points.json", 1})
    ->Iterations(5)
    ->Unit(benchmark::kSecond)
    ->UseRealTime();

}  // namespace
}  // namespace godwit
