#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <variant>
#include <vector>

#include "base/page_run.h"
#include "base/units.h"

namespace godwit::live {

/// Records which pages a program, and all that it starts, write.
///
/// The program runs under ptrace, which stops it only when it starts, forks or ends. At every interval the
/// recorder reads the memory map of each process and asks its WriteTracker. docs/recording.md says what it
/// sees and what not.
struct RecordOptions {
  Nanos interval{10'000'000};
  std::optional<Nanos> duration;  // after this the program is ended
  bool huge_pages = false;        // leave the program its transparent huge pages
};

struct RecordSummary {
  std::uint64_t intervals = 0;
  std::uint64_t late_intervals = 0;    // written pages count for the one after: the recorder came late
  std::uint64_t marks = 0;             // pages written, summed over intervals
  std::uint64_t pages_written = 0;     // distinct guest pages ever written
  std::uint64_t pages_per_second = 0;  // distinct pages written in a second, on average
  std::uint64_t guest_pages = 0;       // the guest needs as many
  std::uint64_t processes = 0;         // address spaces tracked
  Nanos wall{0};
  Nanos stopped{0};              // during which some thread waited for the recorder
  Nanos scanning{0};             // the recorder's time at the intervals; the program runs on meanwhile
  std::string end;               // how the program ended: "exited with status 0"
  bool interrupted = false;      // by a signal to the recorder
  std::set<std::string> unseen;  // what could not be tracked, and why
};

struct RecordError {
  std::string what;
};

/// Takes the pages written in an interval: ascending, apart. False ends the recording.
using RecordSink = std::function<bool(std::span<const PageRange>)>;

/// Runs `command` to its end, to the end of options.duration, or to SIGINT or SIGTERM. Fails where the kernel
/// lacks what it takes or the command cannot be run. Requires that the calling process has one thread and no
/// other children.
std::variant<RecordSummary, RecordError> record(const std::vector<std::string>& command, const RecordOptions& options,
                                                const RecordSink& sink);

/// How writes are found, in a few words for people.
std::string record_mechanism();

}  // namespace godwit::live
