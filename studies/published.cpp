#include "studies/published.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <string_view>

#include "base/check.h"
#include "scenarios/load.h"
#include "sim/run.h"
#include "studies/embedded.h"

namespace godwit::studies {
namespace {

sim::MigrationResult migrate(std::string_view name) {
  const auto files = embedded::published();
  const auto file = std::ranges::find(files, name, &embedded::File::name);
  GODWIT_CHECK(file != files.end());
  const auto loaded = scenarios::load_text(file->text, std::string(name), {});
  GODWIT_CHECK(std::holds_alternative<scenarios::Loaded>(loaded));
  return sim::run(std::get<scenarios::Loaded>(loaded).options).migrations.at(0);
}

double seconds(Nanos time) { return static_cast<double>(time.count()) / 1e9; }
double mebibytes(Bytes size) { return static_cast<double>(size.value) / (1 << 20); }

/// Clark et al., NSDI 2005, figure 12: a writer of 256 MB in a guest of 512 MB. Its labels are MiB.
void add_figure_12(std::vector<PublishedFigure>& figures) {
  constexpr std::array<double, 4> kSent{255.4, 44.0, 116.0, 222.5};
  constexpr std::array<double, 4> kSeconds{20.44, 2.27, 1.90, 3.52};
  const char* origin = "Clark et al. 2005, figure 12";
  const sim::MigrationResult result = migrate("mmuncher_clark05");
  for (std::size_t i = 0; i < std::min(kSent.size(), result.iterations.size()); ++i) {
    const core::RoundStats& round = result.iterations[i].round;
    figures.push_back({origin, fmt::format("round {}, sent", i + 1), "MiB", kSent[i], mebibytes(round.bytes)});
    figures.push_back({origin, fmt::format("round {}, duration", i + 1), "s", kSeconds[i], seconds(round.took)});
  }
  figures.push_back({origin, "rounds", "", kSent.size(), static_cast<double>(result.iterations.size())});
  figures.push_back({origin, "sent in all", "MiB", 638, mebibytes(result.transferred)});
  figures.push_back({origin, "downtime", "s", 3.5, seconds(result.downtime)});
}

}  // namespace

std::vector<PublishedFigure> published_figures() {
  std::vector<PublishedFigure> figures;
  add_figure_12(figures);
  const sim::MigrationResult nomad = migrate("nomadbios_100mbit");
  figures.push_back({"Hansen and Henriksen 2002, NomadBIOS at 100 Mbit/s", "downtime", "ms", 100,
                     seconds(nomad.downtime) * 1000, true});
  return figures;
}

}  // namespace godwit::studies
