#pragma once

#include <filesystem>
#include <optional>
#include <variant>
#include <vector>

#include "base/units.h"
#include "scenarios/issues.h"
#include "scenarios/node.h"
#include "workloads/dirty_curve.h"

namespace godwit::studies {

/// How many of a sample of a guest's pages were written to within periods of several lengths, as QEMU's calc-dirty-rate
/// measures it.
struct DirtySamples {
  struct Point {
    Nanos period{0};
    Pages dirty{0};  ///< Of the sample.
  };
  Bytes page_size{4096};
  Pages pages{0};             ///< All that the guest has.
  Pages sampled{0}, zero{0};  ///< How many were looked at, and how many of those were full of zeroes.
  std::vector<Point> points;  ///< Of ascending periods, two at least.
};

/// The samples in a file, or everything that is wrong with it. What it looks like: scenarios/curves/gudkov_2023.json.
std::variant<DirtySamples, std::vector<scenarios::Issue>> load_samples(const std::filesystem::path& path);

/// The guest that was sampled, as a scenario has one: as many zero pages as the sample has, and a workload whose dirty
/// pages grow as the samples do, scaled to the guest. A longer period that happened to see fewer has what a shorter saw.
scenarios::Json guest_of(const DirtySamples& samples);

/// How long a migration takes, and in how many rounds.
struct CellPrediction {
  Nanos total{0};
  std::uint32_t rounds = 0;
};

/// What may stand in the place of a part of the model below, to see what comes of it.
struct GudkovChanges {
  bool plain_bits = false;                     ///< A gigabit has 10^9 bits.
  const workloads::CurveFit* curve = nullptr;  ///< Dirty pages grow as this says; null: as the model has it.
};

/// What A. Gudkov's model says (qemu-devel, 28 February 2023, the script beside the cover letter): samples are scaled to
/// the guest; between them dirty pages grow linearly, before the first as between the first two, after the last as
/// between the last two until every page that is not zero is dirty. A round sends the pages that the round before left
/// dirty, each with a header of 8 bytes, the first one all pages, of zero pages the header only. It is over with the
/// first round that fits `downtime_max` (kNever: the first of all). Nothing: not within an hour.
///
/// The script counts 2^30 bits to a gigabit and 2^20 to a megabit. So does this: 2.5 Gbit/s are 2.5 times 2^30 bit/s, and
/// what is below 1 Gbit/s is in megabits.
std::optional<CellPrediction> gudkov_2023(const DirtySamples& samples, BitsPerSecond bandwidth, Nanos downtime_max,
                                          const GudkovChanges& changes = {});

}  // namespace godwit::studies
