#include "report/work_page.h"

#include <fmt/format.h>

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "report/charts.h"
#include "report/format.h"
#include "scenarios/quantity.h"

namespace godwit::report {
namespace {

constexpr std::size_t kWorkMost = 8;
constexpr double kStopped = 0.01;  ///< A guest that gets less of its time than this stands still, to the eye.

/// What a guest's work is measured in, and how long that takes where nothing disturbs it.
struct Work {
  double undisturbed_ms;
  std::string title;
};

std::uint64_t quantity(const Json& object, const char* field, scenarios::Dimension dimension) {
  const Json value = object.value(field, Json());
  if (!value.is_string()) return 0;
  const auto read = scenarios::parse_quantity(dimension, value.get<std::string>());
  const auto* found = std::get_if<std::uint64_t>(&read);
  return found ? *found : 0;
}

/// A GiB of writes, of a guest that writes at one rate; of another, or one of many that share an entry, a second's work.
Work work_of(const Json& scenario, const std::string& name) {
  for (const Json& guest : scenario.value("guests", Json::array())) {
    if (guest.value("name", "") != name || !guest.contains("workload")) continue;
    const auto rate = quantity(guest.at("workload"), "write_rate", scenarios::Dimension::kWriteRate);
    const auto page = quantity(guest, "page_size", scenarios::Dimension::kBytes);
    if (rate == 0 || page == 0) continue;
    return {1073741824.0 * 1000 / (static_cast<double>(rate) * static_cast<double>(page)), "ms per GiB written"};
  }
  return {1000, "ms for a second's work"};
}

/// A stretch of time, from the end of one round to the end of the next.
struct Stretch {
  double from, to, lost;  ///< [ms]

  double speed() const { return to > from ? 1 - lost / (to - from) : 1; }
  bool stopped() const { return speed() < kStopped; }
};

std::vector<Stretch> stretches_of(const Json& migration) {
  std::vector<Stretch> all;
  double at = 0, lost = 0;
  const auto add = [&](double until, double work) {
    if (until > at) all.push_back({at, until, work});
    at = std::max(at, until), lost += work;
  };
  for (const Json& round : migration.at("iterations"))
    add(round.at("start_ms").get<double>() + round.at("duration_ms").get<double>(),
        round.at("work_lost_ms").get<double>());
  add(migration.at("total_time_ms").get<double>(),
      migration.at("guest_effect").at("work_lost_ms").get<double>() - lost);
  return all;
}

bool has_work(const Json& migration) {
  const Json& rounds = migration.at("iterations");
  return !rounds.empty() && std::ranges::all_of(rounds, [](const Json& each) { return each.contains("work_lost_ms"); });
}

std::string rounded(double number) { return fmt::format("{:.6g}", number); }

Json line_layer(const std::vector<Stretch>& stretches, const Work& work, double margin) {
  Json records = Json::array();
  const auto add = [&](double at, const Json& ms, const Json& lost) {
    records.push_back({{"at", at}, {"ms", ms}, {"lost", lost}});
  };
  add(-margin, work.undisturbed_ms, 0);
  Json before = work.undisturbed_ms;
  for (const Stretch& each : stretches) {
    const Json ms = each.stopped() ? Json() : Json(work.undisturbed_ms / each.speed());
    if (ms.is_null() && !before.is_null()) add(each.from, before, 0);  // up to here the line goes
    add(each.from, ms, each.lost);
    before = ms;
  }
  add(stretches.back().to, work.undisturbed_ms, 0);
  add(stretches.back().to + margin, work.undisturbed_ms, 0);
  return {{"data", inline_data(std::move(records))},
          {"mark", {{"type", "line"}, {"interpolate", "step-after"}, {"strokeWidth", 2.5}}},
          {"encoding",
           {{"x", {{"field", "at"}, {"type", "quantitative"}, {"title", "time since the request [ms]"}}},
            {"y",
             {{"field", "ms"},
              {"type", "quantitative"},
              {"title", work.title},
              {"scale", {{"zero", true}}},
              {"axis", {{"tickCount", 5}}}}},
            {"tooltip", tooltip({{"at", "from [ms]"}, {"ms", work.title}, {"lost", "work lost [ms]"}})}}}};
}

/// Where the guest stands still, over all of the chart's height.
Json stopped_layer(const std::vector<Stretch>& stretches) {
  Json records = Json::array();
  for (const Stretch& each : stretches)
    if (each.stopped()) records.push_back({{"from", each.from}, {"to", each.to}, {"what", "the guest stands still"}});
  return {
      {"data", inline_data(std::move(records))},
      {"mark", {{"type", "rect"}, {"color", "#8a8a8a"}, {"opacity", 0.5}, {"stroke", "#8a8a8a"}, {"strokeWidth", 1.5}}},
      {"encoding",
       {{"x", {{"field", "from"}, {"type", "quantitative"}}},
        {"x2", {{"field", "to"}}},
        {"tooltip", tooltip({{"what", "", "nominal"}, {"from", "from [ms]"}, {"to", "to [ms]"}})}}}};
}

Figure work_figure(const Json& migration, const Work& work, const std::string& name) {
  const std::vector<Stretch> stretches = stretches_of(migration);
  Figure figure;
  figure.title = "Work lost over time: " + name;
  figure.text = fmt::format(
      "Before the migration, in each of its rounds, and after it: {} The grey band is where it stands still. Faults, a "
      "throttle, "
      "CPU that the sender takes, and pages that are not there yet make it slower.",
      work.undisturbed_ms == 1000 ? "how long the guest takes for what it does in a second undisturbed."
                                  : "how long the guest takes to write a GiB, as QEMU's guestperf has it.");
  figure.spec = {
      {"width", "container"},
      {"height", 200},
      {"layer", Json::array({stopped_layer(stretches), line_layer(stretches, work, stretches.back().to / 10)})}};
  figure.table.columns = {"from_ms", "to_ms", "work_lost_ms", work.title};
  for (const Stretch& each : stretches)
    figure.table.rows.push_back({rounded(each.from), rounded(each.to), rounded(each.lost),
                                 each.stopped() ? "" : rounded(work.undisturbed_ms / each.speed())});
  return figure;
}

}  // namespace

void add_work(Page& page, const std::vector<ResultFile>& results) {
  std::size_t shown = 0;
  for (const ResultFile& result : results) {
    if (!result.document.contains("migrations")) continue;
    for (const Json& migration : result.document.at("migrations")) {
      if (shown == kWorkMost) return;
      if (!has_work(migration) || migration.at("total_time_ms") == 0) continue;
      const std::string prefix = results.size() > 1 ? result.file + ": " : "", guest = migration.at("guest");
      page.figures.push_back(work_figure(migration, work_of(result.document.at("scenario"), guest),
                                         prefix + guest + " by " + migration.at("strategy").get<std::string>()));
      ++shown;
    }
  }
}

}  // namespace godwit::report
