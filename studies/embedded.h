#pragma once

#include "scenarios/embedded.h"

namespace godwit::embedded {

/// Real migrations to hold predictions against: studies/data/README.md.
std::span<const File> real_runs();
/// Scenarios of the library whose figures were published.
std::span<const File> published();

}  // namespace godwit::embedded
