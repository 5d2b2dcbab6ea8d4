#include "studies/parallel.h"

#include <atomic>
#include <exception>
#include <mutex>
#include <thread>
#include <vector>

#include "base/check.h"

namespace godwit::studies {
namespace {

class Numbers {
 public:
  Numbers(std::size_t count, const std::function<void(std::size_t)>& work, const Progress& progress)
      : count_(count), work_(work), progress_(progress) {}

  /// Takes one number after another until none is left. Several threads may.
  void take() {
    while (!ended_) {
      const std::size_t number = next_++;
      if (number >= count_) return;
      try {
        work_(number);
        finished();
      } catch (...) {
        fail();
      }
    }
  }

  void rethrow() const {
    if (failure_) std::rethrow_exception(failure_);
  }

 private:
  void finished() {
    const std::lock_guard lock(mutex_);
    ++done_;
    if (progress_ && !progress_(done_, count_)) ended_ = true;
  }

  void fail() {
    const std::lock_guard lock(mutex_);
    if (!failure_) failure_ = std::current_exception();
    ended_ = true;
  }

  const std::size_t count_;
  const std::function<void(std::size_t)>& work_;
  const Progress& progress_;
  std::atomic<std::size_t> next_{0};
  std::atomic<bool> ended_{false};
  std::mutex mutex_;
  std::size_t done_ = 0;
  std::exception_ptr failure_;
};

}  // namespace

void for_each_number(std::size_t count, std::uint32_t jobs, const std::function<void(std::size_t)>& work,
                     const Progress& progress) {
  GODWIT_CHECK(jobs > 0);
  Numbers numbers(count, work, progress);
  {
    std::vector<std::jthread> others;
    for (std::uint32_t i = 1; i < jobs && i < count; ++i) others.emplace_back([&numbers] { numbers.take(); });
    numbers.take();
  }
  numbers.rethrow();
}

}  // namespace godwit::studies
