#pragma once

#include <memory>
#include <optional>
#include <span>
#include <variant>
#include <vector>

#include "base/page_set.h"
#include "models/fixed_math.h"
#include "models/prng.h"
#include "workloads/options.h"
#include "workloads/trace.h"

namespace godwit::workloads {

/// Where a workload's own time stands when the guest has run for some time: phases switch parts on and off, and what a
/// guest is asked to do varies.
class Schedule {
 public:
  /// On for `length` from `start` of every `period`. Requires start + length <= period.
  void add(Nanos period, Nanos start, Nanos length) { steps_.emplace_back(Window{period, start, length}); }
  /// Faster in one `stretch` than in another. Over sixteen of them in a row it comes to the same, and within those the
  /// speeds, 1 on average, are drawn from one another independently, as even, with the standard deviation `by`, a quarter
  /// at most. `seed` and `consumer` key them.
  void vary(Nanos stretch, Share by, std::uint64_t seed, std::uint64_t consumer) {
    steps_.emplace_back(Variation{stretch, by, seed, consumer});
  }
  Nanos local(Nanos guest) const;
  /// Whether its time is the guest's.
  bool always() const { return steps_.empty(); }

 private:
  struct Window {
    Nanos period, start, length;
    Nanos local(Nanos outer) const;
  };
  struct Variation {
    Nanos stretch;
    Share by;
    std::uint64_t seed, consumer;
    Nanos local(Nanos outer) const;
  };
  std::vector<std::variant<Window, Variation>> steps_;  // outermost first
};

/// A program of the guest that can be kept from running: then its own time stands still.
class Process {
 public:
  /// What it had of the guest's time by `guest`.
  Nanos own(Nanos guest) const;
  bool always_runs() const { return stops_.empty(); }
  bool stopped() const { return !stops_.empty() && stops_.back().end == kNever; }
  /// Requires guest time to pass from one call to the next, and the two to take turns.
  void stop(Nanos guest) { stops_.push_back({guest, kNever}); }
  /// For how long it has stood by `guest`; 0 where it runs.
  Nanos standing(Nanos guest) const { return stopped() ? guest - stops_.back().begin : Nanos{0}; }
  /// Returns how long it stood.
  Nanos go_on(Nanos guest) {
    const Nanos stood = standing(guest);
    stops_.back().end = guest;
    return stood;
  }

 private:
  struct Stop {
    Nanos begin, end;
  };
  std::vector<Stop> stops_;
};

/// Says whose writes come next.
struct Writer {
  std::size_t process;
};

/// The pages that a workload writes to, where one without a place of its own writes to `touchable`. Requires it to begin
/// before they end.
PageRange range_of(const Options& options, PageRange touchable, Bytes page_size);

/// Those of `range` that make whole groups of 64 pages, which zipf needs; count 0: none.
PageRange whole_words(PageRange range);

/// Counts the distinct pages in a trace's intervals from some interval on. Remembers the count after each, so that questions
/// with the same beginning cost one walk in all.
class DistinctPages {
 public:
  /// Of pages below `limit`, in the `intervals` intervals from `first` on, the trace repeated as needed.
  std::uint64_t in(const Trace& trace, std::uint64_t limit, std::uint64_t first, std::uint64_t intervals);

 private:
  std::uint64_t first_ = 0;
  std::vector<std::uint64_t> counts_;  // after 0, 1, 2 ... intervals
  std::vector<std::uint64_t> seen_;    // bits
};

/// Who writes which page when. Pure in guest time: the same question has the same answer, in whatever order and for
/// whatever pages it is asked, as long as each page's intervals join without gap or overlap.
///
/// uniform, hot_set and zipf are memoryless: what is written in an interval depends on its length alone, so a set of
/// pages is drawn, exact in distribution, when somebody looks. sequential and recorded are deterministic.
class Workload {
 public:
  /// `touchable` is where a workload without a place of its own writes. `seed` and `consumer` key its random streams.
  Workload(const Options& options, PageRange touchable, Bytes page_size, std::uint64_t seed, std::uint64_t consumer);

  /// Calls `mark(PageRun)` for what is written to pages of `range` in the guest time (from, to]. A page may come twice.
  /// Where zeroes are written the run is marked as zero. A `mark` that takes a Writer is told it first; one that has
  /// `settled(block)` need not be told of writes to a block of which it says true.
  /// Requires `range` to begin and end on block boundaries (4096 pages), or at the end of memory.
  template <class Mark>
  void writes(PageRange range, Nanos from, Nanos to, Mark&& mark) const;

