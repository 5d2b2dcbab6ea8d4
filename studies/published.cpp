#include "studies/published.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <functional>
#include <string_view>

#include "base/check.h"
#include "scenarios/load.h"
#include "sim/run.h"
#include "studies/embedded.h"

namespace godwit::studies {
namespace {

sim::RunOptions scenario(std::string_view name) {
  const auto files = embedded::published();
  const auto file = std::ranges::find(files, name, &embedded::File::name);
  GODWIT_CHECK(file != files.end());
  const auto loaded = scenarios::load_text(file->text, std::string(name), {});
  GODWIT_CHECK(std::holds_alternative<scenarios::Loaded>(loaded));
  return std::get<scenarios::Loaded>(loaded).options;
}

sim::MigrationResult migrate(const sim::RunOptions& run) { return sim::run(run).migrations.at(0); }

double seconds(Nanos time) { return static_cast<double>(time.count()) / 1e9; }
double mebibytes(Bytes size) { return static_cast<double>(size.value) / (1 << 20); }

/// Clark et al., NSDI 2005, figure 12: a writer of 256 MB in a guest of 512 MB. Its labels are MiB.
void add_figure_12(std::vector<PublishedFigure>& figures) {
  constexpr std::array<double, 4> kSent{255.4, 44.0, 116.0, 222.5};
  constexpr std::array<double, 4> kSeconds{20.44, 2.27, 1.90, 3.52};
  const char* origin = "Clark et al. 2005, figure 12";
  const sim::MigrationResult result = migrate(scenario("mmuncher_clark05"));
  for (std::size_t i = 0; i < std::min(kSent.size(), result.iterations.size()); ++i) {
    const core::RoundStats& round = result.iterations[i].round;
    figures.push_back({origin, fmt::format("round {}, sent", i + 1), "MiB", kSent[i], mebibytes(round.bytes)});
    figures.push_back({origin, fmt::format("round {}, duration", i + 1), "s", kSeconds[i], seconds(round.took)});
  }
  figures.push_back({origin, "rounds", "", kSent.size(), static_cast<double>(result.iterations.size())});
  figures.push_back({origin, "sent in all", "MiB", 638, mebibytes(result.transferred)});
  figures.push_back({origin, "downtime", "s", 3.5, seconds(result.downtime)});
}

double live_rounds(const sim::MigrationResult& result) {
  return static_cast<double>(
      std::ranges::count_if(result.iterations, [](const sim::Iteration& each) { return !each.round.stopped; }));
}

std::vector<double> sorted(const std::vector<sim::MigrationResult>& results,
                           const std::function<double(const sim::MigrationResult&)>& figure) {
  std::vector<double> all;
  for (const sim::MigrationResult& result : results) all.push_back(figure(result));
  std::ranges::sort(all);
  return all;
}

/// Clark et al., NSDI 2005, figure 9: SPECweb99. The limits are those that its dirty rates give by the source's law. Each
/// figure is the middle one of 100 seeds.
void add_figure_9(std::vector<PublishedFigure>& figures) {
  constexpr std::array<double, 5> kLimit{100, 100, 100, 189, 307};
  constexpr std::array<double, 5> kSent{676.8, 126.7, 39.0, 28.4, 24.2};
  const char* origin = "Clark et al. 2005, figure 9";
  sim::RunOptions run = scenario("specweb_clark05");
  std::vector<sim::MigrationResult> results;
  for (run.seed = 1; run.seed <= 100; ++run.seed) results.push_back(migrate(run));
  const auto median = [&](const std::function<double(const sim::MigrationResult&)>& figure) {
    return sorted(results, figure)[results.size() / 2];
  };
  const auto round = [](const sim::MigrationResult& result, std::size_t i) {  // nothing where there was none
    return i < result.iterations.size() ? result.iterations[i].round : core::RoundStats{};
  };
  for (std::size_t i = 0; i < kLimit.size(); ++i) {
    figures.push_back({origin, fmt::format("round {}, limit", i + 1), "Mbit/s", kLimit[i],
                       median([&](const auto& r) { return static_cast<double>(round(r, i).rate_limit.value) / 1e6; })});
    figures.push_back({origin, fmt::format("round {}, sent", i + 1), "MiB", kSent[i],
                       median([&](const auto& r) { return mebibytes(round(r, i).bytes); })});
  }
  const std::vector<double> rounds = sorted(results, live_rounds);
  figures.push_back({origin, fmt::format("live rounds ({} to {} over 100 seeds)", rounds.front(), rounds.back()), "", 8,
                     rounds[rounds.size() / 2]});
  figures.push_back(
      {origin, "sent in all", "MiB", 960, median([](const auto& r) { return mebibytes(r.transferred); })});
  figures.push_back({origin, "total time", "s", 71, median([](const auto& r) { return seconds(r.total_time); })});
  figures.push_back({origin, "downtime", "ms", 210, median([](const auto& r) { return seconds(r.downtime) * 1000; })});
}

/// Hines and Gopalan, VEE 2009: pre-copy of a guest that writes its working set all the time.
void add_write_precopy(std::vector<PublishedFigure>& figures) {
  constexpr std::array<double, 7> kDowntimeMs{92, 165, 322, 603, 1207, 2405, 4863};
  const std::vector<sim::MigrationResult> results = sim::run(scenario("write_precopy_hines09")).migrations;
  GODWIT_CHECK(results.size() == kDowntimeMs.size());
  for (std::size_t i = 0; i < results.size(); ++i)
    figures.push_back({"Hines and Gopalan 2009, write pre-copy", fmt::format("downtime at {} MiB", 8 << i), "ms",
                       kDowntimeMs[i], seconds(results[i].downtime) * 1000});
}

}  // namespace

std::vector<PublishedFigure> published_figures() {
  std::vector<PublishedFigure> figures;
  add_figure_9(figures);
  add_figure_12(figures);
  add_write_precopy(figures);
  const sim::MigrationResult nomad = migrate(scenario("nomadbios_100mbit"));
  figures.push_back({"Hansen and Henriksen 2002, NomadBIOS at 100 Mbit/s", "downtime", "ms", 100,
                     seconds(nomad.downtime) * 1000, true});
  return figures;
}

}  // namespace godwit::studies
