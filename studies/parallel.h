#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>

namespace godwit::studies {

/// Is told how many of the runs are done, by one thread at a time. Says whether to go on.
using Progress = std::function<bool(std::size_t done, std::size_t total)>;

/// Calls `work` once for each number below `count`, on `jobs` threads, this one among them; in ascending order as far as
/// they start. What `progress` ends early, or an exception, lets the calls finish that have begun, and starts no other.
/// Throws what the first call to fail has thrown. Requires that calls share nothing that one of them changes.
void for_each_number(std::size_t count, std::uint32_t jobs, const std::function<void(std::size_t)>& work,
                     const Progress& progress);

}  // namespace godwit::studies
