#pragma once

#include <cstddef>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "report/charts.h"
#include "studies/sweep_cells.h"

/// What the charts of a sweep have in common: axes, records, choices.
namespace godwit::report {

inline constexpr std::size_t kMapWidth = 230, kMapHeight = 220;          ///< Of a map of one contender [pixels].
inline constexpr std::size_t kWinnersWidth = 300, kWinnersHeight = 320;  ///< As wide as a phone lets it be.

/// Which axis of the sweep is which axis of the charts.
struct SweepLayout {
  std::optional<std::size_t> x, y, contender;
  std::vector<std::size_t> others;  ///< Chosen by the reader.
};

SweepLayout layout_of(const studies::SweepCells& cells);

Json json_of(const studies::SqlValue& value);

/// The name of an axis in records.
std::string field_of(std::size_t axis);

/// "write rate [pages/s]" for /guests/0/workload/write_rate.
std::string title_of(const studies::SweepColumn& column);

/// Each once, in the order of the points.
std::vector<Json> values_of(const studies::SweepCells& cells, std::size_t axis);

/// "converges", "with some seeds" or "never".
std::string state_of(const studies::Cell& cell);

/// Which cells of a map have room for a sign: every one, or of cells that are small every so many. Requires a layout
/// with x and y.
class MapSigns {
 public:
  MapSigns(const studies::SweepCells& cells, const SweepLayout& layout, std::size_t width, std::size_t height)
      : across_(cells, *layout.x, width), up_(cells, *layout.y, height) {}

  bool at(const studies::SqlValue& x, const studies::SqlValue& y) const { return across_.at(x) && up_.at(y); }

 private:
  struct Axis {
    Axis(const studies::SweepCells& cells, std::size_t axis, std::size_t size);
    bool at(const studies::SqlValue& value) const { return places.at(value) % every == 0; }

    std::map<studies::SqlValue, std::size_t> places;
    std::size_t every;
  };

  Axis across_, up_;
};

/// A record for each cell: its axes, `state`, figures; without those of the downtime where it does not converge, but with
/// a `sign` where its map has room.
Json cell_records(const studies::SweepCells& cells, const SweepLayout& layout);

std::vector<Channel> axis_channels(const studies::SweepCells& cells);

/// The place of a cell on a map: one step for each value, whatever lies between them.
Json step_channel(const studies::SweepCells& cells, std::size_t axis, bool upwards);

/// A selection box for each of the axes that a chart does not show, at its first value.
void add_choices(Json& spec, const studies::SweepCells& cells, const std::vector<std::size_t>& axes);

/// `inner` once for each contender, where there are any, over the page's dataset of that name.
Json faceted(Json inner, const studies::SweepCells& cells, const SweepLayout& layout, const std::string& data);

/// The signs on the cells of a map that have one.
Json sign_layer(const Json& x, const Json& y);

}  // namespace godwit::report