  /// How many distinct pages are expected to be written in (from, to], rounded down; never falls as `to` rises. Off by less
  /// than 0.25 % for zipf, otherwise exact but for one case: where a part that is sequential or recorded overlaps another
  /// such, each counts as independent of the other, and a recorded one as spread evenly over its memory.
  /// Remembers what it counted in a trace: not for two threads at once.
  std::uint64_t expected_distinct(Nanos from, Nanos to) const;

  /// The first write in guest time after `from` that hits one of `missing`.
  struct Touch {
    Nanos at = kNever;
    PageIndex page = 0;
  };
  /// The next touch (of two at one instant, one); at kNever where none comes within a year. What is memoryless is drawn anew for each `draw`: exact
  /// as long as a touch of a page that has come meanwhile is dropped, and the next one asked for from there.
  Touch next_touch(const PageSet& missing, Nanos from, std::uint64_t draw) const;

  bool idle() const { return parts_.empty(); }

  /// Each part of a mix is a process, and so is a workload that is no mix. One that is stopped must have been asked for
  /// no writes of a later time.
  std::span<Process> processes() { return processes_; }

 private:
  enum class Law : std::uint8_t { kUniform, kZipf, kSequential, kTrace };
  struct Part {
    Law law;
    std::size_t process;
    Schedule schedule;
    PageRange range;
    bool zeroes = false;
    std::uint64_t rate_millionths = 0;  // of a write per second
    std::uint64_t consumer = 0;
    std::vector<models::Chance> shares;  // zipf: of the writes, for each page of a 64-page word; falling
    std::shared_ptr<const Trace> trace;
    std::unique_ptr<DistinctPages> distinct;  // of the trace
    Nanos offset{0};
    std::uint64_t speed_millionths = 1'000'000;
    bool repeat = true;

    models::Chance share_of(std::uint64_t word) const { return shares[word - range.first / 64]; }
  };

  /// The next write of a memoryless part to a missing page. Which one it hits is drawn from `stream` only where that
  /// matters: no other part comes first.
  struct Hit {
    const Part* part;
    models::Stream stream;
    Nanos wait;            // by the part's own time
    std::uint64_t out_of;  // missing pages, or by zipf their share of the writes in parts of 2^64
  };

  /// Pages that are alike to every part that covers them, as far as expectations go.
  struct Piece {
    PageRange range;
    std::size_t covers_end;  // covers_ up to here, from where those of the piece before end
  };
  struct Cover {
    std::size_t part;
    models::Chance share;  // memoryless: of the part's writes, for each page
  };

  void add(const Options& options, const Schedule& schedule, std::size_t process, PageRange touchable, Bytes page_size);
  void cut_into_pieces();
  Nanos local(const Part& part, Nanos guest) const { return part.schedule.local(processes_[part.process].own(guest)); }
  static models::Chance mean_share(const Part& part, PageRange range);
  static std::uint64_t recorded_time(const Part& part, Nanos local);
  static std::uint64_t trace_intervals(const Part& part, Nanos local);

  Nanos guest_time(const Part& part, Nanos at, Nanos from) const;
  std::optional<Hit> next_hit(const Part& part, const PageSet& missing, Nanos from, std::uint64_t draw) const;
  static PageIndex page_of(Hit& hit, const PageSet& missing);
  Touch sweeping_touch(const Part& part, const PageSet& missing, Nanos local) const;
  Touch recorded_touch(const Part& part, const PageSet& missing, Nanos local) const;
  static Nanos when_recorded(const Part& part, u128 recorded);

  template <class Mark>
  void draw_uniform(const Part& part, PageRange range, Nanos from, Nanos time, Mark& mark) const;
  template <class Mark>
  void draw_scattered(const Part& part, PageRange range, Nanos from, models::Exposure x, Mark& mark) const;
  template <class Mark>
  void draw_dense(const Part& part, PageRange range, Nanos from, models::Chance p, Mark& mark) const;
  template <class Mark>
  void draw_zipf(const Part& part, PageRange range, Nanos from, Nanos time, Mark& mark) const;
  template <class Mark>
  void replay(const Part& part, PageRange range, Nanos from, Nanos to, Mark& mark) const;
  template <class Mark>
  static void sweep(const Part& part, PageRange range, Nanos from, Nanos to, Mark& mark);
  template <class Tell>
  static void each_sweep(const Part& part, Nanos from, Nanos to, Tell&& tell);

  std::vector<Process> processes_{1};
  std::vector<Part> parts_;
  std::vector<Piece> pieces_;
  std::vector<Cover> covers_;
  std::uint64_t seed_;
  std::uint64_t next_consumer_;
};

}  // namespace godwit::workloads

#include "workloads/workload_draw.h"
