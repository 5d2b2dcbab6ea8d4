#include "report/validate_table.h"

#include <fmt/format.h>

#include <optional>
#include <vector>

#include "report/columns.h"

namespace godwit::report {
namespace {

using studies::ErrorSpread;
using studies::Prediction;
using studies::Summary;

constexpr const char* kNone = "-";

std::string error(std::optional<double> relative) {
  return relative ? fmt::format("{:+.1f} %", *relative * 100) : kNone;
}
std::string share(double relative) { return fmt::format("{:.1f} %", relative * 100); }

std::string milliseconds_of(const std::optional<double>& time) { return time ? fmt::format("{:.1f}", *time) : kNone; }
std::string megabytes(std::uint64_t bytes) { return fmt::format("{:.1f}", static_cast<double>(bytes) / 1e6); }

std::string verdict(const Prediction& each) {
  const char* real = each.run.measured.completed ? "completed" : "cancelled";
  return each.verdict_right() ? real : fmt::format("WRONG: {}", real);
}

/// Text or Markdown, piece by piece.
class ValidationPage {
 public:
  explicit ValidationPage(TableFormat format) : markdown_(format == TableFormat::kMarkdown) {}

  void title(const std::string& text) { add(markdown_ ? "# " + text : text); }
  void heading(const std::string& text) { add(markdown_ ? "## " + text : text + ":"); }
  void paragraph(const std::string& text) { add(text); }
  void table(const Columns& columns) { add(markdown_ ? columns.markdown() : columns.text(2), ""); }
  bool is_markdown() const { return markdown_; }
  std::string take() { return std::move(text_); }

 private:
  void add(const std::string& piece, const char* end = "\n") {
    if (!text_.empty()) text_ += '\n';
    text_ += piece + end;
  }

