#include "workloads/workload.h"

namespace godwit::workloads {
namespace {

constexpr std::uint64_t kMillion = 1'000'000;

std::vector<models::Chance> zipf_shares(std::uint64_t words, std::uint64_t exponent_millionths) {
  // weight(k) = k^-s = 2^(-s log2 k) = exp(-s ln 2 log2 k), all in integers.
  constexpr std::uint64_t kLn2 = 0xb17217f7d1cf79abull;  // ln 2 in parts of 2^64
  std::vector<models::Chance> shares(words);
  u128 sum = 0;
  for (std::uint64_t k = 0; k < words; ++k) {
    const u128 exponent = static_cast<u128>(models::log2_fixed(k + 1)) * exponent_millionths / 1'000'000;  // 2^-32
    const u128 x = exponent * (kLn2 >> 32) >> (64 - models::kExposureBits);
    shares[k] = models::exp_minus(x > models::kExposureMax ? models::kExposureMax : static_cast<models::Exposure>(x));
    sum += shares[k];
  }
  const unsigned shift =
      sum >> 64 == 0 ? 0 : 64 - static_cast<unsigned>(std::countl_zero(static_cast<std::uint64_t>(sum >> 64)));
  const auto divisor = static_cast<std::uint64_t>(sum >> shift) + 1;
  for (models::Chance& share : shares) {
    const u128 scaled = (static_cast<u128>(share) << 64 >> shift) / divisor;
    share = scaled > UINT64_MAX ? UINT64_MAX : static_cast<models::Chance>(scaled);
  }
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
  for (const Window& window : windows_) {
    const Nanos within = guest % window.period;
    const Nanos on = std::clamp(within - window.start, Nanos{0}, window.length);
    guest = guest / window.period * window.length + on;
  }
  return guest;
}

Workload::Workload(const Options& options, PageRange touchable, Bytes page_size, std::uint64_t seed,
                   std::uint64_t consumer)
    : seed_(seed), next_consumer_(consumer << 32) {
  add(options, {}, touchable, page_size);
}

void Workload::add(const Options& options, const Schedule& schedule, PageRange touchable, Bytes page_size) {
  const PageRange range = range_of(options, touchable, page_size);
  const auto leaf = [&](Law law, PageRange where, std::uint64_t rate_millionths) -> Part& {
    Part part;
    part.law = law;
    part.schedule = schedule;
    part.range = where;
    part.rate_millionths = rate_millionths;
    part.consumer = next_consumer_++;
    parts_.push_back(std::move(part));
    return parts_.back();
  };

  const std::uint64_t rate = options.write_rate * kMillion;
  switch (options.kind) {
    case Kind::kIdle: break;
    case Kind::kUniform: leaf(Law::kUniform, range, rate); break;
    case Kind::kSequential: leaf(Law::kSequential, range, rate); break;
    case Kind::kHotSet: {
      const std::uint64_t hot = options.hot_memory.value / page_size.value;
      const std::uint64_t hot_rate = mul_div(rate, options.hot_share, kWhole);
      leaf(Law::kUniform, {range.first, hot}, hot_rate);
      if (range.count > hot) leaf(Law::kUniform, {range.first + hot, range.count - hot}, rate - hot_rate);
      break;
    }
    case Kind::kZipf: {
      Part& part = leaf(Law::kZipf, whole_words(range), rate);
      part.shares = zipf_shares(part.range.count / 64, options.exponent_millionths);
      break;
    }
    case Kind::kPhased: {
      Nanos period{0};
      for (const Options::Phase& phase : options.phases) period += phase.lasts;
      Nanos start{0};
      for (const Options::Phase& phase : options.phases) {
        Schedule inner = schedule;
        inner.add(period, start, phase.lasts);
        add(phase.workload, inner, range, page_size);
        start += phase.lasts;
      }
      break;
    }
    case Kind::kMix:
      for (const Options& part : options.parts) add(part, schedule, range, page_size);
      break;
    case Kind::kRecorded: {
      GODWIT_CHECK(options.trace != nullptr);
      if (options.trace->interval_count() == 0) break;
      Part& part = leaf(Law::kTrace, {range.first, std::min(range.count, options.trace->page_count)}, 0);
      part.trace = options.trace;
      part.offset = options.offset;
      part.speed_millionths = options.speed_millionths;
      part.repeat = options.repeat;
      break;
    }
  }
}

/// How many intervals of the trace have ended when the part's own time is `local`.
std::uint64_t Workload::trace_intervals(const Part& part, Nanos local) const {
  const std::uint64_t played = mul_div(static_cast<std::uint64_t>(local.count()), part.speed_millionths, 1'000'000);
  const auto skipped = static_cast<std::uint64_t>(part.offset.count());
  const std::uint64_t recorded = played > UINT64_MAX - skipped ? UINT64_MAX : played + skipped;
  const std::uint64_t ended = recorded / static_cast<std::uint64_t>(part.trace->interval.count());
  return part.repeat ? ended : std::min<std::uint64_t>(ended, part.trace->interval_count());
}

std::uint64_t Workload::expected_distinct(Nanos from, Nanos to) const {
  std::uint64_t total = 0;
  for (const Part& part : parts_) {
    const Nanos a = part.schedule.local(from);
    const Nanos b = part.schedule.local(to);
    if (b <= a) continue;
    switch (part.law) {
      case Law::kUniform:
        total += models::mul_high(models::hit_chance(models::exposure(part.rate_millionths, b - a, part.range.count)),
                                  part.range.count);
        break;
      case Law::kSequential:
        total += std::min(part.range.count, mul_div(static_cast<std::uint64_t>((b - a).count()), part.rate_millionths,
                                                    kNanosPerSecond * kMillion));
        break;
      case Law::kZipf:
        total += std::min(part.range.count, mul_div(static_cast<std::uint64_t>((b - a).count()), part.rate_millionths,
                                                    kNanosPerSecond * kMillion));
        break;
      case Law::kTrace: {
        std::uint64_t pages = 0;
        const std::uint64_t size = part.trace->interval_count();
        const std::uint64_t first = trace_intervals(part, a);
        const std::uint64_t last = trace_intervals(part, b);
        for (std::uint64_t i = first; i < last && i - first < size && pages < part.range.count; ++i) {
          for (const Run& run : part.trace->runs(i % size)) pages += run.count;
        }
        total += std::min(pages, part.range.count);
        break;
      }
    }
  }
  return total;
}

}  // namespace godwit::workloads
