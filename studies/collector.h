#pragma once

#include <chrono>
#include <cstddef>
#include <mutex>
#include <utility>
#include <vector>

#include "studies/sqlite.h"
#include "studies/sweep_columns.h"

namespace godwit::studies {

/// The rows of several threads on their way to `Sink`, which has `add(row)` and `commit()` and is used by one of them at a
/// time. Commits often enough that little is lost when the process is killed, and not so often that it costs.
template <class Sink>
class Collector {
 public:
  explicit Collector(Sink& sink) : sink_(sink) {}

  /// Does not wait for a thread that is at the sink, but leaves the row to the next that comes there, unless too many wait.
  void add(Row row) {
    const bool many = leave(std::move(row)) >= kWaitingMost;
    std::unique_lock lock(sink_mutex_, std::defer_lock);
    if (many)
      lock.lock();
    else if (!lock.try_lock())
      return;
    pass_on();
    if (pending_ >= 1000 || Clock::now() - committed_ >= std::chrono::milliseconds(100)) commit();
  }

  /// Commits all there is.
  void finish() {
    const std::lock_guard lock(sink_mutex_);
    pass_on();
    commit();
  }

  /// Commits what can still be committed after something has failed: perhaps the sink itself.
  void keep() {
    try {
      finish();
    } catch (const StoreError&) {  // what failed before says more
    }
  }

 private:
  using Clock = std::chrono::steady_clock;
  static constexpr std::size_t kWaitingMost = 100;

  /// Returns how many wait.
  std::size_t leave(Row row) {
    const std::lock_guard lock(waiting_mutex_);
    waiting_.push_back(std::move(row));
    return waiting_.size();
  }

  void pass_on() {
    std::vector<Row> rows;
    {
      const std::lock_guard lock(waiting_mutex_);
      rows.swap(waiting_);
    }
    for (const Row& each : rows) sink_.add(each);
    pending_ += rows.size();
  }

  void commit() {
    sink_.commit();
    pending_ = 0;
    committed_ = Clock::now();
  }

  std::mutex waiting_mutex_;
  std::vector<Row> waiting_;
  std::mutex sink_mutex_;  // of all below
  Sink& sink_;
  std::size_t pending_ = 0;
  Clock::time_point committed_ = Clock::now();
};

}  // namespace godwit::studies
