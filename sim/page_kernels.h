#pragma once

#include <span>

#include "base/page_pool.h"

namespace godwit::sim {

/// All that the processor at hand can do, the plainest first and the fastest last. The results are the same.
std::span<const PageKernels> page_kernels();

}  // namespace godwit::sim
