#pragma once

#include <cstdint>
#include <string>

#include "base/units.h"
#include "scenarios/node.h"
#include "scenarios/quantity.h"
#include "studies/draw.h"

/// What soak_scenario puts a document together from.
namespace godwit::studies {

using scenarios::Json;

/// What is small and what is large in one scenario, so that what is drawn for it meets.
struct DrawScale {
  BitsPerSecond bandwidth{0};  ///< About what its links have.
  Nanos latency{0};            ///< Of all its links together.
  Nanos copy{0};               ///< About what it takes to send all its guests once.
};

/// How many pages the recording of drawn scenarios writes to, of 4 KiB each.
inline constexpr std::uint64_t kSoakRecordingPages = 192;

/// A guest called `name`. It has no host yet.
Json draw_guest(Draw& draw, const std::string& name, BitsPerSecond bandwidth);

/// Some of the parameters of the strategy `name`, drawn so that it can be read under `goal`.
Json draw_strategy(Draw& draw, const DrawScale& scale, const std::string& name, const Json& goal);

inline Json bytes(std::uint64_t n) { return scenarios::format_quantity(scenarios::Dimension::kBytes, n); }
inline Json pages(std::uint64_t n) { return scenarios::format_quantity(scenarios::Dimension::kPages, n); }
inline Json bandwidth(std::uint64_t n) { return scenarios::format_quantity(scenarios::Dimension::kRate, n); }
inline Json percent(std::uint64_t n) { return std::to_string(n) + " %"; }
inline Json time(Nanos t) {
  return scenarios::format_quantity(scenarios::Dimension::kTime, static_cast<std::uint64_t>(t.count()));
}
/// A time from `least` to `most`, each doubling as likely as any other.
inline Json time(Draw& draw, Nanos least, Nanos most) {
  const auto a = static_cast<std::uint64_t>(least.count()), b = static_cast<std::uint64_t>(most.count());
  return time(saturating_nanos(draw.scaled(a, b > a ? b : a)));
}

}  // namespace godwit::studies
