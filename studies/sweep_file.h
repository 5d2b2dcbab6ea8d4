#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "scenarios/issues.h"
#include "scenarios/node.h"
#include "sim/options.h"

/// A sweep: one scenario with some of its values varied, every combination of them, each with several seeds.
namespace godwit::studies {

/// One place of the scenario, and what is put there in turn.
struct Axis {
  std::string pointer;
  std::vector<scenarios::Json> values;
};

struct Sweep {
  static constexpr std::uint64_t kPointsMost = 100'000'000;

  std::string name;
  std::optional<std::string> question;
  scenarios::Node base;            ///< The scenario.
  std::string base_file;           ///< What issues call it.
  std::filesystem::path base_dir;  ///< What paths in it are relative to.
  std::vector<Axis> axes;          ///< In the order of the file, in which they are applied.
  std::uint32_t seeds = 1;         ///< The scenario's own, and those that follow it.

  std::uint64_t points() const;

  /// The sweep with its scenario in it and the values of all axes spelt out: what makes it this one and no other.
  scenarios::Json document() const;
  /// Of that, 32 hexadecimal digits.
  std::string hash() const;
};

/// Where a point stands. Points are numbered from 0; seeds turn fastest, then the last axis.
struct Point {
  std::vector<std::uint32_t> values;  ///< Of each axis, which one.
  std::uint32_t seed = 0;             ///< To be added to the scenario's.
};

/// Requires number < points().
Point point_at(const Sweep& sweep, std::uint64_t number);

/// The scenario of a point as a document.
scenarios::Json scenario_at(const Sweep& sweep, std::uint64_t number);

/// What it runs, or what is wrong with this combination of values.
std::variant<sim::RunOptions, std::vector<scenarios::Issue>> options_at(const Sweep& sweep, std::uint64_t number);

/// The sweep in a file, or everything that is wrong with it. A value that fits neither the first nor the last values of
/// the other axes is wrong; that one fits with some and not with others is found when the points are run.
std::variant<Sweep, std::vector<scenarios::Issue>> load_sweep(const std::filesystem::path& path);

}  // namespace godwit::studies
