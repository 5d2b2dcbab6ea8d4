#include "tests/support/reference_guest.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <functional>
#include <random>

namespace godwit::test {
namespace {

using Random = std::mt19937_64;

/// Uniform in (0, 1), on the middles of 2^53 steps.
double fraction(Random& random) { return (static_cast<double>(random() >> 11) + 0.5) * 0x1p-53; }

PageIndex any_of(PageRange range, Random& random) { return range.first + random() % range.count; }

/// Independent writes: exponential gaps, and each to a page that `pick` draws.
class PoissonWriter : public Writer {
 public:
  using Pick = std::function<PageIndex(Random&)>;
  PoissonWriter(double per_second, std::uint64_t seed, Pick pick)
      : nanos_per_write_(1e9 / per_second), random_(seed), pick_(std::move(pick)) {}

  Write next() override {
    at_ -= std::log(fraction(random_)) * nanos_per_write_;
    if (!(at_ < 9e18)) return {};
    return {Nanos{static_cast<std::int64_t>(std::ceil(at_))}, pick_(random_)};
  }

 private:
  double nanos_per_write_;
  double at_ = 0;
  Random random_;
  Pick pick_;
};

/// The n-th write falls at n / rate, rounded up to a nanosecond, on the n-th page.
class SequentialWriter : public Writer {
 public:
  SequentialWriter(std::uint64_t rate, PageRange range) : rate_(rate), range_(range) {}

  Write next() override {
    if (rate_ == 0) return {};
    const auto at = (static_cast<u128>(++written_) * kNanosPerSecond + (rate_ - 1)) / rate_;
    return {Nanos{static_cast<std::int64_t>(at)}, range_.first + (written_ - 1) % range_.count};
  }

 private:
  std::uint64_t rate_;
  PageRange range_;
  std::uint64_t written_ = 0;
};

/// Each recorded interval's pages, at the first nanosecond at which the interval is over.
class RecordedWriter : public Writer {
 public:
  RecordedWriter(Recording recording, const workloads::Options& options, PageRange range)
      : recording_(std::move(recording)), options_(options), first_(range.first) {
    bool empty = true;
    for (auto& pages : recording_.written) {
      std::erase_if(pages, [&](PageIndex page) { return page >= range.count; });
      empty = empty && pages.empty();
    }
    if (empty) recording_.written.clear();
  }

  Write next() override {
    while (true) {
      if (recording_.written.empty()) return {};
      const std::uint64_t size = recording_.written.size();
      if (!options_.repeat && interval_ >= size) return {};
      const auto& pages = recording_.written[interval_ % size];
      const auto at = over_at(interval_);
      if (at > 0 && told_ < pages.size()) return {Nanos{at}, first_ + pages[told_++]};
      told_ = 0;
      ++interval_;
    }
  }

 private:
  /// When interval `index` has ended in the guest's time: (index + 1) intervals, less the offset, at the speed.
  std::int64_t over_at(std::uint64_t index) const {
    const std::int64_t recorded =
        static_cast<std::int64_t>(index + 1) * recording_.interval.count() - options_.offset.count();
    if (recorded <= 0) return 0;
    const auto speed = options_.speed_millionths;
    return static_cast<std::int64_t>((static_cast<u128>(recorded) * 1'000'000 + (speed - 1)) / speed);
  }

  Recording recording_;
  workloads::Options options_;
  PageIndex first_;
  std::uint64_t interval_ = 0;
  std::size_t told_ = 0;
};

/// Walks from phase to phase. A phase's writer has a time of its own, which stands while another phase is on.
class PhasedWriter : public Writer {
 public:
  void add(Nanos lasts, std::unique_ptr<Writer> writer) {
    const Write first = writer->next();
    phases_.push_back({lasts, Nanos{0}, first, std::move(writer)});
  }

  Write next() override {
    if (std::all_of(phases_.begin(), phases_.end(), [](const Phase& p) { return p.pending.at == kNever; })) return {};
    while (true) {
      Phase& phase = phases_[current_];
      if (phase.pending.at != kNever && phase.pending.at <= phase.worked + phase.lasts) {
        const Write write{began_ + (phase.pending.at - phase.worked), phase.pending.page};
        phase.pending = phase.writer->next();
        return write;
      }
      phase.worked += phase.lasts;
      began_ += phase.lasts;
      current_ = (current_ + 1) % phases_.size();
    }
  }

 private:
  struct Phase {
    Nanos lasts, worked;  // how long it is on each time; its own time when it was last switched on
    Write pending;
    std::unique_ptr<Writer> writer;
  };
  std::vector<Phase> phases_;
  std::size_t current_ = 0;
  Nanos began_{0};
};

class MixWriter : public Writer {
 public:
  void add(std::unique_ptr<Writer> writer) {
    pending_.push_back(writer->next());
    writers_.push_back(std::move(writer));
  }

