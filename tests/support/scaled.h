#pragma once

#include <algorithm>
#include <memory>
#include <utility>

#include "sim/options.h"

namespace godwit::test {

/// The largest multiple of the page size within `size` / `by`, and one page at least.
inline Bytes shrunk(Bytes size, std::uint64_t by, Bytes page) {
  return {std::max(size.value / by / page.value, std::uint64_t{1}) * page.value};
}

inline void shrink(workloads::Options& workload, std::uint64_t by, Bytes page) {
  if (workload.memory) workload.memory = shrunk(*workload.memory, by, page);
  if (workload.at) workload.at = Bytes{workload.at->value / by / page.value * page.value};
  workload.hot_memory = shrunk(workload.hot_memory, by, page);
  workload.write_rate = std::max<std::uint64_t>(workload.write_rate / by, 1);
  if (workload.curve) {
    auto curve = std::make_shared<workloads::CurveFit>(*workload.curve);
    for (workloads::PageClass& each : curve->classes) {
      const std::uint64_t pages = std::max<std::uint64_t>(each.pages.value / by, 1);
      each = {.pages = {pages}, .rate_millionths = each.rate_millionths / each.pages.value * pages};
    }
    workload.curve = std::move(curve);
  }
  for (auto& phase : workload.phases) shrink(phase.workload, by, page);
  for (auto& part : workload.parts) shrink(part, by, page);
}

/// The same run with guests of at most `memory` each: what lies in them, and their write rates, shrink with them. A
/// recording keeps its pages, and those that lie beyond are not written.
inline sim::RunOptions scaled(sim::RunOptions run, Bytes memory) {
  for (sim::GuestOptions& guest : run.guests) {
    const std::uint64_t by = (guest.memory.value + memory.value - 1) / memory.value;
    if (by <= 1) continue;
    shrink(guest.workload, by, guest.page_size);
    for (sim::PageClassOptions& each : guest.pages)
      if (each.at) each.at = Bytes{each.at->value / by / guest.page_size.value * guest.page_size.value};
    guest.memory = shrunk(guest.memory, by, guest.page_size);
  }
  return run;
}

}  // namespace godwit::test
