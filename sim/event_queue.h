#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <new>
#include <span>
#include <type_traits>
#include <utility>
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
/// highest digit, of five bits, in which its instant differs from that of a base, and again when that bucket is reached,
/// whose first instant is then the base. An event moves at most once for each digit, always to the end of an array. A bucket
/// with few events is not sorted any further: the first of them is looked for each time, and the base stays where it was.
/// What moves is instant and order, 16 bytes; what an event does stays where it was put.
class EventQueue {
 public:
  bool empty() const { return size_ == 0; }
  std::size_t size() const { return size_; }

  /// Requires `at` not before the event taken last.
  void push(Nanos at, Lane lane, const Action& action) {
    GODWIT_CHECK(at >= taken_ && next_order_ < kOrders);
    put({at, (static_cast<std::uint64_t>(lane) << kOrderBits | next_order_++) << kSlotBits | keep(action)});
    ++size_;
  }

  /// The instant of the first event; kNever where there is none.
  Nanos first_at() const {
    if (!now_.empty()) return base_;
    return levels_ == 0 ? kNever : buckets_[lowest().level][lowest().digit].first;
  }

  /// Takes the first event out. Requires that there is one.
  Action pop() {
    GODWIT_CHECK(size_ > 0);
    --size_;
    const Event event = take_first();
    taken_ = event.at;
    const auto slot = static_cast<std::uint32_t>(event.order % kSlots);
    free_.push_back(slot);
    return actions_[slot];
  }

 private:
  struct Event {
    Nanos at;
    std::uint64_t order;  // lane, then order of scheduling, then the slot of its action
  };
  struct Bucket {
    Nanos first{0};  // the earliest of its events
    std::vector<Event> events;
  };
  struct Place {
    unsigned level, digit;
  };
  static constexpr unsigned kDigitBits = 5, kLevels = 13, kDigits = 1 << kDigitBits;  // instants have 63 bits
  static constexpr unsigned kOrderBits = 36, kSlotBits = 26;  // of 64, with two for the lane; an engine ends before
  static constexpr std::uint64_t kOrders = std::uint64_t{1} << kOrderBits, kSlots = std::uint64_t{1} << kSlotBits;
  static constexpr std::size_t kFew = 8;

  static bool later_first(const Event& a, const Event& b) { return a.order > b.order; }

  /// Puts `action` where it can stay, and returns its slot.
  std::uint64_t keep(const Action& action) {
    if (free_.empty()) {
      GODWIT_CHECK(actions_.size() < kSlots);
      actions_.push_back(action);
      return actions_.size() - 1;
    }
    const std::uint32_t slot = free_.back();
    free_.pop_back();
    actions_[slot] = action;
    return slot;
  }

  /// Events at base_ go to the heap of what is now; others to where their digits first differ from its.
  void put(const Event& event) {
    const auto differs = static_cast<std::uint64_t>(event.at.count() ^ base_.count());
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

  /// The bucket with the first event. Requires that there is one in a bucket.
  Place lowest() const {
    const auto level = static_cast<unsigned>(std::countr_zero(levels_));
    return {level, static_cast<unsigned>(std::countr_zero(digits_[level]))};
  }

  Event take_first() {
    if (now_.empty()) {
      const Place place = lowest();
      Bucket& bucket = buckets_[place.level][place.digit];
      if (bucket.events.size() > 1 && bucket.events.size() <= kFew) return take_first_of_few(bucket);
      base_ = bucket.first;
      forget(place);
      if (bucket.events.size() == 1) return taken_from(bucket.events);
      spread(bucket);
    }
    if (now_.size() > 1) std::pop_heap(now_.begin(), now_.end(), later_first);
    return taken_from(now_);
  }

  static Event taken_from(std::vector<Event>& events) {
    const Event event = events.back();
    events.pop_back();
    return event;
  }

  /// Without branches, which nobody could predict. Requires two events at least.
  static Event take_first_of_few(Bucket& bucket) {
    Event* first = bucket.events.data();
    u128 least = key(*first), next = ~u128{0};
    for (Event& each : std::span(bucket.events).subspan(1)) {
      const u128 one = key(each);
      const bool less = one < least;
      next = std::min(next, less ? least : one);
      least = less ? one : least;
      first = less ? &each : first;
    }
    const Event event = std::exchange(*first, bucket.events.back());
    bucket.events.pop_back();
    bucket.first = Nanos{static_cast<std::int64_t>(next >> 64)};
    return event;
  }

  static u128 key(const Event& event) { return static_cast<u128>(event.at.count()) << 64 | event.order; }

  void forget(Place place) {
    digits_[place.level] &= ~(1u << place.digit);
    if (digits_[place.level] == 0) levels_ &= ~(1u << place.level);
  }

  /// Sorts the events of `bucket` by where they differ from the first of them, which is at base_.
  void spread(Bucket& bucket) {
    spare_.swap(bucket.events);
    for (const Event& event : spare_) put(event);
    spare_.clear();
  }

  std::array<std::array<Bucket, kDigits>, kLevels> buckets_;
  std::uint32_t levels_ = 0;                     // bit i: some bucket of level i is not empty
  std::array<std::uint32_t, kLevels> digits_{};  // which, for each level
  std::vector<Event> now_;                       // at base_, as a heap
  Nanos base_{0};                                // no event is before it
  Nanos taken_{0};
  std::uint64_t next_order_ = 0;
  std::size_t size_ = 0;
  std::vector<Action> actions_;
  std::vector<std::uint32_t> free_;  // slots of actions_
  std::vector<Event> spare_;
};

}  // namespace godwit::sim
