#pragma once

#include <cstdint>
#include <string>

#include "studies/published.h"
#include "studies/validate.h"

namespace godwit::report {

enum class TableFormat : std::uint8_t { kText, kMarkdown };

/// Published figures, every run, and where the errors lie. In Markdown it is docs/validation.md.
std::string validate_table(const std::vector<studies::PublishedFigure>& published,
                           const studies::Validation& validation, TableFormat format);

}  // namespace godwit::report
