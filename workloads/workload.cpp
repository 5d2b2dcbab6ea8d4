#include "workloads/workload.h"

namespace godwit::workloads {
namespace {

__extension__ typedef __int128 i128;

/// A page of the k-th word has weight k^-s = exp(-s ln 2 log2 k), all in integers. Returns what part of all writes goes to
/// each page of a word.
std::vector<models::Chance> zipf_shares(std::uint64_t words, std::uint64_t exponent_millionths) {
  constexpr std::uint64_t kLn2 = 0xb17217f7d1cf79abull;                                 // ln 2 in parts of 2^64
  const u128 s_ln2 = static_cast<u128>(exponent_millionths) * (kLn2 >> 4) / 1'000'000;  // 2^60
  std::vector<models::Chance> shares(words);
  u128 sum = 0;
  for (std::uint64_t k = 0; k < words; ++k) {
    const u128 x = models::log2_fixed(k + 1) * s_ln2 >> (32 + 60 - models::kExposureBits);
    shares[k] = models::exp_minus(x > models::kExposureMax ? models::kExposureMax : static_cast<models::Exposure>(x));
    if (k > 0) shares[k] = std::min(shares[k], shares[k - 1]);  // what is drawn relies on it, to the last bit
    sum += static_cast<u128>(shares[k]) * 64;
  }
  if (words == 0) return shares;
  // Divides by `sum`, which is above 2^64, cut to 63 bits and rounded up: the shares sum to no more than the whole.
  const unsigned shift = static_cast<unsigned>(std::bit_width(static_cast<std::uint64_t>(sum >> 64))) + 1;
  const auto reciprocal = static_cast<std::uint64_t>((u128{1} << 126) / (static_cast<std::uint64_t>(sum >> shift) + 1));
  for (models::Chance& share : shares)
    share = static_cast<models::Chance>(static_cast<u128>(share) * reciprocal >> (62 + shift));
  return shares;
}

}  // namespace

PageRange range_of(const Options& options, PageRange touchable, Bytes page_size) {
  PageRange range = touchable;
  if (options.at) range.first = options.at->value / page_size.value;
  if (options.memory) {
    range.count = options.memory->value / page_size.value;
  } else if (options.at) {
    GODWIT_CHECK(range.first < touchable.end());
    range.count = touchable.end() - range.first;
  }
  return range;
}

PageRange whole_words(PageRange range) {
  const PageIndex first = (range.first + 63) / 64 * 64;
  const PageIndex end = range.end() / 64 * 64;
  return {first, end > first ? end - first : 0};
}

Nanos Schedule::local(Nanos guest) const {
  for (const auto& step : steps_) guest = std::visit([&](const auto& each) { return each.local(guest); }, step);
  return guest;
}

Nanos Schedule::Window::local(Nanos outer) const {
  const Nanos within = outer % period;
  return outer / period * length + std::clamp(within - start, Nanos{0}, length);
}

/// With e even in [-2^31, 2^31) and S the sum of sixteen, 16 e - S sums to 0, and its standard deviation is
/// 2^36 / sqrt(12.8). It is 30 x 2^31 at most, so that a speed is above 1 - 3.36 x `by`.
Nanos Schedule::Variation::local(Nanos outer) const {
  constexpr std::int64_t kStretches = 16;
  constexpr std::int64_t kRootMillionths = 3'577'709;  // sqrt(12.8)
  const std::int64_t group = outer / (stretch * kStretches);
  const Nanos within = outer % (stretch * kStretches);
  models::Stream stream(seed, consumer, static_cast<std::uint64_t>(group), 0);
  std::int64_t drawn[kStretches], sum = 0;
  for (std::int64_t& e : drawn) sum += e = static_cast<std::int64_t>(stream.next() >> 32) - (std::int64_t{1} << 31);

  const auto at = [&](std::int64_t deviation, std::int64_t stretches) {  // own time by the end of so many
    const i128 gained = static_cast<i128>(deviation / 65536) * kRootMillionths * static_cast<std::int64_t>(by) *
                        stretch.count() / kMillion;
    return stretch * stretches + Nanos{static_cast<std::int64_t>(gained / (std::int64_t{1} << 52))};
  };
  const std::int64_t whole = within / stretch;
  std::int64_t deviation = 0;
  for (std::int64_t i = 0; i < whole; ++i) deviation += kStretches * drawn[i] - sum;
  const Nanos begin = at(deviation, whole);
  const Nanos end = at(deviation + kStretches * drawn[whole] - sum, whole + 1);
  const auto part =
      mul_div(static_cast<std::uint64_t>((end - begin).count()), static_cast<std::uint64_t>((within % stretch).count()),
              static_cast<std::uint64_t>(stretch.count()));
  return stretch * (group * kStretches) + begin + Nanos{static_cast<std::int64_t>(part)};
}

Nanos Process::own(Nanos guest) const {
  Nanos stood{0};
  for (const Stop& stop : stops_) {
    if (guest > stop.begin) stood += std::min(guest, stop.end) - stop.begin;
  }
  return guest - stood;
}

Workload::Workload(const Options& options, PageRange touchable, Bytes page_size, std::uint64_t seed,
                   std::uint64_t consumer)
    : seed_(seed), next_consumer_(consumer << 32) {
  add(options, {}, 0, touchable, page_size);
  cut_into_pieces();
}

void Workload::add(const Options& options, const Schedule& schedule, std::size_t process, PageRange touchable,
                   Bytes page_size) {
  if (options.varies > 0) {
    Schedule varied = schedule;
    varied.vary(options.varies_over, options.varies, seed_, next_consumer_++);
    Options even = options;
    even.varies = 0;
    return add(even, varied, process, touchable, page_size);
  }
  const PageRange range = range_of(options, touchable, page_size);
  const auto leaf = [&](Law law, PageRange where, std::uint64_t rate_millionths) {
    Part part;
    part.law = law;
    part.process = process;
    part.schedule = schedule;
    part.range = where;
    part.zeroes = options.zeroes;
    part.rate_millionths = rate_millionths;
    part.consumer = next_consumer_++;
    if (law == Law::kZipf) part.shares = zipf_shares(where.count / 64, options.exponent_millionths);
    if (where.count > 0) parts_.push_back(std::move(part));
  };

  const std::uint64_t rate = options.write_rate * kMillion;
  switch (options.kind) {
    case Kind::kIdle: break;
    case Kind::kUniform: leaf(Law::kUniform, range, rate); break;
    case Kind::kSequential: leaf(Law::kSequential, range, rate); break;
    case Kind::kHotSet: {
      // Where there is no rest, or no hot part, the other gets all writes.
      const std::uint64_t hot = std::min(options.hot_memory.value / page_size.value, range.count);
      const std::uint64_t hot_rate = hot == range.count ? rate
                                     : hot == 0         ? 0
                                                        : mul_div(rate, options.hot_share, kWhole);
      leaf(Law::kUniform, {range.first, hot}, hot_rate);
      leaf(Law::kUniform, {range.first + hot, range.count - hot}, rate - hot_rate);
      break;
    }
    case Kind::kZipf: leaf(Law::kZipf, whole_words(range), rate); break;
    case Kind::kPhased: {
      Nanos period{0};
      for (const Options::Phase& phase : options.phases) period += phase.lasts;
      Nanos start{0};
      for (const Options::Phase& phase : options.phases) {
        Schedule inner = schedule;
        inner.add(period, start, phase.lasts);
        add(phase.workload, inner, process, range, page_size);
        start += phase.lasts;
      }
      break;
    }
    case Kind::kMix:
      for (const Options& part : options.parts) {
        processes_.emplace_back();
        add(part, schedule, processes_.size() - 1, range, page_size);
      }
      break;
    case Kind::kDirtyCurve: {
      GODWIT_CHECK(options.curve != nullptr && options.curve->pages().value <= range.count);
      PageIndex first = range.first;
      for (const PageClass& each : options.curve->classes) {
        leaf(Law::kUniform, {first, each.pages.value}, each.rate_millionths);
        first += each.pages.value;
      }
      break;
    }
    case Kind::kRecorded: {
      GODWIT_CHECK(options.trace != nullptr);
      const PageRange where{range.first, std::min(range.count, options.trace->page_count)};
      if (options.trace->interval_count() == 0 || where.count == 0) break;
      leaf(Law::kTrace, where, 0);
      Part& part = parts_.back();
      part.distinct = std::make_unique<DistinctPages>();
      part.trace = options.trace;
      part.offset = options.offset;
      part.speed_millionths = options.speed_millionths;
      part.repeat = options.repeat;
      break;
    }
  }
}

/// Where the trace stands when the part's own time is `local`, counted on through repeats.
std::uint64_t Workload::recorded_time(const Part& part, Nanos local) {
  const std::uint64_t played = mul_div(static_cast<std::uint64_t>(local.count()), part.speed_millionths, kMillion);
  const auto skipped = static_cast<std::uint64_t>(part.offset.count());
  return played > UINT64_MAX - skipped ? UINT64_MAX : played + skipped;
}

/// How many intervals of it have ended by then.
std::uint64_t Workload::trace_intervals(const Part& part, Nanos local) {
  const std::uint64_t ended = recorded_time(part, local) / static_cast<std::uint64_t>(part.trace->interval.count());
  return part.repeat ? ended : std::min<std::uint64_t>(ended, part.trace->interval_count());
}

}  // namespace godwit::workloads
