#include "report/sweep_csv.h"

#include <fmt/format.h>

#include <iterator>
#include <variant>

#include "report/page.h"

namespace godwit::report {
std::string csv_line(const studies::Row& row) {
  std::string line;
  for (std::size_t i = 0; i < row.size(); ++i) {
    if (i > 0) line += ',';
    if (const auto* whole = std::get_if<std::int64_t>(&row[i])) fmt::format_to(std::back_inserter(line), "{}", *whole);
    if (const auto* real = std::get_if<double>(&row[i])) fmt::format_to(std::back_inserter(line), "{}", *real);
    if (const auto* text = std::get_if<std::string>(&row[i])) line += csv_cell(*text);
  }
  return line + "\n";
}

std::string csv_header(const std::vector<studies::SweepColumn>& columns) {
  studies::Row names;
  for (const studies::SweepColumn& each : columns) names.emplace_back(each.name);
  return csv_line(names);
}

}  // namespace godwit::report
