#pragma once

#include <span>
#include <utility>

#include "base/page_set.h"
#include "core/plan.h"
#include "core/ports.h"

namespace godwit::core {

/// Keeps the first `pages` pages of `runs`, cutting a run in two where need be. Returns how many runs those are and,
/// in `rest`, the second half of the run that was cut (count 0 where none was).
std::size_t keep_first(std::span<PageRun> runs, Pages pages, PageRun& rest);

/// What a batch amounts to.
struct BatchSize {
  Pages pages{0};
  Pages zero{0};
  Bytes bytes{0};  ///< On the wire, without the record's own framing.
};
BatchSize size_of(std::span<const PageRun> runs, const Charge& charge);

/// How many pages from the front of `runs` it takes to go beyond `budget` bytes, the bytes of normal pages being
/// looked at only after every `granule` of them; all where the budget is not reached.
Pages pages_beyond(std::span<const PageRun> runs, const Charge& charge, Bytes budget, Pages granule);

/// Where the next page to send is looked for: goes round the memory in the plan's order.
class Walk {
 public:
  Walk(PageOrder order, Pages size);

  /// Back to the first page of the order.
  void rewind() { at_ = low_ = 0; }
  /// Goes on from `page`: it is likely that its neighbours are wanted next.
  void pivot(PageIndex page) { at_ = low_ = page; }
  /// Whether it has gone past the end of the memory since it was asked last.
  bool wrapped() { return std::exchange(wrapped_, false); }
  /// Back to `page`, which has been taken and did not go after all. Only the ascending order can.
  void back_to(PageIndex page) {
    if (order_ == PageOrder::kAscending) at_ = page;
  }

  /// Takes up to `pages_max` pages out of `pending`, from where the walk stands, into `out`, in send order. With
  /// `chunk` > 0 they all lie in one chunk of so many pages (ascending order only). Returns the runs written; none
  /// only where `pending` is empty.
  std::size_t take(PageSet& pending, Pages pages_max, std::uint64_t chunk, std::span<PageRun> out);

 private:
  std::size_t take_ascending(PageSet& pending, Pages pages_max, std::uint64_t chunk, std::span<PageRun> out);
  std::size_t take_rotated(PageSet& pending, Pages pages_max, std::span<PageRun> out);
  std::uint64_t columns_within(const PageSet& pending, std::uint64_t column, std::uint64_t most) const;
  std::size_t take_bubble(PageSet& pending, Pages pages_max, std::span<PageRun> out);

  PageOrder order_;
  std::uint64_t size_;
  unsigned bits_ = 0;  // the rotated order runs through 2^bits_ indices
  std::uint64_t at_ = 0;
  std::uint64_t low_ = 0;  // of a bubble: the lower end, which has been passed
  bool wrapped_ = false;
};

}  // namespace godwit::core
