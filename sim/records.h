#pragma once

#include <cstdint>

#include "base/units.h"

namespace godwit::sim {

/// What a semantic record says. The numbers are in golden files: never reuse one.
enum class RecordKind : std::uint32_t {
  kLogRead = 1,         ///< `value`: hash of the marked set.
  kLogCleared = 2,      ///< `value`: the first page of the range.
  kLogReadCleared = 3,  ///< `value`: hash of the marked set, before.
  kShadowed = 4,        ///< `value`: hash of the set copied aside.
  kPhase = 10,          ///< `value`: a core::Phase.
  kRoundSent = 20,      ///< `value`: pages.
  kRoundPending = 21,   ///< `value`: pages.
  kSourceEnded = 90,    ///< `value`: a core::Outcome.
  kNobodyLeft = 91,     ///< `value`: a Status.
};

/// Something that happened to a migration, whatever the engine did to get there. A run's digest is over these alone.
struct SemanticRecord {
  std::uint32_t guest = 0;
  RecordKind kind{};
  Nanos at{0};
  std::uint64_t value = 0;
  friend bool operator==(const SemanticRecord&, const SemanticRecord&) = default;
};
static_assert(sizeof(SemanticRecord) == 24, "hashed as it lies in memory");

}  // namespace godwit::sim
