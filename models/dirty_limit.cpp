#include "models/dirty_limit.h"

#include <algorithm>

namespace godwit::models {
namespace {

constexpr std::uint64_t kTolerance = 25;      // MiB/s
constexpr std::uint64_t kFarOffPercent = 50;  // of the larger one
constexpr std::uint64_t kSleepMax = 99;       // times the time in which a ring is full

}  // namespace

void DirtyLimit::measured(std::uint64_t rate) {
  const std::uint64_t more = std::max(rate, quota_), less = std::min(rate, quota_);
  if (more - less <= kTolerance) return;
  if (rate == 0) return sleep_us_ = 0, void();
  fastest_ = std::max(fastest_, rate);
  const std::uint64_t full_us = ring_mib_ * 1'000'000 / fastest_;
  const std::uint64_t percent = (more - less) * 100 / more;  // below 100: neither is 0
  const std::uint64_t step = percent > kFarOffPercent ? full_us * percent / (100 - percent) : full_us / 10;
  sleep_us_ = rate > quota_ ? sleep_us_ + step : sleep_us_ - std::min(sleep_us_, step);
  sleep_us_ = std::min(sleep_us_, full_us * kSleepMax);
}

}  // namespace godwit::models
