#pragma once

#include <algorithm>
#include <compare>
#include <cstdint>
#include <functional>
#include <vector>

#include "base/units.h"

namespace godwit::sim {

/// What runs first when two events share an instant: faults before what they would break, arrivals before the core
/// goes on, starts last.
enum class Lane : std::uint8_t { kFault, kDelivery, kCore, kStart };

/// Virtual time and what is to happen in it, in one total order: instant, lane, order of scheduling.
///
/// A run that never comes to an end in any time that somebody would wait (rounds of a microsecond up to a horizon of a
/// year) is ended before it has taken all memory: work is counted, in units of some nanoseconds of a real CPU, and
/// beyond kWorkMost no time passes any more. What counts is what the run does, so the end is the same everywhere.
class Engine {
 public:
  using Action = std::function<void()>;

  static constexpr std::uint64_t kWorkMost = 20'000'000'000;

  Nanos now() const { return now_; }

  /// Requires `at` >= now().
  void schedule(Nanos at, Lane lane, Action action) {
    GODWIT_CHECK(at >= now_);
    heap_.push_back({at, lane, next_sequence_++, std::move(action)});
    std::push_heap(heap_.begin(), heap_.end(), later_first);
  }

  /// Moves time to `at` at once if nothing is scheduled up to then and the horizon lies beyond. A run of one migration
  /// hardly ever needs the queue.
  bool skip_to(Nanos at) {
    spend(kStep);
    if (at > horizon_ || exhausted() || (!heap_.empty() && heap_.front().at <= at)) return false;
    now_ = at;
    return true;
  }

  /// Counts work, and whether it has become too much.
  void spend(std::uint64_t work) { work_ += work; }
  bool exhausted() const { return work_ > kWorkMost; }

  /// Nothing is left to happen.
  bool dry() const { return heap_.empty(); }

  /// Runs what is scheduled, in order, up to and including `horizon`.
  void run_until(Nanos horizon) {
    horizon_ = horizon;
    while (!heap_.empty() && heap_.front().at <= horizon && !exhausted()) {
      spend(kStep);
      std::pop_heap(heap_.begin(), heap_.end(), later_first);
      const Event event = std::move(heap_.back());
      heap_.pop_back();
      now_ = event.at;
      event.action();
    }
    if (!heap_.empty() && !exhausted()) now_ = horizon;
  }

 private:
  struct Event {
    Nanos at;
    Lane lane;
    std::uint64_t sequence;
    Action action;
  };
  static bool later_first(const Event& a, const Event& b) {
    if (a.at != b.at) return a.at > b.at;
    if (a.lane != b.lane) return a.lane > b.lane;
    return a.sequence > b.sequence;
  }

  static constexpr std::uint64_t kStep = 40;

  Nanos now_{0};
  std::uint64_t work_ = 0;
  Nanos horizon_ = kNever;
  std::uint64_t next_sequence_ = 0;
  std::vector<Event> heap_;
};

}  // namespace godwit::sim
