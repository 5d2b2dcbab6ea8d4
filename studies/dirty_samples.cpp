#include "studies/dirty_samples.h"

#include <algorithm>
#include <cmath>
#include <string>
#include <utility>

#include "base/check.h"
#include "scenarios/fields.h"
#include "scenarios/json_reader.h"
#include "scenarios/load.h"

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

std::optional<CellPrediction> gudkov_2023(const DirtySamples& samples, BitsPerSecond bandwidth, Nanos downtime_max) {
  GODWIT_CHECK(bandwidth.value > 0 && samples.points.size() >= 2);
  const Curve curve(samples);
  const double speed = bytes_per_ms(bandwidth), page = static_cast<double>(samples.page_size.value) + kHeaderBytes;
  const double limit = downtime_max == kNever ? kDeadlineMs : milliseconds(downtime_max);
  double bytes = curve.other() * page + curve.zero() * kHeaderBytes, total = 0;
  for (std::uint32_t round = 1; total <= kDeadlineMs; ++round) {
    const double took = bytes / speed;
    total += took;
    if (took <= limit) return CellPrediction{Nanos{std::llround(total * 1e6)}, round};
    if (took == 0) break;
    bytes = curve.dirty(took) * page;
  }
  return std::nullopt;
}

}  // namespace godwit::studies
