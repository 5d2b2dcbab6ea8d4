#pragma once

#include <string>

#include "studies/sweep_store.h"

namespace godwit::report {

/// One row as a line of CSV (RFC 4180), its end included. What is NULL is empty.
std::string csv_line(const studies::Row& row);

/// The names of the columns as such a line.
std::string csv_header(const std::vector<studies::SweepColumn>& columns);

}  // namespace godwit::report