  bool markdown_;
  std::string text_;
};

void add_published(ValidationPage& page, const std::vector<studies::PublishedFigure>& figures) {
  Columns table({{"published in", Align::kLeft}, {"what", Align::kLeft}, {"published"}, {"Godwit"}, {"error"}});
  for (const studies::PublishedFigure& each : figures) {
    const std::string published = fmt::format("{}{:g} {}", each.is_bound ? "< " : "", each.published, each.unit);
    table.add({each.origin, each.what, published.substr(0, published.find_last_not_of(' ') + 1),
               fmt::format("{:.4g} {}", each.simulated, each.unit),
               each.is_bound ? (each.simulated < each.published ? "met" : "NOT MET") : error(each.error())});
  }
  page.heading("Published migrations");
  page.table(table);
}

std::vector<std::string> row_of(const Prediction& each) {
  const studies::Outcome& p = each.predicted;
  const studies::Outcome& m = each.run.measured;
  const std::string run = fmt::format("{} {}", each.run.cell, each.run.rep);
  if (!each.is_predicted()) {
    return {run,
            "not modelled",
            kNone,
            milliseconds_of(m.total_time_ms),
            kNone,
            kNone,
            milliseconds_of(m.stop_to_resume_ms),
            kNone,
            kNone,
            megabytes(m.transferred_bytes),
            kNone,
            kNone,
            std::to_string(m.dirty_sync_count),
            kNone,
            std::to_string(m.normal_pages),
            kNone,
            std::to_string(m.duplicate_pages),
            kNone,
            std::to_string(m.throttle_max_percent)};
  }
  return {run,
          verdict(each),
          milliseconds_of(p.total_time_ms),
          milliseconds_of(m.total_time_ms),
          error(each.errors.total_time),
          milliseconds_of(p.stop_to_resume_ms),
          milliseconds_of(m.stop_to_resume_ms),
          error(each.errors.stop_to_resume),
          megabytes(p.transferred_bytes),
          megabytes(m.transferred_bytes),
          error(each.errors.transferred),
          std::to_string(p.dirty_sync_count),
          std::to_string(m.dirty_sync_count),
          std::to_string(p.normal_pages),
          std::to_string(m.normal_pages),
          std::to_string(p.duplicate_pages),
          std::to_string(m.duplicate_pages),
          std::to_string(p.throttle_max_percent),
          std::to_string(m.throttle_max_percent)};
}

void add_runs(ValidationPage& page, const std::string& heading, const std::vector<const Prediction*>& runs) {
  if (runs.empty()) return;
  Columns table({{"run", Align::kLeft},
                 {"verdict", Align::kLeft},
                 {"total ms"},
                 {"real"},
                 {"error"},
                 {"stop ms"},
                 {"real"},
                 {"error"},
                 {"MB"},
                 {"real"},
                 {"error"},
                 {"syncs"},
                 {"real"},
                 {"normal"},
                 {"real"},
                 {"zero"},
                 {"real"},
                 {"throttle"},
                 {"real"}});
  for (const Prediction* each : runs) table.add(row_of(*each));
  page.heading(heading);
  page.table(table);
}

std::string three(const ErrorSpread& spread) {
  if (spread.of == 0) return kNone;
  return fmt::format("{} / {} / {}", share(spread.median), share(spread.p90), share(spread.worst));
}

std::string of(std::size_t count, std::size_t all) { return fmt::format("{} of {}", count, all); }

void add_summary_row(Columns& table, const std::string& name, const std::vector<const Prediction*>& runs) {
  if (runs.empty()) return;
  const Summary summary = studies::summarise(runs);
  table.add({name, of(summary.verdict_right, summary.runs), three(summary.total_time), three(summary.stop_to_resume),
             of(summary.within_factor_two, summary.stop_to_resume.of), three(summary.transferred),
             of(summary.syncs_close, summary.runs), std::to_string(summary.not_modelled)});
}

void add_summary(ValidationPage& page, const studies::Validation& validation) {
  Columns table({{"runs", Align::kLeft},
                 {"verdict right"},
                 {"total time"},
                 {"stop to resume"},
                 {"within a factor of 2"},
                 {"bytes"},
                 {"syncs close"},
                 {"not modelled"}});
  for (std::size_t i = 0; i < studies::kRunKinds; ++i) {
    const auto kind = static_cast<studies::RunKind>(i);
    add_summary_row(table, std::string(studies::name_of(kind)), validation.of_kind(kind));
    if (kind != studies::RunKind::kPlain) continue;
    for (const std::string& group : validation.plain_groups())
      add_summary_row(table, "plain: " + group, validation.plain_in(group));
  }
  add_summary_row(table, "all", validation.all());
  page.heading("Errors");
  page.paragraph(
      "Median / 90th percentile / worst of the relative errors' magnitudes. Syncs are close within one or 10 %.");
  page.table(table);
}

std::string not_modelled_note(const studies::Validation& validation) {
  std::string note;
  for (const Prediction& each : validation.runs) {
    if (each.is_predicted()) continue;
    note += fmt::format("{}{} {} needs {}", note.empty() ? "" : "; ", each.run.cell, each.run.rep,
                        fmt::join(each.not_modelled, ", "));
  }
  return note;
}

}  // namespace

std::string validate_table(const std::vector<studies::PublishedFigure>& published,
                           const studies::Validation& validation, TableFormat format) {
  ValidationPage page(format);
  if (page.is_markdown()) {
    page.title("Validation");
    page.paragraph("Written by `godwit validate --markdown > docs/validation.md`; do not edit it.");
    page.paragraph(
        "Godwit's figures beside those of real migrations. Each run of `studies/data` is predicted from its parameters "
        "and the\nguest's write rate before the migration alone; `studies/data/README.md` says how the runs were made. "
        "What is the host's is\nin the profile `tcg-nested-x86`, what is QEMU's in the strategy `qemu-10`, each number "
        "with its origin. Times from stop to\nresume are from the last instruction at the source to the first at the "
        "destination.");
  }
  add_published(page, published);
  for (std::size_t i = 0; i < studies::kRunKinds; ++i) {
    const auto kind = static_cast<studies::RunKind>(i);
    add_runs(page, fmt::format("Runs: {}", studies::name_of(kind)), validation.of_kind(kind));
  }
  add_summary(page, validation);
  if (const std::string note = not_modelled_note(validation); !note.empty()) page.paragraph("Not modelled: " + note);
  return page.take();
}

}  // namespace godwit::report
