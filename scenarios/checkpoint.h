#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <variant>
#include <vector>

#include "scenarios/load.h"
#include "sim/result.h"

/// Checkpoint files: what a guest was, as JSON, before the records of its checkpoint. docs/checkpoints.md has the format.
namespace godwit::scenarios {

struct Checkpoint {
  Loaded scenario;                     ///< The run that it comes from.
  std::uint32_t migration = 0;         ///< Which of its migrations made it.
  std::string made_by;                 ///< Version of Godwit.
  Nanos snapshot_at{0};                ///< The guest's own time in it.
  std::span<const std::byte> records;  ///< Lie in what was given to read_checkpoint.

  const sim::MigrationOptions& made_in() const { return scenario.options.migrations[migration]; }
  const sim::GuestOptions& guest() const { return scenario.options.guests[made_in().guest]; }
};

/// The file of a checkpoint that the `migration`-th migration of `scenario` came to.
std::vector<std::byte> write_checkpoint(const Loaded& scenario, std::uint32_t migration,
                                        const sim::MigrationResult& result);

inline constexpr std::size_t kCheckpointHeaderBytes = 28;

/// How long the file is that begins with `header`, by what that says; 0 where it is none. Requires
/// kCheckpointHeaderBytes of it.
std::uint64_t checkpoint_size(std::span<const std::byte> header);

/// A checkpoint, or what is wrong with the file. Its records are not looked at yet.
std::variant<Checkpoint, std::string> read_checkpoint(std::span<const std::byte> file);

}  // namespace godwit::scenarios
