#pragma once

#include <cstdint>
#include <span>
#include <string>

#include "sim/options.h"

namespace godwit::sim {

/// Starting a guest from the records of a checkpoint.
struct RestoreOptions {
  const GuestOptions* guest = nullptr;
  std::uint32_t guest_number = 0;  ///< Of the run that the checkpoint comes from: keys its random streams.
  std::uint64_t seed = 1;
  models::CostProfile host;                ///< Where it starts.
  BitsPerSecond bandwidth{8'000'000'000};  ///< Of the storage.
  Nanos snapshot_at{0};                    ///< The guest's own time in the checkpoint.
  Nanos go_on{0};                          ///< How long it works after its start.
};

struct RestoreResult {
  std::string trouble;           ///< What is wrong with the checkpoint; empty: nothing, and the guest has started.
  std::uint64_t trouble_at = 0;  ///< The byte of the stream where that shows.
  std::uint64_t records = 0;
  Pages normal{0}, zero{0};  ///< Records' pages; a page may come in several rounds.
  Bytes device_state{0};
  Nanos read_time{0}, load_time{0}, inflate_time{0}, resume_time{0};
  Pages written{0};                ///< Distinct pages, in `go_on` after the start.
  std::uint64_t written_hash = 0;  ///< Of which pages those are.
  std::uint32_t memory_crc = 0;    ///< crc32c over all memory at the start, where the checkpoint has real bytes.

  Nanos total_time() const { return read_time + load_time + inflate_time + resume_time; }
};

/// Reads `stream`, the encoded records of a checkpoint, with the core's own destination, which starts the guest only
/// when everything is there and sound. Nothing in `stream` is believed before it is checked.
RestoreResult restore(const RestoreOptions& options, std::span<const std::byte> stream);

}  // namespace godwit::sim
