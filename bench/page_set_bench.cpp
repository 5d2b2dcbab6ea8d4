#include <benchmark/benchmark.h>

#include <array>

#include "models/prng.h"
#include "sim/arena.h"
#include "sim/guest_memory.h"

// Sets of the pages of a 16 GiB guest: all of them, every word mixed, or a few pages in each block.
namespace godwit {
namespace {

constexpr Pages kSize{std::uint64_t{16} << 18};
constexpr std::uint64_t kWords = kSize.value / 64;

void fill_words(PageSet& set, std::uint64_t step) {
  models::Stream random(1, 1, 1, 1);
  for (std::uint64_t w = 0; w < kWords; w += step) set.add_word(w, random.next() | 1);
}

void add_words(benchmark::State& state) {
  sim::Arena arena;
  for (auto _ : state) {
    sim::OwnedPageSet set(kSize, &arena.pages());
    for (std::uint64_t w = 0; w < kWords; ++w) set->add_word(w, 0x00ff00ff00ff00ff);
    benchmark::DoNotOptimize(set->count());
  }
  state.SetItemsProcessed(static_cast<std::int64_t>(state.iterations() * kWords));
}

void add_set(benchmark::State& state) {
  sim::Arena arena;
  sim::OwnedPageSet from(kSize, &arena.pages());
  fill_words(*from, static_cast<std::uint64_t>(state.range(0)));
  for (auto _ : state) {
    sim::OwnedPageSet into(kSize, &arena.pages());
    into->add(*from, into->all());
    benchmark::DoNotOptimize(into->count());
  }
  state.SetItemsProcessed(static_cast<std::int64_t>(state.iterations() * kWords) / state.range(0));
}

void take(benchmark::State& state) {
  sim::Arena arena;
  std::array<PageRun, 1024> runs;
  for (auto _ : state) {
    state.PauseTiming();
    sim::OwnedPageSet set(kSize, &arena.pages());
    fill_words(*set, static_cast<std::uint64_t>(state.range(0)));
    state.ResumeTiming();
    while (!set->empty()) benchmark::DoNotOptimize(set->take(set->all(), UINT64_MAX, runs));
  }
  state.SetItemsProcessed(static_cast<std::int64_t>(state.iterations() * kWords) / state.range(0));
}

// Everything is in the set, or nothing: no word is looked at.
void fill_and_clear(benchmark::State& state) {
  sim::Arena arena;
  sim::OwnedPageSet set(kSize, &arena.pages());
  for (auto _ : state) {
    set->fill();
    benchmark::DoNotOptimize(set->count());
    set->clear();
  }
}

BENCHMARK(add_words);
BENCHMARK(add_set)->Arg(1)->Arg(64);
BENCHMARK(take)->Arg(1)->Arg(64);
BENCHMARK(fill_and_clear);

}  // namespace
}  // namespace godwit
