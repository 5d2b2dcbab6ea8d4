#pragma once

#include <string_view>

#include "core/ports.h"
#include "core/source.h"
#include "sim/records.h"
#include "sim/result.h"

/// The names that documents and golden files use. Never change one: scripts compare with them.
namespace godwit::sim {

std::string_view name_of(Status status);
std::string_view name_of(Home home);
std::string_view name_of(Part part);
std::string_view name_of(Activity activity);
std::string_view name_of(RecordKind kind);
std::string_view name_of(core::Phase phase);
std::string_view name_of(core::Outcome outcome);

}  // namespace godwit::sim
