#pragma once

#include <cstdint>
#include <istream>
#include <string>
#include <variant>

#include "base/units.h"
#include "workloads/trace.h"

/// What other tools know of the writes of a program, as a trace.
namespace godwit::workloads {

enum class ImportFormat : std::uint8_t {
  kCsv,  ///< A line of column names, then lines of numbers: `time_s`, `time_ms`, `time_us` or `time_ns`; `page` or `address`.
  kPerf,    ///< `perf script -F time,addr` of sampled stores: "  1234.567890:  7f00c0de1000".
  kLackey,  ///< `valgrind --tool=lackey --trace-mem=yes`: loads, stores and instructions, in order but without time.
};

struct ImportOptions {
  ImportFormat format = ImportFormat::kCsv;
  Nanos interval{10'000'000};  ///< Of the trace. Positive.
  std::uint32_t page_size = 4096;
  std::uint64_t instructions_per_second = 1'000'000'000;  ///< kLackey: positive.
};

struct Imported {
  Trace trace;               ///< Without metadata. The first write lies in its first interval.
  std::uint64_t writes = 0;  ///< That were read, before equal ones became one.
};

/// What is wrong, and in which line, from 1 on; 0: with the input as a whole.
struct ImportError {
  std::string what;
  std::uint64_t line = 0;
};

/// Reads `input` to its end. Writes need not be in the order of time. Page numbers of a CSV file stay as they are; where
/// addresses are given, the pages that are written at all are numbered from 0 on as the addresses ascend: what lies between
/// is no part of the guest.
std::variant<Imported, ImportError> import_writes(std::istream& input, const ImportOptions& options);

}  // namespace godwit::workloads
