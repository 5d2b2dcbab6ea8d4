#include "studies/sweep.h"

#include <fmt/format.h>

#include <variant>

#include "sim/run.h"
#include "studies/collector.h"

namespace godwit::studies {
namespace {

std::string first_of(const std::vector<scenarios::Issue>& issues) {
  const scenarios::Issue& first = issues.front();
  return first.pointer.empty() ? first.message : first.pointer + ": " + first.message;
}

}  // namespace

StoreHeader header_of(const Sweep& sweep, const std::string& file, Shard shard) {
  return {GODWIT_VERSION, sweep.document(), sweep.hash(), file, sweep.points(), shard, SweepRows(sweep).columns()};
}

std::string other_than(const StoreHeader& found, const StoreHeader& wanted) {
  if (found.sweep_hash != wanted.sweep_hash) return "the output of another sweep";
  if (found.version != wanted.version)
    return fmt::format("written by godwit {}; this is {}, which may come to other results", found.version,
                       wanted.version);
  if (found.columns != wanted.columns) return "a table with other columns";
  if (found.shard != wanted.shard)
    return fmt::format("the output of shard {}/{}", found.shard.index, found.shard.count);
  return {};
}

std::vector<std::uint64_t> missing_points(SweepStore& store) {
  const std::vector<bool> there = store.present();
  std::vector<std::uint64_t> missing;
  for (std::uint64_t number = 0; number < there.size(); ++number)
    if (store.header().shard.has(number) && !there[number]) missing.push_back(number);
  return missing;
}

Row run_point(const Sweep& sweep, const SweepRows& rows, std::uint64_t number) {
  const auto options = options_at(sweep, number);
  if (const auto* issues = std::get_if<std::vector<scenarios::Issue>>(&options))
    return rows.row(number, first_of(*issues));
  thread_local sim::Arena arena;  // of the points that this thread runs one after another
  return rows.row(number, figures_of(sim::run(std::get<sim::RunOptions>(options), arena)));
}

void run_points(const Sweep& sweep, const std::vector<std::uint64_t>& points, std::uint32_t jobs, SweepStore& store,
                const Progress& progress) {
  const SweepRows rows(sweep);
  Collector collector(store);
  const auto work = [&](std::size_t i) { collector.add(run_point(sweep, rows, points[i])); };
  try {
    for_each_number(points.size(), jobs, work, progress);
    collector.finish();
  } catch (...) {
    collector.keep();
    throw;
  }
}

}  // namespace godwit::studies
