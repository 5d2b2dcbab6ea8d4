#include "sim/run.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

#include <algorithm>
#include <deque>

#include "sim/events.h"

namespace godwit::sim {
namespace {

/// Starts each migration when its time has come, its forerunner has ended, no other moves its guest, and there is room
/// for one more.
class Starter {
 public:
  Starter(World& world, std::deque<Migration>& migrations)
      : world_(world),
        migrations_(migrations),
        moving_(world.guests.size()),
        followers_(world.options.migrations.size()) {}

  void plan() {
    const auto& list = world_.options.migrations;
    for (std::size_t i = 0; i < list.size(); ++i) {
      if (list[i].after)
        followers_[*list[i].after].push_back(i);
      else
        world_.engine.schedule(list[i].at, Lane::kStart, [this, i] { due(i); });
    }
  }

  void ended(std::size_t index) {
    --running_;
    moving_[world_.options.migrations[index].guest] = false;
    for (const std::size_t i : followers_[index]) {
      const Nanos at = later(world_.engine.now(), world_.options.migrations[i].at);
      world_.engine.schedule(at, Lane::kStart, [this, i] { due(i); });
    }
    // One end makes way for one.
    const auto ready = std::ranges::find_if(waiting_, [this](std::size_t i) { return may_begin(i); });
    if (ready == waiting_.end()) return;
    world_.engine.schedule(world_.engine.now(), Lane::kStart, [this, next = *ready] { due(next); });
    waiting_.erase(ready);
  }

 private:
  bool may_begin(std::size_t index) const {
    const RunOptions& options = world_.options;
    const bool room = options.max_parallel == 0 || running_ < options.max_parallel;
    return room && !moving_[options.migrations[index].guest];
  }

  void due(std::size_t index) {
    if (!may_begin(index)) return waiting_.push_back(index);
    ++running_;
    moving_[world_.options.migrations[index].guest] = true;
    migrations_[index].begin();
  }

  World& world_;
  std::deque<Migration>& migrations_;
  std::vector<bool> moving_;                         // of each guest, whether a migration of it is under way
  std::vector<std::vector<std::size_t>> followers_;  // of each, those that begin after it
  std::deque<std::size_t> waiting_;
  std::uint32_t running_ = 0;
};

}  // namespace

RunResult run(const RunOptions& options) {
  Arena arena;
  return run(options, arena);
}

RunResult run(const RunOptions& options, Arena& arena) {
  World world(options, arena);
  std::deque<Migration> migrations;
  Starter starter(world, migrations);
  for (std::size_t i = 0; i < options.migrations.size(); ++i) {
    migrations.emplace_back(world, options.migrations[i], [&starter, i] { starter.ended(i); });
  }
  const Events events(world, migrations);
  starter.plan();
  world.engine.run_until(options.horizon);

  RunResult result;
  result.seed = options.seed;
  for (const Migration& migration : migrations) {
    // The liveness oracle: where nothing is left to happen, nobody may be waiting.
    GODWIT_CHECK(!world.engine.dry() || !migration.began() || migration.ended() || migration.paused());
    const MigrationResult& figures = result.migrations.emplace_back(migration.result());
    const Nanos ended = migration.ended() ? figures.requested_at + figures.total_time : world.engine.now();
    result.ended_at = std::max(result.ended_at, ended);
  }
  result.digest = XXH64(world.records.data(), world.records.size() * sizeof(SemanticRecord), 0);
  result.records = std::move(world.records);
  return result;
}

}  // namespace godwit::sim
