#pragma once

#include <string>
#include <vector>

#include "report/run_json.h"

/// Charts as specifications of Vega-Lite.
namespace godwit::report {

/// How a field of the records is shown.
struct Channel {
  std::string field;
  std::string title;
  std::string type = "quantitative";  ///< Or "nominal", "ordinal".
  bool log = false;
};

/// `records` as data.
Json inline_data(Json records);
/// The page's dataset of that name as data.
Json named_data(const std::string& name);

/// Bars to the right, one for each `y`, made of parts side by side. The parts keep the order in which they are listed.
Json stacked_bars(Json data, const Channel& x, const Channel& y, const Channel& part,
                  const std::vector<std::string>& parts);

/// The axis of a channel; on a log scale with ticks that people read.
Json axis_channel(const Channel& channel);

/// Fields that a pointer shows.
Json tooltip(const std::vector<Channel>& channels);

/// A selection box over a chart for each of `channels`, each with the values given and "all" before them; the records
/// that are not selected are left out.
void add_filters(Json& spec, const std::vector<Channel>& channels, const std::vector<Json>& values);

}  // namespace godwit::report
