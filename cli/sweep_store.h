#pragma once

#include <string>

#include "studies/sweep_store.h"

namespace godwit::cli {

/// Writes the rows of `store` to `file` as CSV; - is standard output. Returns what went wrong; empty: nothing.
std::string write_csv(studies::SweepStore& store, const std::string& file);

/// What is in the store, for people: how many points, which outcomes, the hash of the content.
std::string account_of(studies::SweepStore& store);

/// What is missing of the whole sweep and how to run it; empty: nothing.
std::string missing_of(studies::SweepStore& store);

}  // namespace godwit::cli
