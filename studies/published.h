#pragma once

#include <string>
#include <vector>

namespace godwit::studies {

/// A figure that was published of a real migration, beside Godwit's.
struct PublishedFigure {
  std::string origin;  ///< Paper and figure.
  std::string what;    ///< "round 2, sent".
  std::string unit;
  double published = 0;
  double simulated = 0;
  bool is_bound = false;  ///< It was published as "less than".

  double error() const { return (simulated - published) / published; }
};

/// Runs the scenarios of the library that stand for published migrations.
std::vector<PublishedFigure> published_figures();

}  // namespace godwit::studies
