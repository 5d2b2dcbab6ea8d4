#pragma once

#include <span>
#include <string>

#include "studies/check.h"

namespace godwit::report {

/// Checks for people: a line for each, then an account of each that is not as before, and how many passed.
std::string check_table(std::span<const studies::Check> checks);

/// What is wrong with one check, or what an update has accepted: expectations that are not met, the first record that
/// differs, the fields that moved. Empty: nothing. Requires an outcome.
std::string check_account(const studies::Check& check);

/// "none", "same", "differs", "missing", and after an update "new" or "rewritten". Requires an outcome.
std::string_view golden_state(const studies::Check& check);

}  // namespace godwit::report
