#pragma once

#include <string>
#include <vector>

#include "report/run_json.h"

/// A report before it has a format: what it shows, as text, charts and tables.
namespace godwit::report {

/// A table beside a chart. Cells are what a spreadsheet takes: numbers without grouping.
struct PageTable {
  std::vector<std::string> columns;
  std::vector<std::vector<std::string>> rows;
  std::size_t left_out = 0;  ///< Rows that there are besides.
};

/// One thing to see.
struct Figure {
  std::string title;
  std::string text;  ///< What it says and how it is to be read.
  Json spec;         ///< Of Vega-Lite; null: there is only a table. Its data may be one of the page's by name.
  PageTable table;
  std::string command;  ///< What leads to the same figures.
};

/// What was run, for whoever wants to run it again.
struct Recipe {
  std::string name;
  Json document;
};

struct Page {
  std::string title;
  std::string text;
  std::vector<Figure> figures;
  std::vector<Recipe> recipes;
  Json datasets = Json::object();  ///< By name, lists of records that several charts share.
};

/// Whether this build carries what draws the charts of page_html().
bool draws_charts();

/// One page that needs nothing else: styles, scripts and data are in it, and its policy forbids the browser to load
/// anything from anywhere.
std::string page_html(const Page& page);

/// Tables and text as GitHub shows them.
std::string page_markdown(const Page& page);

/// The tables one after another, each with its title before it and an empty line after it.
std::string page_csv(const Page& page);

/// A cell as RFC 4180 has it.
std::string csv_cell(const std::string& text);

}  // namespace godwit::report
