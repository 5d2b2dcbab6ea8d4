#pragma once

#include <chrono>
#include <cstddef>
#include <mutex>

#include "studies/sqlite.h"
#include "studies/sweep_columns.h"

namespace godwit::studies {

/// The rows of several threads on their way to `Sink`, which has `add(row)` and `commit()` and is used by one of them at a
/// time. Commits often enough that little is lost when the process is killed, and not so often that it costs.
template <class Sink>
class Collector {
 public:
  explicit Collector(Sink& sink) : sink_(sink) {}

  void add(const Row& row) {
    const std::lock_guard lock(mutex_);
    sink_.add(row);
    if (++pending_ < 1000 && Clock::now() - committed_ < std::chrono::milliseconds(100)) return;
    sink_.commit();
    pending_ = 0;
    committed_ = Clock::now();
  }

  /// Commits what can still be committed after something has failed: perhaps the sink itself.
  void keep() {
    const std::lock_guard lock(mutex_);
    try {
      sink_.commit();
    } catch (const StoreError&) {  // what failed before says more
    }
  }

 private:
  using Clock = std::chrono::steady_clock;
  Sink& sink_;
  std::mutex mutex_;
  std::size_t pending_ = 0;
  Clock::time_point committed_ = Clock::now();
};

}  // namespace godwit::studies
