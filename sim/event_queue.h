#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <cstdint>
#include <functional>
#include <utility>
#include <vector>

#include "base/check.h"
#include "base/units.h"

namespace godwit::sim {

/// What runs first when two events share an instant: faults before what they would break, arrivals before the core
/// goes on, starts last.
enum class Lane : std::uint8_t { kFault, kDelivery, kCore, kStart };

/// What is to happen, in one total order: instant, lane, order of scheduling.
///
/// A radix heap (Ahuja, Mehlhorn, Orlin and Tarjan, 1990): time never goes back, so an event need only be sorted by the
/// highest bit in which its instant differs from that of the event taken last, and again when that one is reached. An
/// event moves to a lower bucket at most once for each bit, always to the end of an array.
class EventQueue {
 public:
  using Action = std::function<void()>;

  bool empty() const { return size_ == 0; }
  std::size_t size() const { return size_; }

  /// Requires `at` not before the event taken last.
  void push(Nanos at, Lane lane, Action action) {
    GODWIT_CHECK(at >= last_);
    const std::uint32_t slot = keep(std::move(action));
    put({at, static_cast<std::uint64_t>(lane) << 60 | next_order_++, slot});
    if (size_ == 0 || first_at_ != kNever) first_at_ = std::min(first_at_, at);
    ++size_;
  }

  /// The instant of the first event; kNever where there is none.
  Nanos first_at() {
    if (first_at_ == kNever && size_ > 0) {
      const std::vector<Event>& bucket = buckets_[static_cast<unsigned>(std::countr_zero(used_))];
      for (const Event& event : bucket) first_at_ = std::min(first_at_, event.at);
    }
    return first_at_;
  }

  /// Takes the first event out. Requires that there is one.
  Action pop() {
    GODWIT_CHECK(size_ > 0);
    if ((used_ & 1) == 0) spread();
    std::vector<Event>& now = buckets_[0];
    std::pop_heap(now.begin(), now.end(), later_first);
    const std::uint32_t slot = now.back().slot;
    now.pop_back();
    if (now.empty()) {
      used_ &= ~std::uint64_t{1};
      first_at_ = kNever;
    }
    --size_;
    free_.push_back(slot);
    return std::exchange(actions_[slot], nullptr);
  }

 private:
  struct Event {
    Nanos at;
    std::uint64_t order;  // lane, then order of scheduling
    std::uint32_t slot;   // of its action
  };
  static bool later_first(const Event& a, const Event& b) { return a.order > b.order; }

  std::uint32_t keep(Action action) {
    if (free_.empty()) {
      free_.push_back(static_cast<std::uint32_t>(actions_.size()));
      actions_.emplace_back();
    }
    const std::uint32_t slot = free_.back();
    free_.pop_back();
    actions_[slot] = std::move(action);
    return slot;
  }

  /// Bucket 0 holds the events at last_, as a heap; bucket i those whose instant first differs from it in bit i - 1.
  void put(const Event& event) {
    const auto differs = static_cast<std::uint64_t>(event.at.count() ^ last_.count());
    const auto bucket = static_cast<unsigned>(std::bit_width(differs));
    buckets_[bucket].push_back(event);
    if (bucket == 0) std::push_heap(buckets_[0].begin(), buckets_[0].end(), later_first);
    used_ |= std::uint64_t{1} << bucket;
  }

  /// Goes on to the instant of the first event, and sorts those of its bucket by it.
  void spread() {
    last_ = first_at();
    const auto lowest = static_cast<unsigned>(std::countr_zero(used_));
    used_ &= used_ - 1;
    spare_.swap(buckets_[lowest]);
    for (const Event& event : spare_) put(event);
    spare_.clear();
  }

  std::array<std::vector<Event>, 64> buckets_;  // instants have 63 bits
  std::uint64_t used_ = 0;                      // bit i: bucket i is not empty
  Nanos last_{0};
  Nanos first_at_ = kNever;  // kNever: to be looked for
  std::uint64_t next_order_ = 0;
  std::size_t size_ = 0;
  std::vector<Event> spare_;
  std::vector<Action> actions_;
  std::vector<std::uint32_t> free_;
};

}  // namespace godwit::sim
