#pragma once

#include <algorithm>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "base/page_set.h"
#include "models/guest_clock.h"
#include "sim/options.h"
#include "sim/page_bytes.h"
#include "workloads/workload.h"

namespace godwit::sim {

/// A set of pages with memory of its own, or of `pool`, which must then outlive it.
class OwnedPageSet {
 public:
  explicit OwnedPageSet(Pages size, PagePool* pool = nullptr)
      : blocks_(pool != nullptr ? PageSet::groups_for(size) : PageSet::blocks_for(size)) {
    if (pool != nullptr) {
      set_ = PageSet(size, blocks_, *pool);
    } else {
      const std::uint64_t words = PageSet::words_for(size);
      words_ = std::make_unique_for_overwrite<std::uint64_t[]>(words);  // those of mixed blocks alone are ever touched
      set_ = PageSet(size, blocks_, {words_.get(), words});
    }
  }
  ~OwnedPageSet() { set_.drop_all(); }
  OwnedPageSet(const OwnedPageSet&) = delete;
  OwnedPageSet& operator=(const OwnedPageSet&) = delete;
  PageSet& operator*() { return set_; }
  const PageSet& operator*() const { return set_; }
  PageSet* operator->() { return &set_; }
  const PageSet* operator->() const { return &set_; }

 private:
  std::vector<PageBlock> blocks_;
  std::unique_ptr<std::uint64_t[]> words_;
  PageSet set_;
};

/// The longest stretch of a guest's memory that is neither zero nor free: where a workload without a place of its own
/// writes, and where the guest's kernel keeps what the migration path dirties.
PageRange touchable(const GuestOptions& options);

/// The pages of a guest: who writes them, which are marked in the log, which are zero; and the page oracle, which the
/// core never sees. Writes are drawn when somebody looks: `advance` brings a range up to an instant.
///
/// The oracle keeps two bits a page. `stale`: written since it was last read for sending. `unapplied`: read, and not yet in
/// place at the destination. Both are all ones at the start; at the switch-over both must be empty but for what nobody
/// uses. It does not verify that writes are drawn rightly: a write-by-write reference in the tests does.
class GuestMemory {
 public:
  /// Its sets are kept in `pool`, which then must outlive it.
  GuestMemory(const GuestOptions& options, std::uint64_t seed, std::uint64_t consumer, PagePool* pool = nullptr);

  Pages size() const { return size_; }
  Bytes page_size() const { return page_size_; }
  std::uint64_t blocks() const { return zero_->block_count(); }
  PageRange touchable() const { return touchable_; }
  const workloads::Workload& workload() const { return workload_; }

  /// Begins to track and to watch at guest time `guest`.
  void start(Nanos guest);
  /// Draws the writes to `range` up to guest time `guest`.
  void advance(PageRange range, Nanos guest);
  /// Marks what the migration path itself wrote.
  void dirty(PageRange range);

  PageSet& log() { return *log_; }
  const PageSet& zero() const { return *zero_; }
  /// Pages that nobody uses: those of the class free without a write, and what was dropped and not written since, as far as
  /// writes have been drawn.
  const PageSet& free() const { return *free_; }
  /// Clean copies of what a disk has, pages of the class page_cache without a write, are free from now on. Adds them to `into`.
  void drop_page_cache(PageSet& into);
  /// The pages themselves, where there are real ones.
  const std::optional<PageBytes>& bytes() const { return bytes_; }
  /// From now on the guest has these: it runs where they arrived.
  void adopt(PageBytes bytes) { bytes_ = std::move(bytes); }
  /// Looks at the pages of `run` at guest time `guest`: from then on zero() is right for them.
  void test_zero(const PageRun& run, Nanos guest);
  /// A write that belongs to no checkpoint: the bytes change, and nothing else.
  void scribble(PageRange range);
  /// First writes to a protected page since the last call.
  std::uint64_t take_faults() {
    charge();
    charged_ = 0;
    return std::exchange(faults_, 0);
  }
  /// Of each process of the workload, since they were last forgotten. Its own migration path is none.
  std::span<const std::uint64_t> faults_of_processes() const { return faults_of_; }
  void forget_faults_of_processes() { std::ranges::fill(faults_of_, 0); }
  /// The workload's processes, to stop them and let them go on.
  std::span<workloads::Process> processes() { return workload_.processes(); }

  /// Those pages of a word that were written, by guest time `guest`, since they were last read for sending.
  std::uint64_t changed(std::uint64_t word, std::uint64_t mask, Nanos guest);
  /// These pages have been read for sending, and are about to be handed over. The runs stay as they are until handed_over().
  void gathered(std::span<const PageRun> runs) {
    if (watching_) stale_->remove(runs);
    in_hand_ = runs;
  }
  void gathered(const PageSet& pages);
  /// Those that have not been applied meanwhile, as most are, are on their way from now on.
  void handed_over() { unapplied_->add(std::exchange(in_hand_, {})); }
  /// These pages are in place.
  void applied(std::span<const PageRun> runs);
  /// How many of `runs` would be the first of their pages' contents to arrive where the guest goes.
  std::uint64_t first_touches(std::span<const PageRun> runs) const;
  /// From now on writes come after every page's snapshot instant.
  void snapshot_taken() {
    excuse_free();
    watching_ = false;
  }
  /// What nobody uses at the snapshot instant need not be at the destination. Pages that the oracle has let off so.
  void excuse_free();
  const PageSet& excused() const { return *excused_; }
  /// The guest has moved without them: where it is now they are as memory is that nobody has touched.
  void left_excused() { zero_->add(*excused_, excused_->all()); }
  /// The guest never runs here again: there is nothing left to draw.
  void left() { tracking_ = false; }
  /// Source and destination agree at each page's snapshot instant.
  bool agrees() const { return stale_->empty() && unapplied_->empty(); }
  const PageSet& stale() const { return *stale_; }

 private:
  bool settled(std::uint64_t block) const;
  void draw(PageRange range, Nanos from, Nanos to);
  void mark(const PageRun& run);
  void mark(const BlockWords& some);
  void mark(workloads::Writer writer);
  void charge();
  void write(const PageRun& run);
  void write(const BlockWords& some);
  void write(workloads::Writer writer) { static_cast<void>(writer); }
  void settle_classes(Nanos guest);

  Pages size_;
  Bytes page_size_;
  PageRange touchable_;
  OwnedPageSet log_;
  OwnedPageSet zero_;
  OwnedPageSet free_;
  OwnedPageSet page_cache_;
  OwnedPageSet excused_;
  OwnedPageSet stale_;
  OwnedPageSet unapplied_;
  std::span<const PageRun> in_hand_;  // gathered, and not in unapplied_ yet
  OwnedPageSet untouched_;            // no contents have arrived yet; a zero page has none
  workloads::Workload workload_;
  std::optional<PageBytes> bytes_;
  bool tracking_ = false;
  bool watching_ = false;
  std::uint64_t faults_ = 0;
  std::uint64_t charged_ = 0;             // of those, to a process
  std::optional<std::size_t> process_;    // that is writing
  std::vector<std::uint64_t> faults_of_;  // of each process
  Nanos drawn_until_{0};                  // of every block, while drawn_ is empty
  std::vector<Nanos> drawn_;              // of each block, once they differ
};

}  // namespace godwit::sim
