#include "report/rounds_page.h"

#include <fmt/format.h>

#include "report/charts.h"
#include "report/format.h"

namespace godwit::report {
namespace {

constexpr std::size_t kTimelinesMost = 8;
constexpr std::size_t kRoundsMost = 200;

Json rounds_of(const Json& migration) {
  Json records = Json::array();
  for (const Json& round : migration.at("iterations")) {
    const double start = round.at("start_ms").get<double>(), took = round.at("duration_ms").get<double>();
    const double bytes = round.at("sent_bytes").get<double>();
    records.push_back({{"round", round.at("index")},
                       {"start", start},
                       {"end", start + took},
                       {"sent", round.at("sent_pages")},
                       {"dirtied", round.at("new_dirty_pages")},
                       {"left", round.at("dirty_pages_after")},
                       {"rate", took > 0 ? Json(bytes * 8 / took / 1e3) : Json(nullptr)},
                       {"limit", round.at("rate_limit_mbps")},
                       {"throttle", round.at("throttle_percent")}});
  }
  return records;
}

/// When the guest stops and when it runs again, on the time axis.
Json marks_of(const Json& migration) {
  Json marks = Json::array();
  const double total = migration.at("total_time_ms").get<double>(), down = migration.at("downtime_ms").get<double>();
  // Of post-copy the downtime is not the end.
  if (migration.at("ram").at("postcopy_bytes") == 0 && migration.at("status") == "completed")
    marks.push_back({{"at", total - down}, {"mark", "stopped"}});
  marks.push_back({{"at", total}, {"mark", migration.at("status")}});
  return marks;
}

Json bars_layer() {
  const std::vector<Channel> shown{
      {"round", "round"},        {"start", "from [ms]"},      {"end", "to [ms]"},
      {"sent", "pages sent"},    {"dirtied", "newly dirty"},  {"left", "dirty after"},
      {"rate", "rate [Mbit/s]"}, {"limit", "limit [Mbit/s]"}, {"throttle", "throttle [%]"}};
  return {{"mark", {{"type", "rect"}, {"opacity", 0.85}}},
          {"encoding",
           {{"x", {{"field", "start"}, {"type", "quantitative"}, {"title", "time since the request [ms]"}}},
            {"x2", {{"field", "end"}}},
            {"y",
             {{"field", "sent"},
              {"type", "quantitative"},
              {"title", "pages"},
              {"scale", {{"type", "symlog"}}},
              {"axis",
               {{"labelExpr", "format(datum.value, '~s')"},
                {"values", {0, 10, 100, 1000, 10'000, 100'000, 1'000'000, 10'000'000, 100'000'000}}}}}},
            {"y2", {{"datum", 0}}},
            {"color",
             {{"datum", "pages sent"},
              {"type", "nominal"},
              {"title", nullptr},
              {"scale", {{"domain", {"pages sent", "newly dirty"}}}}}},
            {"tooltip", tooltip(shown)}}}};
}

Json dirty_layer() {
  return {{"mark", {{"type", "rule"}, {"strokeWidth", 3}}},
          {"encoding",
           {{"x", {{"field", "start"}, {"type", "quantitative"}}},
            {"x2", {{"field", "end"}}},
            {"y", {{"field", "dirtied"}, {"type", "quantitative"}}},
            {"color", {{"datum", "newly dirty"}, {"type", "nominal"}}}}}};
}

/// A rule for each mark, and its word, one under the other since they may be close.
Json marks_layers(const Json& marks) {
  const Json x{{"field", "at"}, {"type", "quantitative"}};
  Json layers = Json::array(
      {{{"data", inline_data(marks)},
        {"mark", {{"type", "rule"}, {"strokeDash", {4, 3}}}},
        {"encoding", {{"x", x}, {"tooltip", tooltip({{"mark", "state", "nominal"}, {"at", "at [ms]"}})}}}}});
  int line = 0;
  for (const Json& mark : marks)
    layers.push_back({{"data", inline_data(Json::array({mark}))},
                      {"mark", {{"type", "text"}, {"align", "right"}, {"dx", -4}, {"baseline", "top"}}},
                      {"encoding", {{"x", x}, {"y", {{"value", 2 + 15 * line++}}}, {"text", {{"field", "mark"}}}}}});
  return layers;
}

Figure timeline(const Json& migration, const std::string& name) {
  Figure figure;
  figure.title = "Rounds of " + name;
  figure.text =
      "Each bar is a round, as long as it took and as high as the pages that it sent; the line across it is what the "
      "guest wrote to "
      "meanwhile and has to go again. Pages are on a scale that shows few and many. Broken lines mark what became of "
      "the guest.";
  const Json rounds = rounds_of(migration);
  Json layers = Json::array({bars_layer(), dirty_layer()});
  for (Json& layer : marks_layers(marks_of(migration))) layers.push_back(std::move(layer));
  figure.spec = {{"data", inline_data(rounds)}, {"width", "container"}, {"height", 260}, {"layer", std::move(layers)}};
  figure.table.columns = {"round",           "start_ms",          "duration_ms",     "sent_pages",
                          "new_dirty_pages", "dirty_pages_after", "rate_limit_mbps", "throttle_percent"};
  for (const Json& round : migration.at("iterations")) {
    if (figure.table.rows.size() == kRoundsMost) {
      ++figure.table.left_out;
      continue;
    }
    std::vector<std::string> row{round.at("index").dump()};
    for (std::size_t i = 1; i < figure.table.columns.size(); ++i) {
      const Json& value = round.at(figure.table.columns[i]);
      row.push_back(value.is_null() ? "" : value.dump());
    }
    figure.table.rows.push_back(std::move(row));
  }
  return figure;
}

}  // namespace

void add_rounds(Page& page, const std::vector<ResultFile>& results) {
  std::size_t shown = 0;
  for (const ResultFile& result : results) {
    if (!result.document.contains("migrations")) continue;
    for (const Json& migration : result.document.at("migrations")) {
      if (shown == kTimelinesMost) return;
      if (migration.at("iterations").empty()) continue;
      const std::string prefix = results.size() > 1 ? result.file + ": " : "";
      page.figures.push_back(timeline(migration, prefix + migration.at("guest").get<std::string>() + " by " +
                                                     migration.at("strategy").get<std::string>()));
      ++shown;
    }
  }
}

}  // namespace godwit::report
