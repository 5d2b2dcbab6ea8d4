#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace godwit::report {

enum class Align : std::uint8_t { kLeft, kRight };

/// Text in aligned columns, two spaces between them.
class Columns {
 public:
  struct Column {
    std::string title;
    Align align = Align::kRight;
  };

  explicit Columns(std::vector<Column> columns) : columns_(std::move(columns)) {}

  /// Requires as many cells as there are columns.
  void add(std::vector<std::string> row);

  /// Title and rows, each line indented by `indent` and without blanks at its end.
  std::string text(std::size_t indent = 0) const;

  /// The same as a table of Markdown.
  std::string markdown() const;

 private:
  std::vector<Column> columns_;
  std::vector<std::vector<std::string>> rows_;
};

}  // namespace godwit::report
