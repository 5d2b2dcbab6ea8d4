#pragma once

#include <filesystem>
#include <string>

#include "scenarios/issues.h"
#include "sim/options.h"

namespace godwit::scenarios {

/// Checks that the parts of a guest fit each other, and makes the paths of its traces complete. `pointer` is where the
/// guest stands in the document.
void check_guest(sim::GuestOptions& guest, const std::string& pointer, const std::filesystem::path& base_dir,
                 Issues& issues);

}  // namespace godwit::scenarios