  Write next() override {
    const auto first =
        std::min_element(pending_.begin(), pending_.end(), [](const Write& a, const Write& b) { return a.at < b.at; });
    if (first == pending_.end()) return {};
    const Write write = *first;
    *first = writers_[static_cast<std::size_t>(first - pending_.begin())]->next();
    return write;
  }

 private:
  std::vector<std::unique_ptr<Writer>> writers_;
  std::vector<Write> pending_;
};

/// The k-th whole word of `range` has weight k^-exponent; its pages are alike.
PoissonWriter::Pick pick_zipf(PageRange range, double exponent) {
  const PageIndex first = (range.first + 63) / 64;
  std::vector<double> up_to;
  double sum = 0;
  for (PageIndex word = first; word < range.end() / 64; ++word) {
    sum += std::pow(static_cast<double>(word - first + 1), -exponent);
    up_to.push_back(sum);
  }
  return [=](Random& random) {
    const auto found = std::upper_bound(up_to.begin(), up_to.end(), fraction(random) * sum);
    return any_of({(first + static_cast<PageIndex>(found - up_to.begin())) * 64, 64}, random);
  };
}

PoissonWriter::Pick pick_hot(PageRange range, std::uint64_t hot, double hot_share) {
  return [=](Random& random) {
    const bool goes_hot = fraction(random) < hot_share;
    if (hot == 0 || (!goes_hot && hot < range.count)) return any_of({range.first + hot, range.count - hot}, random);
    return any_of({range.first, hot}, random);
  };
}

}  // namespace

std::unique_ptr<Writer> make_writer(const workloads::Options& options, PageRange touchable, Bytes page_size,
                                    std::uint64_t seed, const Recordings& recordings) {
  using workloads::Kind;
  PageRange range = touchable;
  if (options.at) {
    range.first = options.at->value / page_size.value;
    range.count = touchable.end() - range.first;
  }
  if (options.memory) range.count = options.memory->value / page_size.value;

  const auto poisson = [&](PoissonWriter::Pick pick) {
    return std::make_unique<PoissonWriter>(static_cast<double>(options.write_rate), seed, std::move(pick));
  };
  const auto inner = [&](const workloads::Options& part, std::uint64_t index) {
    return make_writer(part, range, page_size, seed * 1'000'003 + index + 1, recordings);
  };
  switch (options.kind) {
    case Kind::kIdle: return std::make_unique<MixWriter>();
    case Kind::kUniform: return poisson([range](Random& random) { return any_of(range, random); });
    case Kind::kSequential: return std::make_unique<SequentialWriter>(options.write_rate, range);
    case Kind::kHotSet:
      return poisson(pick_hot(range, options.hot_memory.value / page_size.value,
                              static_cast<double>(options.hot_share) / static_cast<double>(kWhole)));
    case Kind::kZipf: return poisson(pick_zipf(range, static_cast<double>(options.exponent_millionths) / 1e6));
    case Kind::kRecorded: return std::make_unique<RecordedWriter>(recordings.at(options.file), options, range);
    case Kind::kPhased: {
      auto phased = std::make_unique<PhasedWriter>();
      for (std::uint64_t i = 0; i < options.phases.size(); ++i)
        phased->add(options.phases[i].lasts, inner(options.phases[i].workload, i));
      return phased;
    }
    case Kind::kMix: {
      auto mix = std::make_unique<MixWriter>();
      for (std::uint64_t i = 0; i < options.parts.size(); ++i) mix->add(inner(options.parts[i], i));
      return mix;
    }
    case Kind::kDirtyCurve: {
      auto mix = std::make_unique<MixWriter>();
      for (const workloads::PageClass& each : options.curve->classes) {
        const PageRange part{range.first, each.pages.value};
        mix->add(std::make_unique<PoissonWriter>(static_cast<double>(each.rate_millionths) / 1e6,
                                                 seed * 1'000'003 + part.first,
                                                 [part](Random& random) { return any_of(part, random); }));
        range.first += part.count;
      }
      return mix;
    }
  }
  return nullptr;
}

std::uint64_t count(const Bitmap& pages) {
  std::uint64_t found = 0;
  for (const std::uint64_t word : pages) found += static_cast<unsigned>(std::popcount(word));
  return found;
}

Bitmap ReferenceGuest::log(PageRange range) const {
  Bitmap found = no_pages(pages());
  for (PageIndex page = range.first; page < range.end();) {
    const PageIndex end = std::min(range.end(), page / 64 * 64 + 64);
    std::uint64_t& word = found[page / 64];
    for (; page < end; ++page) word |= std::uint64_t{marked(page)} << (page % 64);
  }
  return found;
}

}  // namespace godwit::test
