#include "sim/guest_memory.h"

#include <algorithm>
#include <bit>

namespace godwit::sim {
namespace {

struct Layout {
  std::vector<PageRange> zero, free, page_cache;
  PageRange touchable;  // the longest stretch that is neither zero nor free
};

/// Places the page classes: those with an offset first, then from the top and from the bottom, in the order given.
Layout lay_out(const GuestOptions& options) {
  const std::uint64_t pages = options.memory.value / options.page_size.value;
  std::uint64_t low = 0;
  std::uint64_t high = pages;
  std::vector<PageRange> unused;
  Layout layout;
  for (const PageClassOptions& c : options.pages) {
    const std::uint64_t count = std::min(mul_div(pages, c.share, kWhole), high - low);
    PageRange range{0, count};
    if (c.at) {
      range.first = std::min(c.at->value / options.page_size.value, pages);
      range.count = std::min(count, pages - range.first);
    } else if (c.at_high) {
      range.first = high -= count;
    } else {
      range.first = low;
      low += count;
    }
    if (range.count == 0) continue;
    if (c.kind == PageKind::kPageCache) {
      layout.page_cache.push_back(range);
    } else {
      unused.push_back(range);
      (c.kind == PageKind::kZero ? layout.zero : layout.free).push_back(range);
    }
  }
  std::sort(unused.begin(), unused.end(), [](const PageRange& a, const PageRange& b) { return a.first < b.first; });
  std::uint64_t from = 0;
  const auto consider = [&](std::uint64_t to) {
    if (to > from && to - from > layout.touchable.count) layout.touchable = {from, to - from};
  };
  for (const PageRange& range : unused) {
    consider(range.first);
    from = std::max(from, range.end());
  }
  consider(pages);
  return layout;
}

}  // namespace

PageRange touchable(const GuestOptions& options) { return lay_out(options).touchable; }

GuestMemory::GuestMemory(const GuestOptions& options, std::uint64_t seed, std::uint64_t consumer, PagePool* pool)
    : size_{options.memory.value / options.page_size.value},
      page_size_(options.page_size),
      touchable_(lay_out(options).touchable),
      log_(size_, pool),
      zero_(size_, pool),
      free_(size_, pool),
      page_cache_(size_, pool),
      excused_(size_, pool),
      stale_(size_, pool),
      unapplied_(size_, pool),
      untouched_(size_, pool),
      workload_(options.workload, touchable_, options.page_size, seed, consumer) {
  faults_of_.resize(workload_.processes().size());
  const Layout layout = lay_out(options);
  for (const PageRange& range : layout.zero) zero_->add(range);
  for (const PageRange& range : layout.free) free_->add(range);
  for (const PageRange& range : layout.page_cache) page_cache_->add(range);
  free_->remove(*zero_, zero_->all());
  page_cache_->remove(*zero_, zero_->all());
  page_cache_->remove(*free_, free_->all());
  if (options.contents == Contents::kBytes) bytes_.emplace(size_, page_size_).fill(*zero_, seed, consumer);
}

void GuestMemory::start(Nanos guest) {
  settle_classes(guest);
  log_->clear();
  excused_->clear();
  stale_->fill();
  unapplied_->fill();
  untouched_->fill();
  tracking_ = true;
  watching_ = true;
  drawn_until_ = guest;
  drawn_.clear();
}

/// What was written while nobody tracked matters once only: a page of a class that was written is none of it any more.
void GuestMemory::settle_classes(Nanos guest) {
  if (zero_->empty() && free_->empty() && page_cache_->empty()) return;
  const auto until = [&](std::uint64_t b) { return drawn_.empty() ? drawn_until_ : drawn_[b]; };
  const auto has_some = [&](std::uint64_t b) {
    return b < blocks() && zero_->count_in_block(b) + free_->count_in_block(b) + page_cache_->count_in_block(b) > 0;
  };
  for (std::uint64_t b = 0; b < blocks();) {
    std::uint64_t end = b + 1;
    if (has_some(b)) {
      while (has_some(end) && until(end) == until(b)) ++end;
      const PageRange part = intersect({b * PageSet::kBlockPages, (end - b) * PageSet::kBlockPages}, zero_->all());
      workload_.writes(part, until(b), guest, [this](const auto& some) { write(some); });
    }
    b = end;
  }
}

void GuestMemory::mark(const PageRun& run) {
  const std::uint64_t before = log_->count().value;
  log_->add(run);
  faults_ += log_->count().value - before;
  if (watching_) stale_->add(run);
  write(run);
}

void GuestMemory::mark(const BlockWords& some) {
  faults_ += log_->add(some);
  if (watching_) stale_->add(some);
  write(some);
}

void GuestMemory::mark(workloads::Writer writer) {
  charge();
  process_ = writer.process;
}

/// Counts the faults since the last call as those of the process that was writing.
void GuestMemory::charge() {
  if (process_) faults_of_[*process_] += faults_ - charged_;
  charged_ = faults_;
}

/// Whether all of the block is marked, and no write to it tells the oracle or changes what the pages are.
bool GuestMemory::settled(std::uint64_t block) const {
  if (!log_->block_full(block) || (watching_ && !stale_->block_full(block)) || bytes_) return false;
  return zero_->count_in_block(block) + free_->count_in_block(block) + page_cache_->count_in_block(block) == 0;
}

/// Draws all writes to `range` in the guest time (from, to].
void GuestMemory::draw(PageRange range, Nanos from, Nanos to) {
  struct Marks {
    GuestMemory& memory;
    void operator()(const PageRun& run) { memory.mark(run); }
    void operator()(const BlockWords& some) { memory.mark(some); }
    void operator()(workloads::Writer writer) { memory.mark(writer); }
    bool settled(std::uint64_t block) const { return memory.settled(block); }
  };
  workload_.writes(range, from, to, Marks{*this});
  charge();
  process_.reset();
}

void GuestMemory::write(const PageRun& run) {
  if (!free_->empty()) free_->remove(run);
  if (!page_cache_->empty()) page_cache_->remove(run);
  if (run.is_zero()) return;  // zeroes were written: the page is as zero as it was
  if (!zero_->empty()) zero_->remove(run);
  if (bytes_) bytes_->write(run);
}

void GuestMemory::write(const BlockWords& some) {
  if (!free_->empty()) free_->remove(some);
  if (!page_cache_->empty()) page_cache_->remove(some);
  if (!zero_->empty()) zero_->remove(some);
  if (bytes_) for_each_run(some, [this](const PageRun& run) { bytes_->write(run); });
}

/// Writes can change the answer only in blocks that have zero pages.
void GuestMemory::test_zero(const PageRun& run, Nanos guest) {
  constexpr std::uint64_t kBlock = PageSet::kBlockPages;
  const PageIndex last = run.is_mask() ? run.word() * 64 + 63 : run.first() + run.count() - 1;
  for (std::uint64_t b = run.first() / kBlock; b <= last / kBlock; ++b) {
    if (zero_->count_in_block(b) > 0) advance(intersect({b * kBlock, kBlock}, zero_->all()), guest);
  }
  if (!bytes_) return;
  for_each_page(run, [this](PageIndex page) { GODWIT_CHECK(bytes_->is_zero(page) == zero_->contains(page)); });
}

void GuestMemory::scribble(PageRange range) {
  if (bytes_ && range.count > 0) bytes_->write(PageRun::solid(range.first, range.count));
}

void GuestMemory::advance(PageRange range, Nanos guest) {
  if (!tracking_) return;
  if (range.count == size_.value && drawn_.empty()) {
    draw(range, drawn_until_, guest);
    drawn_until_ = guest;
    return;
  }
  if (drawn_.empty()) drawn_.assign(blocks(), drawn_until_);
  // Neighbouring blocks that were drawn up to the same instant go together.
  std::uint64_t b = range.first / PageSet::kBlockPages;
  const std::uint64_t end = (range.end() + PageSet::kBlockPages - 1) / PageSet::kBlockPages;
  while (b < end) {
    std::uint64_t same = b + 1;
    while (same < end && drawn_[same] == drawn_[b]) ++same;
    const PageRange part = intersect({b * PageSet::kBlockPages, (same - b) * PageSet::kBlockPages}, log_->all());
    draw(part, drawn_[b], guest);
    std::fill(drawn_.begin() + static_cast<std::ptrdiff_t>(b), drawn_.begin() + static_cast<std::ptrdiff_t>(same),
              guest);
    b = same;
  }
  if (range.count == size_.value) {
    drawn_until_ = guest;
    drawn_.clear();
  }
}

void GuestMemory::dirty(PageRange range) {
  if (!tracking_ || range.count == 0) return;
  mark(PageRun::solid(range.first, range.count));
}

std::uint64_t GuestMemory::first_touches(std::span<const PageRun> runs) const {
  std::uint64_t pages = 0;
  if (untouched_->empty()) return pages;
  PageSet::Reader untouched(*untouched_);
  for (const PageRun& run : runs) {
    if (run.is_zero()) continue;
    pages += run.is_mask() ? popcount(untouched.word(run.word()) & run.mask())
                           : untouched_->count_in({run.first(), run.count()});
  }
  return pages;
}

std::uint64_t GuestMemory::changed(std::uint64_t word, std::uint64_t mask, Nanos guest) {
  const PageIndex block = word / PageSet::kBlockWords * PageSet::kBlockPages;
  advance(intersect({block, PageSet::kBlockPages}, stale_->all()), guest);
  return stale_->word(word) & mask;
}

void GuestMemory::drop_page_cache(PageSet& into) {
  into.add(*page_cache_, page_cache_->all());
  free_->add(*page_cache_, page_cache_->all());
  page_cache_->clear();
}

void GuestMemory::excuse_free() {
  if (!watching_ || free_->empty() || stale_->empty()) return;
  excused_->add(*stale_, stale_->all());
  stale_->remove(*free_, free_->all());
  excused_->remove(*stale_, stale_->all());
  unapplied_->remove(*excused_, excused_->all());
}

void GuestMemory::gathered(const PageSet& pages) {
  if (watching_) stale_->remove(pages, pages.all());
  unapplied_->add(pages, pages.all());
}

void GuestMemory::applied(std::span<const PageRun> runs) {
  if (runs.data() == in_hand_.data() && runs.size() == in_hand_.size()) in_hand_ = {};
  handed_over();
  unapplied_->remove(runs);
  if (untouched_->empty()) return;
  if (std::ranges::none_of(runs, &PageRun::is_zero)) {
    untouched_->remove(runs);
    return;
  }
  for (const PageRun& run : runs)
    if (!run.is_zero()) untouched_->remove(run);
}

}  // namespace godwit::sim
