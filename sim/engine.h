#pragma once

#include <cstdint>

#include "base/units.h"
#include "sim/event_queue.h"

namespace godwit::sim {

/// Virtual time and what is to happen in it.
///
/// A run that never comes to an end in any time that somebody would wait (rounds of a microsecond up to a horizon of a
/// year) is ended before it has taken all memory: work is counted, in units of some nanoseconds of a real CPU, and
/// beyond kWorkMost no time passes any more. What counts is what the run does, so the end is the same everywhere.
class Engine {
 public:
  static constexpr std::uint64_t kWorkMost = 20'000'000'000;

  Nanos now() const { return now_; }

  /// Requires `at` >= now().
  void schedule(Nanos at, Lane lane, const Action& action) {
    GODWIT_CHECK(at >= now_);
    queue_.push(at, lane, action);
  }

  /// Moves time to `at` at once if nothing is scheduled up to then and the horizon lies beyond. A run of one migration
  /// hardly ever needs the queue.
  bool skip_to(Nanos at) {
    spend(kStep);
    if (at > horizon_ || exhausted() || queue_.first_at() <= at) return false;
    now_ = at;
    return true;
  }

  /// Counts work, and whether it has become too much.
  void spend(std::uint64_t work) { work_ += work; }
  bool exhausted() const { return work_ > kWorkMost; }

  /// Nothing is left to happen.
  bool dry() const { return queue_.empty(); }

  /// Runs what is scheduled, in order, up to and including `horizon`.
  void run_until(Nanos horizon) {
    horizon_ = horizon;
    while (!queue_.empty() && queue_.first_at() <= horizon && !exhausted()) {
      spend(kStep);
      now_ = queue_.first_at();
      queue_.pop()();
    }
    if (!queue_.empty() && !exhausted()) now_ = horizon;
  }

 private:
  static constexpr std::uint64_t kStep = 40;

  Nanos now_{0};
  std::uint64_t work_ = 0;
  Nanos horizon_ = kNever;
  EventQueue queue_;
};

}  // namespace godwit::sim
