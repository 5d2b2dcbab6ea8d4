#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/units.h"
#include "workloads/dirty_curve.h"
#include "workloads/trace.h"

namespace godwit::workloads {

enum class Kind : std::uint8_t { kIdle, kUniform, kSequential, kHotSet, kZipf, kPhased, kMix, kRecorded, kDirtyCurve };

/// How writes depend on the CPU that the guest gets.
enum class Demand : std::uint8_t {
  kPaced,  ///< They arrive at their rate; what is over 50 ms late is dropped.
  kBusy,   ///< They cost CPU and slow down with it.
};

/// What a guest writes. Fields that a kind does not know are not looked at.
struct Options {
  Kind kind = Kind::kIdle;
  std::uint64_t write_rate = 0;  ///< Writes per second, each to one page.
  std::optional<Bytes> memory;   ///< The part of the guest that is touched; absent: all that is neither zero nor free.
  std::optional<Bytes> at;       ///< Where that part begins; absent: at the first such page.
  Bytes hot_memory{0};           ///< hot_set: the size of the hot part, at the start of `memory`.
  Share hot_share = 0;           ///< hot_set: the share of writes that go there; the others go to the rest, if any.
  std::uint64_t exponent_millionths = 0;  ///< zipf: the weight of the k-th 64-page word is 1 / k^exponent.
  struct Phase;
  std::vector<Phase> phases;                   ///< phased: in turn, again and again.
  std::vector<Options> parts;                  ///< mix: all at once.
  std::string file;                            ///< recorded: path of the trace.
  std::shared_ptr<const Trace> trace;          ///< recorded: what is in it. Required.
  Nanos offset{0};                             ///< recorded: where in the trace to begin.
  std::uint64_t speed_millionths = 1'000'000;  ///< recorded: how much faster than it was recorded.
  bool repeat = true;                          ///< recorded: from the start again at the end; else idle.
  std::vector<CurvePoint> points;              ///< dirty_curve: the curve.
  std::shared_ptr<const CurveFit> curve;       ///< dirty_curve: what writes so. Required; fits the memory.
  Bytes bytes_per_write{0};                    ///< A write changes so many bytes in a row of its page; 0: all of it.
  bool zeroes = false;                         ///< What is written are zeroes: a zero page stays one.
  Share varies = 0;      ///< All rates in it vary together, by so much (their standard deviation), from one
  Nanos varies_over{0};  ///< stretch of this length to the next; over 16 such it comes to the same. A quarter at most.
  Demand demand = Demand::kPaced;  ///< Of the whole workload: given at the top only.
  Nanos cpu_per_write{0};          ///< busy: CPU time of one write.
};

struct Options::Phase {
  Nanos lasts{0};
  Options workload;
};

}  // namespace godwit::workloads
