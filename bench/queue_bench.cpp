#include <benchmark/benchmark.h>

#include <queue>
#include <vector>

#include "models/prng.h"
#include "sim/event_queue.h"

// The hold model: with `n` events pending, the first is taken out and another put in, some way ahead. Beside the event queue,
// what the standard library has, with bare numbers instead of events.
namespace godwit {
namespace {

std::int64_t some_way_ahead(models::Stream& random) { return static_cast<std::int64_t>(random.next() >> 34); }

void event_queue(benchmark::State& state) {
  sim::EventQueue queue;
  models::Stream random(1, 1, 1, 1);
  for (std::int64_t i = 0; i < state.range(0); ++i) queue.push(Nanos{some_way_ahead(random)}, sim::Lane::kCore, [] {});
  for (auto _ : state) {
    const Nanos now = queue.first_at();
    queue.pop()();
    queue.push(now + Nanos{some_way_ahead(random)}, sim::Lane::kCore, [] {});
  }
  state.SetItemsProcessed(static_cast<std::int64_t>(state.iterations()));
}

void priority_queue(benchmark::State& state) {
  std::priority_queue<std::int64_t, std::vector<std::int64_t>, std::greater<>> queue;
  models::Stream random(1, 1, 1, 1);
  for (std::int64_t i = 0; i < state.range(0); ++i) queue.push(some_way_ahead(random));
  for (auto _ : state) {
    const std::int64_t now = queue.top();
    queue.pop();
    queue.push(now + some_way_ahead(random));
  }
  state.SetItemsProcessed(static_cast<std::int64_t>(state.iterations()));
}

BENCHMARK(event_queue)->Arg(10)->Arg(100)->Arg(1000)->Arg(10'000)->Arg(100'000);
BENCHMARK(priority_queue)->Arg(10)->Arg(100)->Arg(1000)->Arg(10'000)->Arg(100'000);

}  // namespace
}  // namespace godwit
