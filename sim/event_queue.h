#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <new>
#include <type_traits>
#include <vector>

#include "base/check.h"
#include "base/units.h"

namespace godwit::sim {

/// What runs first when two events share an instant: faults before what they would break, arrivals before the core
/// goes on, starts last.
enum class Lane : std::uint8_t { kFault, kDelivery, kCore, kStart };

/// What an event does: a function object of at most three words that can be copied byte by byte, so that events move as
/// numbers do.
class Action {
 public:
  template <class Do>
  Action(const Do& what) : run_([](const void* state) { (*static_cast<const Do*>(state))(); }) {  // NOLINT
    static_assert(std::is_trivially_copyable_v<Do> && std::is_trivially_destructible_v<Do>);
    static_assert(sizeof(Do) <= sizeof state_ && alignof(Do) <= alignof(std::uint64_t));
    new (state_) Do(what);
  }
  void operator()() const { run_(state_); }

 private:
  void (*run_)(const void* state);
  alignas(std::uint64_t) std::byte state_[24];
};

/// What is to happen, in one total order: instant, lane, order of scheduling.
///
/// A radix heap (Ahuja, Mehlhorn, Orlin and Tarjan, 1990): time never goes back, so an event need only be sorted by the
/// highest digit, of four bits, in which its instant differs from that of the event taken last, and again when that one is
/// reached. An event moves at most once for each digit, always to the end of an array.
class EventQueue {
 public:
  bool empty() const { return size_ == 0; }
  std::size_t size() const { return size_; }

  /// Requires `at` not before the event taken last.
  void push(Nanos at, Lane lane, const Action& action) {
    GODWIT_CHECK(at >= last_);
    put({at, static_cast<std::uint64_t>(lane) << 60 | next_order_++, action});
    ++size_;
  }

  /// The instant of the first event; kNever where there is none.
  Nanos first_at() const {
    if (!now_.empty()) return last_;
    return levels_ == 0 ? kNever : lowest().first;
  }

  /// Takes the first event out. Requires that there is one.
  Action pop() {
    GODWIT_CHECK(size_ > 0);
    if (now_.empty()) spread();
    std::pop_heap(now_.begin(), now_.end(), later_first);
    const Action action = now_.back().action;
    now_.pop_back();
    --size_;
    return action;
  }

 private:
  struct Event {
    Nanos at;
    std::uint64_t order;  // lane, then order of scheduling
    Action action;
  };
  struct Bucket {
    Nanos first{0};  // the earliest of its events
    std::vector<Event> events;
  };
  static constexpr unsigned kDigitBits = 4, kLevels = 16, kDigits = 1 << kDigitBits;  // instants have 63 bits
  static bool later_first(const Event& a, const Event& b) { return a.order > b.order; }

  unsigned lowest_level() const { return static_cast<unsigned>(std::countr_zero(levels_)); }
  const Bucket& lowest() const {
    const unsigned level = lowest_level();
    return buckets_[level][static_cast<unsigned>(std::countr_zero(digits_[level]))];
  }

  /// Events at last_ go to the heap of what is now; others to where their digits first differ from its.
  void put(const Event& event) {
    const auto differs = static_cast<std::uint64_t>(event.at.count() ^ last_.count());
    if (differs == 0) {
      now_.push_back(event);
      return std::push_heap(now_.begin(), now_.end(), later_first);
    }
    const unsigned level = (static_cast<unsigned>(std::bit_width(differs)) - 1) / kDigitBits;
    const auto digit = static_cast<unsigned>(event.at.count() >> (level * kDigitBits)) % kDigits;
    Bucket& bucket = buckets_[level][digit];
    bucket.first = bucket.events.empty() ? event.at : std::min(bucket.first, event.at);
    bucket.events.push_back(event);
    levels_ |= 1u << level;
    digits_[level] |= 1u << digit;
  }

  /// Goes on to the instant of the first event, and sorts those of its bucket by it.
  void spread() {
    const unsigned level = lowest_level();
    std::uint32_t& digits = digits_[level];
    Bucket& bucket = buckets_[level][static_cast<unsigned>(std::countr_zero(digits))];
    last_ = bucket.first;
    digits &= digits - 1;
    if (digits == 0) levels_ &= levels_ - 1;
    spare_.swap(bucket.events);
    for (const Event& event : spare_) put(event);
    spare_.clear();
  }

  std::array<std::array<Bucket, kDigits>, kLevels> buckets_;
  std::uint32_t levels_ = 0;                     // bit i: some bucket of level i is not empty
  std::array<std::uint32_t, kLevels> digits_{};  // which, for each level
  std::vector<Event> now_;                       // at last_, as a heap
  Nanos last_{0};
  std::uint64_t next_order_ = 0;
  std::size_t size_ = 0;
  std::vector<Event> spare_;
};

}  // namespace godwit::sim
