#include <fmt/format.h>

#include "report/page.h"

namespace godwit::report {
namespace {

std::string markdown_cell(const std::string& text) {
  std::string cell;
  for (const char c : text) {
    if (c == '|' || c == '\\' || c == '<' || c == '*' || c == '_' || c == '`') cell += '\\';
    cell += c == '\n' || c == '\r' ? ' ' : c;
  }
  return cell;
}

std::string markdown_table(const PageTable& table) {
  std::string text = "|", rule = "|";
  for (const std::string& column : table.columns) {
    text += " " + markdown_cell(column) + " |";
    rule += " --- |";
  }
  text += "\n" + rule + "\n";
  for (const auto& row : table.rows) {
    text += "|";
    for (const std::string& cell : row) text += " " + markdown_cell(cell) + " |";
    text += "\n";
  }
  if (table.left_out > 0) text += fmt::format("\nand {} other rows\n", table.left_out);
  return text;
}

std::string csv_row(const std::vector<std::string>& cells) {
  std::string line;
  for (std::size_t i = 0; i < cells.size(); ++i) line += (i > 0 ? "," : "") + csv_cell(cells[i]);
  return line + "\n";
}

}  // namespace

std::string csv_cell(const std::string& text) {
  if (text.find_first_of("\",\r\n") == std::string::npos) return text;
  std::string cell = "\"";
  for (const char c : text) cell += c == '"' ? "\"\"" : std::string(1, c);
  return cell + '"';
}

std::string page_markdown(const Page& page) {
  std::string text = "# " + markdown_cell(page.title) + "\n\n" + markdown_cell(page.text) + "\n";
  for (const Figure& figure : page.figures) {
    text += "\n## " + markdown_cell(figure.title) + "\n\n" + markdown_cell(figure.text) + "\n\n";
    text += markdown_table(figure.table);
    if (!figure.command.empty()) text += "\n    " + figure.command + "\n";
  }
  for (const Recipe& recipe : page.recipes)
    text += "\n## " + markdown_cell(recipe.name) + "\n\n```json\n" + recipe.document.dump(2) + "\n```\n";
  return text;
}

std::string page_csv(const Page& page) {
  std::string text;
  for (const Figure& figure : page.figures) {
    text += csv_row({figure.title}) + csv_row(figure.table.columns);
    for (const auto& row : figure.table.rows) text += csv_row(row);
    text += "\n";
  }
  return text;
}

}  // namespace godwit::report
