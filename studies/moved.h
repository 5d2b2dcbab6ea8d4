#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "studies/changes.h"
#include "studies/golden.h"

namespace godwit::studies {

/// The first record that two runs do not share.
struct RecordDifference {
  std::uint64_t index = 0;  ///< From 0 on.
  /// 0: it is this one. Else the golden does not keep the records here in full, and it is among so many from `index` on.
  std::uint64_t among = 0;
  std::optional<std::string> from, to;  ///< Nothing: there is none, or it is not known.
  std::optional<std::string> before;    ///< The last one that they share, where it is known.
};

/// What became other since a golden was made.
struct Moved {
  std::string version;            ///< Of the Godwit that made the golden.
  bool scenario_changed = false;  ///< What is run is not what the golden was made of.
  std::string digest_from, digest_to;
  std::uint64_t records_from = 0, records_to = 0;  ///< How many.
  std::optional<RecordDifference> record;
  std::vector<Change> changes;  ///< Of the result, by pointers into its document.
};

/// Nothing where `found`, which is in full, is what `golden` says.
std::optional<Moved> moved(const Golden& golden, const Golden& found);

}  // namespace godwit::studies
