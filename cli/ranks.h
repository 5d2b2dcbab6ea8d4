#pragma once

#include <memory>

#include "studies/ranks.h"

namespace godwit::cli {

/// Whether this godwit can spread a sweep with mpirun.
bool has_mpi();

/// The job that mpirun (or srun) has started this process in; null where nothing has. Throws std::runtime_error where this
/// godwit cannot take part in it.
std::unique_ptr<studies::Ranks> launched_ranks();

}  // namespace godwit::cli
