#include "studies/difference.h"

#include <algorithm>
#include <cstddef>

namespace godwit::studies {

std::vector<std::pair<sim::Part, Nanos>> part_differences(const StrategyFigures& first, const StrategyFigures& second) {
  constexpr int kMattersFrom = 20;  // a twentieth
  std::vector<std::pair<sim::Part, Nanos>> differences;
  for (std::size_t i = 0; i < sim::kParts; ++i)
    differences.emplace_back(static_cast<sim::Part>(i), second.typical().parts[i] - first.typical().parts[i]);
  const auto size = [](const auto& each) { return std::chrono::abs(each.second); };
  std::ranges::stable_sort(differences, std::ranges::greater{}, size);
  const Nanos largest = size(differences.front());
  std::erase_if(differences,
                [&](const auto& each) { return each.second == Nanos{0} || size(each) * kMattersFrom < largest; });
  return differences;
}

}  // namespace godwit::studies
