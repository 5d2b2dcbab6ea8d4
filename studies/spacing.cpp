#include "studies/spacing.h"

#include <fmt/format.h>

#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>

#include "base/units.h"
#include "scenarios/codec.h"
#include "scenarios/fields.h"

namespace godwit::studies {
namespace {

using scenarios::Dimension;
using scenarios::Issues;
using scenarios::Json;
using scenarios::Node;

constexpr std::uint32_t kStepsMost = 100'000;

enum class Scale : std::uint8_t { kLinear, kLog };

/// An end: a quantity, or a whole number without a unit.
struct End {
  std::uint64_t value = 0;
  std::optional<Dimension> dimension;
};

struct Spacing {
  End from, to;
  std::uint32_t steps = 0;
  Scale scale = Scale::kLinear;
};

bool read_end(const Node& node, End& end, Issues& issues) {
  if (node.is(Node::Type::kNumber) && node.text.size() < 19 &&
      node.text.find_first_not_of("0123456789") == std::string::npos) {
    end = {std::stoull(node.text), std::nullopt};
    return true;
  }
  using enum Dimension;
  for (const Dimension each : {kBytes, kPages, kRate, kTime, kWriteRate, kShare}) {
    if (!node.is(Node::Type::kString)) break;
    const auto read = scenarios::parse_quantity(each, node.text);
    const auto* value = std::get_if<std::uint64_t>(&read);
    if (value == nullptr) continue;
    end = {*value, each};
    return true;
  }
  return issues.at(node, "expected a quantity such as \"10 Gbit/s\" or a whole number, got " + shown(node)), false;
}

const scenarios::Table<Spacing>& spacing_table() {
  static const scenarios::Table<Spacing> table = [] {
    scenarios::Table<Spacing> made("spacing", "values from one to another");
    made.add("from", "the first value", "").read = [](const Node& n, Spacing& s, Issues& i) {
      return read_end(n, s.from, i);
    };
    made.add("to", "the last value", "").read = [](const Node& n, Spacing& s, Issues& i) {
      return read_end(n, s.to, i);
    };
    made.field("steps", &Spacing::steps, scenarios::count(2, kStepsMost), "");
    made.field("scale", &Spacing::scale,
               scenarios::choice<Scale>({{"linear", Scale::kLinear, ""}, {"log", Scale::kLog, ""}}), "")
        .or_else("linear");
    return made;
  }();
  return table;
}

double power(double base, std::uint32_t exponent) {
  double result = 1;
  for (; exponent > 0; exponent >>= 1, base *= base)
    if (exponent & 1) result *= base;
  return result;
}

/// The positive number whose `n`-th power is `x`, by halving the interval until it cannot be halved.
double root(double x, std::uint32_t n) {
  double low = x < 1 ? x : 1, high = x < 1 ? 1 : x;
  while (true) {
    const double middle = low + (high - low) * 0.5;
    if (!(low < middle && middle < high)) return low;
    (power(middle, n) <= x ? low : high) = middle;
  }
}

std::uint64_t rounded(std::uint64_t value, const std::optional<Dimension>& dimension) {
  if (!dimension || dimension == Dimension::kShare) return value;
  const bool binary = dimension == Dimension::kBytes;
  std::uint64_t unit = 1;
  while (value / unit >= (binary ? 1024u : 10'000u)) unit *= binary ? 2 : 10;
  return (value + unit / 2) / unit * unit;
}

std::uint64_t value_at(const Spacing& spacing, double ratio, std::uint32_t step) {
  const std::uint64_t from = spacing.from.value, to = spacing.to.value;
  if (step == 0) return from;
  if (step + 1 == spacing.steps) return to;
  const std::uint64_t value =
      spacing.scale == Scale::kLog
          ? static_cast<std::uint64_t>(std::round(static_cast<double>(from) * power(ratio, step)))
      : to >= from ? from + mul_div(to - from, step, spacing.steps - 1)
                   : from - mul_div(from - to, step, spacing.steps - 1);
  return rounded(value, spacing.from.dimension);
}

}  // namespace

std::vector<Json> spaced_values(const Node& node, Issues& issues) {
  Spacing spacing;
  if (!spacing_table().read(node, spacing, issues)) return {};
  if (spacing.from.dimension != spacing.to.dimension)
    return issues.at(node, "from and to have different units"), std::vector<Json>{};
  if (spacing.scale == Scale::kLog && (spacing.from.value == 0 || spacing.to.value == 0))
    return issues.at(node, "a log scale has no zero"), std::vector<Json>{};

  const double ratio =
      spacing.scale == Scale::kLog
          ? root(static_cast<double>(spacing.to.value) / static_cast<double>(spacing.from.value), spacing.steps - 1)
          : 0.0;
  std::vector<Json> values;
  for (std::uint32_t step = 0; step < spacing.steps; ++step) {
    const std::uint64_t value = value_at(spacing, ratio, step);
    values.push_back(spacing.from.dimension ? Json(format_quantity(*spacing.from.dimension, value)) : Json(value));
  }
  return values;
}

}  // namespace godwit::studies
