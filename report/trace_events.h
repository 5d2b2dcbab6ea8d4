#pragma once

#include "report/run_json.h"

namespace godwit::report {

/// The document of a run as a timeline in the trace-event format, which Perfetto and chrome://tracing open: for each
/// migration its rounds as slices, and counters of pages sent and dirtied, rate limit and throttle. Times are in
/// microseconds since the migration's request. Source: "Trace Event Format", Google, the JSON object format.
Json trace_events(const Json& run);

}  // namespace godwit::report
