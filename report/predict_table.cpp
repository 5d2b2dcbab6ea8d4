#include "report/predict_table.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <optional>

#include "report/columns.h"
#include "report/format.h"
#include "scenarios/quantity.h"

namespace godwit::report {
namespace {

using scenarios::Dimension;
using studies::Least;
using studies::ModelDifference;
using studies::Predicted;
using studies::Predictions;
using studies::PredictOptions;

/// As networks are called: "2.5 Gbit/s".
std::string rate_text(BitsPerSecond rate) {
  const auto value = static_cast<double>(rate.value);
  return value >= 1e9 ? fmt::format("{} Gbit/s", value / 1e9) : fmt::format("{} Mbit/s", value / 1e6);
}

std::string limit_text(Nanos limit) {
  if (limit == kNever) return "unlimited";
  return scenarios::format_quantity(Dimension::kTime, static_cast<std::uint64_t>(limit.count()));
}

std::string human_ms(double ms) { return human(Nanos{std::llround(ms * 1e6)}); }

/// A table with a row for each bandwidth and a column for each limit. `cell` is asked for each in turn.
template <class Text>
std::string grid(const PredictOptions& options, Text text_of) {
  std::vector<Columns::Column> columns{{"bandwidth"}};
  for (const Nanos limit : options.downtimes) columns.push_back({limit_text(limit)});
  Columns table(std::move(columns));
  std::size_t cell = 0;
  for (const BitsPerSecond rate : options.bandwidths) {
    std::vector<std::string> row{rate_text(rate)};
    while (row.size() <= options.downtimes.size()) row.push_back(text_of(cell++));
    table.add(std::move(row));
  }
  return table.text(2);
}

std::string unless_it_fails(const Predicted& each, const std::string& text) {
  if (each.converges()) return text;
  return each.completed == 0 ? "never" : fmt::format("{} of {}", each.completed, each.runs);
}

std::string with_p95(const studies::Quantiles& ms) {
  return fmt::format("{} ({})", human_ms(ms.median), human_ms(ms.p95));
}

std::string cells_text(const PredictOptions& options, const Predictions& predictions) {
  const auto& cells = predictions.cells;
  if (options.seeds == 1)
    return "Total time / downtime, by bandwidth and downtime limit:\n" + grid(options, [&](std::size_t i) {
             return unless_it_fails(
                 cells[i], human_ms(cells[i].total_time_ms.median) + " / " + human_ms(cells[i].downtime_ms.median));
           });
  const std::string over =
      fmt::format("by bandwidth and downtime limit, median and (95th percentile) of {} seeds", options.seeds);
  return fmt::format(
      "Total time, {0}:\n{1}\nDowntime, {0}:\n{2}", over,
      grid(options, [&](std::size_t i) { return unless_it_fails(cells[i], with_p95(cells[i].total_time_ms)); }),
      grid(options, [&](std::size_t i) { return unless_it_fails(cells[i], with_p95(cells[i].downtime_ms)); }));
}

/// "4.3 Gbit/s (4.2 Gbit/s fails)".
template <class Text>
std::string least_text(const Least& least, Text text_of) {
  if (!least.found) return "interrupted";
  if (!least.value) return fmt::format("none up to {}", text_of(least.fails));
  if (least.fails == 0) return text_of(*least.value);
  return fmt::format("{} ({} fails)", text_of(*least.value), text_of(least.fails));
}

std::string least_bandwidth_text(const PredictOptions& options, const std::vector<Least>& least) {
  Columns table({{"downtime limit"}, {"bandwidth"}});
  for (std::size_t i = 0; i < least.size(); ++i)
    table.add({limit_text(options.downtimes[i]),
               least_text(least[i], [](std::uint64_t value) { return human(BitsPerSecond{value}); })});
  return "\nSmallest bandwidth that makes it converge, to 2 %:\n" + table.text(2);
}

std::string least_downtime_text(const PredictOptions& options, const std::vector<Least>& least) {
  if (least.empty()) return "\nThe strategy has no downtime limit.\n";
  Columns table({{"bandwidth"}, {"downtime limit"}});
  for (std::size_t i = 0; i < least.size(); ++i)
    table.add({rate_text(options.bandwidths[i]), least_text(least[i], [](std::uint64_t value) {
                 return human(Nanos{static_cast<std::int64_t>(value)});
               })});
  return "\nSmallest downtime limit that makes it converge, to 2 % or 1 ms:\n" + table.text(2);
}

std::string least_throttle_text(const PredictOptions& options, const Predictions& predictions) {
  const auto& least = predictions.throttle;
  if (std::ranges::none_of(least, [](const auto& each) { return each.has_value(); })) return "";
  return "\nSmallest throttle that makes it converge where it does not without, to 1 % of the guest's CPU:\n" +
         grid(options, [&](std::size_t i) -> std::string {
           if (!least[i]) return "-";
           if (!least[i]->found) return "interrupted";
           return least[i]->value ? fmt::format("{} %", *least[i]->value) : "none";
         });
}

std::string post_copy_text(const PredictOptions& options, const Predictions& predictions) {
  if (predictions.post_copy.empty()) return "";
  Columns table({{"strategy", Align::kLeft}, {"bandwidth"}, {"total time"}, {"downtime"}, {"faults"}, {"stall"}});
  const auto count = [](double number) { return grouped(static_cast<std::uint64_t>(std::llround(number))); };
  const bool one = options.seeds == 1;
  for (const auto& [strategy, at] : predictions.post_copy)
    for (std::size_t i = 0; i < at.size(); ++i) {
      const auto time = [&](const studies::Quantiles& ms) { return one ? human_ms(ms.median) : with_p95(ms); };
      const studies::Quantiles& faults = at[i].postcopy_requests;
      table.add({strategy, rate_text(options.bandwidths[i]), unless_it_fails(at[i], time(at[i].total_time_ms)),
                 unless_it_fails(at[i], time(at[i].downtime_ms)),
                 one ? count(faults.median) : fmt::format("{} ({})", count(faults.median), count(faults.p95)),
                 time(at[i].postcopy_stall_ms)});
    }
  return fmt::format(
      "\nThe same guest in post-copy{}: pages that it had to ask for, and how long its virtual CPUs waited for them in "
      "all:\n{}",
      one ? "" : ", median and (95th percentile)", table.text(2));
}

// --- the core beside the model -----------------------------------------------------------------------------------------

std::string total_text(const std::optional<Nanos>& time) { return time ? human(*time) : "never"; }

/// The part that the difference comes from: where the verdict changes for the last time, else the largest step.
std::string reason_of(const ModelDifference& each) {
  const std::array<std::pair<std::optional<Nanos>, const char*>, 5> steps{
      {{each.model, ""}, {each.plain_bits, "bits"}, {each.curve, "curve"}, {each.pace, "pace"}, {each.core, "rounds"}}};
  std::string reason;
  Nanos most{0};
  for (std::size_t i = 1; i < steps.size(); ++i) {
    const auto &before = steps[i - 1].first, &after = steps[i].first;
    if (before.has_value() != after.has_value()) {
      if (each.model.has_value() != each.core.has_value()) reason = steps[i].second;
    } else if (before && each.model && each.core) {
      const Nanos step = *after > *before ? *after - *before : *before - *after;
      if (step > most) reason = steps[i].second, most = step;
    }
  }
  return reason;
}

/// Within a twentieth, and both or neither within the hour.
bool agree(const ModelDifference& each) {
  if (!each.model || !each.core) return each.model.has_value() == each.core.has_value();
  const Nanos off = *each.core > *each.model ? *each.core - *each.model : *each.model - *each.core;
  return off <= *each.model / 20;
}

}  // namespace

std::string predict_table(const PredictOptions& options, const Predictions& predictions) {
  return cells_text(options, predictions) + least_bandwidth_text(options, predictions.bandwidth) +
         least_downtime_text(options, predictions.downtime) + least_throttle_text(options, predictions) +
         post_copy_text(options, predictions);
}

std::string differences_table(const PredictOptions& options, const std::vector<ModelDifference>& differences) {
  Columns table({{"bandwidth"},
                 {"downtime limit"},
                 {"gudkov-2023"},
                 {"1 + bits"},
                 {"2 + curve"},
                 {"3 + pace"},
                 {"the core"},
                 {"mostly by", Align::kLeft}});
  std::size_t same = 0;
  for (std::size_t i = 0; i < differences.size(); ++i) {
    const ModelDifference& each = differences[i];
    if (agree(each)) {
      ++same;
      continue;
    }
    table.add({rate_text(options.bandwidths[i / options.downtimes.size()]),
               limit_text(options.downtimes[i % options.downtimes.size()]), total_text(each.model),
               total_text(each.plain_bits), total_text(each.curve), total_text(each.pace), total_text(each.core),
               reason_of(each)});
  }
  std::string text = fmt::format("\nBeside the model gudkov-2023: {} of {} agree within 5 %", same,
                                 plural(differences.size(), "total time"));
  if (same == differences.size()) return text + ".\n";
  return text + fmt::format(
                    ". The others, and the model with one more of its parts as the core has it:\n"
                    "  1  bits: a gigabit is 10^9 bits, and not 2^30\n"
                    "  2  curve: pages get dirty as the fitted curve says, and not in straight lines between samples\n"
                    "  3  pace: as much is sent in a second as the core came to, CPU, set-up and switch-over included\n"
                    "  rounds, the rest: when the log is read, what is sent again, and when it stops\n{}",
                    table.text(2));
}

std::string gudkov_table(const PredictOptions& options, const studies::DirtySamples& samples) {
  const std::string table = grid(options, [&](std::size_t i) -> std::string {
    const auto found = studies::gudkov_2023(samples, options.bandwidths[i / options.downtimes.size()],
                                            options.downtimes[i % options.downtimes.size()]);
    return found ? fmt::format("{} s", (found->total.count() + 999'999'999) / 1'000'000'000) : "never";
  });
  return "Total time by bandwidth and downtime limit, whole seconds, rounded up:\n" + table;
}

}  // namespace godwit::report
