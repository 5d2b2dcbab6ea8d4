#include "report/columns.h"

#include <algorithm>
#include <cstddef>
#include <utility>

#include "base/check.h"

namespace godwit::report {
namespace {

/// Characters, not bytes: every byte of UTF-8 but those that go on with a character.
std::size_t width(const std::string& text) {
  return static_cast<std::size_t>(std::ranges::count_if(text, [](char c) { return (c & 0xc0) != 0x80; }));
}

}  // namespace

void Columns::add(std::vector<std::string> row) {
  GODWIT_CHECK(row.size() == columns_.size());
  rows_.push_back(std::move(row));
}

std::string Columns::text(std::size_t indent) const {
  std::vector<std::size_t> widths;
  std::vector<std::string> titles;
  for (std::size_t i = 0; i < columns_.size(); ++i) {
    titles.push_back(columns_[i].title);
    std::size_t widest = width(columns_[i].title);
    for (const auto& row : rows_) widest = std::max(widest, width(row[i]));
    widths.push_back(widest);
  }

  std::string text;
  const auto line = [&](const std::vector<std::string>& cells) {
    std::string out(indent, ' ');
    for (std::size_t i = 0; i < cells.size(); ++i) {
      const std::string blanks(widths[i] - width(cells[i]), ' ');
      if (i > 0) out += "  ";
      out += columns_[i].align == Align::kLeft ? cells[i] + blanks : blanks + cells[i];
    }
    out.erase(out.find_last_not_of(' ') + 1);
    text += out + "\n";
  };
  line(titles);
  for (const auto& row : rows_) line(row);
  return text;
}

std::string Columns::markdown() const {
  std::string text;
  const auto line = [&](const auto& cell_of) {
    text += '|';
    for (std::size_t i = 0; i < columns_.size(); ++i) text += " " + cell_of(i) + " |";
    text += '\n';
  };
  line([&](std::size_t i) { return columns_[i].title; });
  line([&](std::size_t i) { return std::string(columns_[i].align == Align::kLeft ? "---" : "--:"); });
  for (const auto& row : rows_) line([&](std::size_t i) { return row[i]; });
  return text;
}

}  // namespace godwit::report
