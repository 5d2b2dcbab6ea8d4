#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "studies/figures.h"
#include "studies/sqlite.h"
#include "studies/sweep_file.h"

namespace godwit::studies {

/// What a column of a sweep's results is for.
enum class Role : std::uint8_t {
  kPoint,   ///< The number of the point.
  kAxis,    ///< What was varied.
  kSeed,    ///< The seed.
  kResult,  ///< What came of it.
};

std::string_view name_of(Role role);

/// A column of the results, and what a reader must know of it.
struct SweepColumn {
  std::string name;  ///< With the unit as its last word, as in the documents.
  std::string type;  ///< INTEGER, REAL or TEXT.
  std::string unit;  ///< "ms"; empty: none.
  std::string description;
  std::string pointer;  ///< Of an axis: into the scenario.
  Role role = Role::kResult;

  friend bool operator==(const SweepColumn&, const SweepColumn&) = default;
};

/// A row, one value for each column.
using Row = std::vector<SqlValue>;

/// Makes the rows of one sweep.
class SweepRows {
 public:
  explicit SweepRows(const Sweep& sweep);

  const std::vector<SweepColumn>& columns() const { return columns_; }
  Row row(std::uint64_t number, const RunFigures& figures) const;
  /// Of a combination of values that is no scenario.
  Row row(std::uint64_t number, const std::string& wrong) const;

 private:
  Row begin(std::uint64_t number) const;

  const Sweep& sweep_;
  std::vector<SweepColumn> columns_;
  std::vector<std::vector<SqlValue>> axis_values_;  // of each axis, as the column has them
};

}  // namespace godwit::studies
