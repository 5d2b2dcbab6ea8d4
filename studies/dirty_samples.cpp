#include "studies/dirty_samples.h"

#include <algorithm>
#include <cmath>
#include <string>
#include <utility>

#include "base/check.h"
#include "scenarios/fields.h"
#include "scenarios/json_reader.h"
#include "scenarios/load.h"
#include "scenarios/quantity.h"

namespace godwit::studies {
namespace {

using scenarios::Issues;
using scenarios::Node;

constexpr double kHeaderBytes = 8;
constexpr double kDeadlineMs = 3'600'000;

bool read_points(const Node& node, DirtySamples& samples, Issues& issues) {
  const scenarios::Codec<Nanos> period = scenarios::time({"1 ms", "1 h"});
  const scenarios::Codec<std::uint64_t> pages = scenarios::whole_number(0, UINT64_MAX >> 12);
  if (!node.is(Node::Type::kArray) || node.children.size() < 2)
    return issues.at(node, "expected a list of two [period, pages] at least"), false;
  for (const Node& child : node.children) {
    DirtySamples::Point point;
    if (!child.is(Node::Type::kArray) || child.children.size() != 2)
      return issues.at(child, "expected a pair such as [\"125 ms\", 33]"), false;
    if (!period.read(child.children[0], point.period, issues)) return false;
    if (!pages.read(child.children[1], point.dirty.value, issues)) return false;
    if (!samples.points.empty() && point.period <= samples.points.back().period)
      return issues.at(child, "expected a longer period than the one before"), false;
    samples.points.push_back(point);
  }
  return true;
}

const scenarios::Table<DirtySamples>& samples_table() {
  static const scenarios::Table<DirtySamples> table = [] {
    const auto pages = scenarios::whole_number(0, std::uint64_t{1} << 40);
    scenarios::Table<DirtySamples> made("dirty_samples", "a measured dirty curve");
    made.add("source", "", "").optional().read = [](const Node&, DirtySamples&, Issues&) { return true; };
    made.field("page_size", &DirtySamples::page_size, scenarios::bytes({"4 KiB", "2 MiB"}), "").or_else("4 KiB");
    made.field(
        "pages", [](DirtySamples& s) -> std::uint64_t& { return s.pages.value; }, pages, "");
    made.field(
        "sampled_pages", [](DirtySamples& s) -> std::uint64_t& { return s.sampled.value; }, pages, "");
    made.field(
            "zero_pages", [](DirtySamples& s) -> std::uint64_t& { return s.zero.value; }, pages, "")
        .or_else(0);
    made.add("dirty", "list of [period, pages]", "").read = &read_points;
    return made;
  }();
  return table;
}

/// The samples scaled to the whole guest.
class Curve {
 public:
  explicit Curve(const DirtySamples& samples)
      : samples_(samples),
        scale_(static_cast<double>(samples.pages.value) / static_cast<double>(samples.sampled.value)) {}

  double zero() const { return static_cast<double>(samples_.zero.value) * scale_; }
  double other() const { return static_cast<double>(samples_.pages.value) - zero(); }

  /// Pages that are dirty `ms` after all were clean.
  double dirty(double ms) const {
    const auto& points = samples_.points;
    const auto after = std::ranges::find_if(points, [&](const auto& each) { return ms <= milliseconds(each.period); });
    const auto at = std::clamp<std::ptrdiff_t>(after - points.begin(), 1, std::ssize(points) - 1);
    const auto &low = points[static_cast<std::size_t>(at - 1)], &high = points[static_cast<std::size_t>(at)];
    const double from = static_cast<double>(low.dirty.value) * scale_,
                 to = static_cast<double>(high.dirty.value) * scale_;
    const double slope = (to - from) / (milliseconds(high.period) - milliseconds(low.period));
    return std::clamp(from + slope * (ms - milliseconds(low.period)), 0.0, other());
  }

 private:
  const DirtySamples& samples_;
  double scale_;
};

double bytes_per_ms(BitsPerSecond bandwidth) {
  constexpr double kMega = 1'048'576, kGiga = 1'073'741'824;
  const auto bits = static_cast<double>(bandwidth.value);
  return (bandwidth.value < 1'000'000'000 ? bits / 1e6 * kMega : bits / 1e9 * kGiga) / 8 / 1000;
}

}  // namespace

std::variant<DirtySamples, std::vector<scenarios::Issue>> load_samples(const std::filesystem::path& path) {
  Issues issues(path.string());
  const std::optional<Node> root = scenarios::read_document(path, issues);
  DirtySamples samples;
  if (root) {
    issues.set_root(&*root);
    samples_table().read(*root, samples, issues);
    if (issues.empty() &&
        (samples.sampled.value == 0 || samples.sampled > samples.pages || samples.zero > samples.sampled))
      issues.at(*root, "expected zero_pages <= sampled_pages <= pages, and pages that were sampled");
  }
  if (!issues.empty()) return issues.take();
  return samples;
}

scenarios::Json guest_of(const DirtySamples& samples) {
  using scenarios::Dimension;
  using scenarios::format_quantity;
  const auto scaled = [&](Pages sampled) { return mul_div(sampled.value, samples.pages.value, samples.sampled.value); };
  scenarios::Json points = scenarios::Json::array();
  Pages most{0};
  for (const DirtySamples::Point& each : samples.points) {
    most = std::max(most, each.dirty);
    if (most.value == 0) continue;
    points.push_back({format_quantity(Dimension::kTime, static_cast<std::uint64_t>(each.period.count())),
                      format_quantity(Dimension::kPages, scaled(most))});
  }
  const Bytes memory = samples.page_size * samples.pages.value;
  scenarios::Json guest{{"name", "guest"},
                        {"memory", format_quantity(Dimension::kBytes, memory.value)},
                        {"page_size", format_quantity(Dimension::kBytes, samples.page_size.value)}};
  if (samples.zero.value > 0) {
    const Share share = mul_div(samples.zero.value, kWhole, samples.sampled.value);
    guest["pages"] =
        scenarios::Json::array({{{"class", "zero"}, {"share", format_quantity(Dimension::kShare, share)}}});
  }
  if (points.empty())
    guest["workload"] = {{"kind", "idle"}};
  else
    guest["workload"] = {{"kind", "dirty_curve"}, {"points", std::move(points)}};
  return guest;
}

std::optional<CellPrediction> gudkov_2023(const DirtySamples& samples, BitsPerSecond bandwidth, Nanos downtime_max,
                                          const GudkovChanges& changes) {
  GODWIT_CHECK(bandwidth.value > 0 && samples.points.size() >= 2);
  const Curve curve(samples);
  const double page = static_cast<double>(samples.page_size.value) + kHeaderBytes;
  const double speed = changes.plain_bits ? static_cast<double>(bandwidth.value) / 8000 : bytes_per_ms(bandwidth);
  const double limit = downtime_max == kNever ? kDeadlineMs : milliseconds(downtime_max);
  double bytes = curve.other() * page + curve.zero() * kHeaderBytes, total = 0;
  for (std::uint32_t round = 1; total <= kDeadlineMs; ++round) {
    const double took = bytes / speed;
    total += took;
    if (took <= limit) return CellPrediction{Nanos{std::llround(total * 1e6)}, round};
    if (took == 0) break;
    bytes = page * (changes.curve ? changes.curve->dirty_after(Nanos{std::llround(took * 1e6)}) : curve.dirty(took));
  }
  return std::nullopt;
}

}  // namespace godwit::studies
