#pragma once

#include <random>

#include "tests/support/reference_guest.h"
#include "workloads/trace.h"

namespace godwit::test {

/// Some made-up traces, both as Godwit takes them and as the reference does.
class MadeUpTraces {
 public:
  MadeUpTraces() {
    std::mt19937_64 random(11);
    add("one_interval", Nanos{1'000'000}, 1, 100, 30, random);
    add("odd_interval", Nanos{3'333'333}, 7, 700, 60, random);
    add("long", Nanos{10'000'000}, 50, 5000, 40, random);
    add("mostly_idle", Nanos{777}, 20, 4200, 3, random);
  }

  const Recordings& all() const { return recordings_; }
  workloads::Options replay(const std::string& name) const {
    return {.kind = workloads::Kind::kRecorded, .file = name, .trace = traces_.at(name)};
  }

 private:
  /// Up to `writes` a time, half of them in a hot tenth; every third interval is idle.
  void add(const std::string& name, Nanos interval, std::size_t intervals, std::uint32_t page_count, unsigned writes,
           std::mt19937_64& random) {
    workloads::Trace trace;
    trace.page_count = page_count;
    trace.interval = interval;
    Recording recording{.interval = interval, .written = {}};
    for (std::size_t i = 0; i < intervals; ++i) {
      std::vector<std::uint32_t> pages;
      for (unsigned n = i % 3 == 1 ? 0 : 1 + static_cast<unsigned>(random() % writes); n > 0; --n)
        pages.push_back(static_cast<std::uint32_t>(random() % (random() % 2 == 0 ? page_count : page_count / 10)));
      recording.written.emplace_back(pages.begin(), pages.end());
      trace.append(workloads::runs_of(pages));
    }
    traces_[name] = std::make_shared<const workloads::Trace>(std::move(trace));
    recordings_[name] = std::move(recording);
  }

  std::map<std::string, std::shared_ptr<const workloads::Trace>> traces_;
  Recordings recordings_;
};

}  // namespace godwit::test
