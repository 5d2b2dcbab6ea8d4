#pragma once

#include <string>
#include <utility>
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

/// How outcomes are told apart, by everybody: what is done is blue and full, what is done with some seeds orange; what is
/// not done is grey and hollow with a broken edge. `field` of the records has one of `outcomes`.
void mark_outcomes(Json& bars, const std::string& field, const std::vector<std::string>& outcomes);

/// Whether that is the word for an outcome as it should be.
bool is_done(const std::string& outcome);

/// Bars with, at their beginning, what those came to that are not done: names, as the bars have them, and outcomes.
Json with_failures(Json bars, const std::string& field, const std::vector<std::pair<std::string, std::string>>& all);

/// The axis of a channel; on a log scale with ticks that people read.
Json axis_channel(const Channel& channel);

/// The axis of names, the file of a result over what is in it.
Json name_axis();

/// Fields that a pointer shows.
Json tooltip(const std::vector<Channel>& channels);

/// A selection box over a chart for each of `channels`, each with the values given and "all" before them; the records
/// that are not selected are left out.
void add_filters(Json& spec, const std::vector<Channel>& channels, const std::vector<Json>& values);

}  // namespace godwit::report
