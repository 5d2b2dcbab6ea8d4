#include <fmt/format.h>

#include <set>
#include <string>

#include "report/asset.h"
#include "report/page.h"

namespace godwit::report {
namespace {

std::string escaped_html(std::string_view text) {
  std::string html;
  for (const char c : text) {
    switch (c) {
      case '&': html += "&amp;"; break;
      case '<': html += "&lt;"; break;
      case '>': html += "&gt;"; break;
      case '"': html += "&quot;"; break;
      default: html += c;
    }
  }
  return html;
}

/// JSON that no parser of HTML sees an end of a script in.
std::string inline_json(const Json& value) {
  std::string text;
  for (const char c : value.dump(-1, ' ', false, Json::error_handler_t::replace)) {
    if (c == '<')
      text += "\\u003c";
    else
      text += c;
  }
  return text;
}

bool is_number(const std::string& cell) {
  return !cell.empty() && cell.find_first_not_of("0123456789.-+e") == std::string::npos;
}

std::string table_html(const Figure& figure) {
  constexpr std::size_t kOpen = 12;  // a table of more rows is folded
  const PageTable& table = figure.table;
  std::string html = fmt::format(
      "<details{}><summary>Table</summary>\n<div class=\"scroll\"><table><caption>{}</caption>"
      "<thead><tr>",
      table.rows.size() <= kOpen ? " open" : "", escaped_html(figure.title));
  for (const std::string& column : table.columns)
    html += fmt::format("<th scope=\"col\" aria-sort=\"none\"><button type=\"button\">{}</button></th>",
                        escaped_html(column));
  html += "</tr></thead>\n<tbody>\n";
  for (const auto& row : table.rows) {
    html += "<tr>";
    for (const std::string& cell : row)
      html += fmt::format("<td{}>{}</td>", is_number(cell) ? " class=\"n\"" : "", escaped_html(cell));
    html += "</tr>\n";
  }
  html += "</tbody></table></div>\n";
  if (table.left_out > 0) html += fmt::format("<p>and {} other rows</p>\n", table.left_out);
  return html + "<p><button type=\"button\" class=\"copy\">Copy as CSV</button></p></details>\n";
}

std::string figure_html(const Figure& figure, std::size_t index) {
  std::string html = fmt::format("<section id=\"figure-{0}\">\n<h2>{1}</h2>\n<p>{2}</p>\n", index,
                                 escaped_html(figure.title), escaped_html(figure.text));
  if (!figure.spec.is_null())
    html += fmt::format("<div class=\"chart\" id=\"chart-{}\" role=\"img\" aria-label=\"{}\"></div>\n", index,
                        escaped_html(figure.title));
  html += table_html(figure);
  if (!figure.command.empty()) html += fmt::format("<pre class=\"command\">{}</pre>\n", escaped_html(figure.command));
  return html + "</section>\n";
}

std::string contents(const Page& page) {
  std::string html = "<nav aria-label=\"Contents\"><ul>\n";
  for (std::size_t i = 0; i < page.figures.size(); ++i)
    html += fmt::format("<li><a href=\"#figure-{}\">{}</a></li>\n", i, escaped_html(page.figures[i].title));
  return html + "</ul></nav>\n";
}

std::string recipes_html(const Page& page) {
  std::string html;
  for (const Recipe& recipe : page.recipes)
    html += fmt::format("<details><summary>{}</summary>\n<pre>{}</pre></details>\n", escaped_html(recipe.name),
                        escaped_html(recipe.document.dump(2)));
  return html;
}

/// Records with their fields named once, as page.js takes them: null where a record lacks one.
Json packed(const Json& records) {
  Json fields = Json::array(), rows = Json::array();
  std::set<std::string> known;
  for (const Json& record : records)
    for (const auto& [field, value] : record.items())
      if (known.insert(field).second) fields.push_back(field);
  for (const Json& record : records) {
    Json row = Json::array();
    for (const Json& field : fields) row.push_back(record.value(field.get<std::string>(), Json()));
    rows.push_back(std::move(row));
  }
  return {{"fields", std::move(fields)}, {"rows", std::move(rows)}};
}

Json charts_json(const Page& page) {
  Json charts = Json::object();
  for (std::size_t i = 0; i < page.figures.size(); ++i)
    if (!page.figures[i].spec.is_null()) charts[fmt::format("chart-{}", i)] = page.figures[i].spec;
  Json datasets = Json::object();
  for (const auto& [name, records] : page.datasets.items()) datasets[name] = packed(records);
  return {{"charts", std::move(charts)}, {"datasets", std::move(datasets)}};
}

}  // namespace

bool draws_charts() { return !asset::charts().empty(); }

std::string page_html(const Page& page) {
  std::string html =
      "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
      "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; script-src 'unsafe-inline'; "
      "style-src "
      "'unsafe-inline'; img-src data: blob:; form-action 'none'; base-uri 'none'\">\n"
      "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
      "<meta name=\"color-scheme\" content=\"light dark\">\n";
  html += fmt::format("<title>{}</title>\n<style>\n{}</style>\n</head>\n<body>\n", escaped_html(page.title),
                      asset::style());
  html += fmt::format("<header><h1>{}</h1>\n<p>{}</p></header>\n", escaped_html(page.title), escaped_html(page.text));
  html += contents(page) + "<main>\n";
  for (std::size_t i = 0; i < page.figures.size(); ++i) html += figure_html(page.figures[i], i);
  html += "</main>\n<footer>\n" + recipes_html(page);
  html += fmt::format(
      "<p>Made by godwit {}. Charts by Vega, Vega-Lite and Vega-Embed (BSD 3-clause licence).</p>\n"
      "<details><summary>Licences</summary>\n<pre>{}</pre></details>\n</footer>\n",
      GODWIT_VERSION, escaped_html(asset::licences()));
  html += fmt::format("<script type=\"application/json\" id=\"data\">{}</script>\n", inline_json(charts_json(page)));
  for (const std::string_view script : {asset::charts(), asset::script()}) {
    html += "<script>";
    html += script;
    html += "</script>\n";
  }
  return html + "</body>\n</html>\n";
}

}  // namespace godwit::report
