#include "report/trace_events.h"

#include <fmt/format.h>

namespace godwit::report {
namespace {

constexpr double kMicrosPerMilli = 1000;

Json named(const char* what, std::size_t process, int thread, const std::string& name) {
  return {{"ph", "M"}, {"name", what}, {"pid", process}, {"tid", thread}, {"args", {{"name", name}}}};
}

Json slice(std::size_t process, int thread, const std::string& name, double start_ms, double took_ms, Json arguments) {
  return {{"ph", "X"},
          {"name", name},
          {"cat", "migration"},
          {"pid", process},
          {"tid", thread},
          {"ts", start_ms * kMicrosPerMilli},
          {"dur", took_ms * kMicrosPerMilli},
          {"args", std::move(arguments)}};
}

Json counter(std::size_t process, const char* name, double at_ms, Json values) {
  return {{"ph", "C"}, {"name", name}, {"pid", process}, {"ts", at_ms * kMicrosPerMilli}, {"args", std::move(values)}};
}

void add_migration(Json& events, const Json& migration, std::size_t process) {
  events.push_back(named(
      "process_name", process, 0,
      fmt::format("{} by {}", migration.at("guest").get<std::string>(), migration.at("strategy").get<std::string>())));
  events.push_back(named("thread_name", process, 1, "migration"));
  events.push_back(named("thread_name", process, 2, "rounds"));
  events.push_back(slice(process, 1, migration.at("status").get<std::string>(), 0,
                         migration.at("total_time_ms").get<double>(),
                         {{"downtime_ms", migration.at("downtime_ms")}, {"verified", migration.at("verified")}}));
  for (const Json& round : migration.at("iterations")) {
    const double start = round.at("start_ms").get<double>(), took = round.at("duration_ms").get<double>();
    events.push_back(slice(process, 2, "round " + round.at("index").dump(), start, took, round));
    events.push_back(counter(process, "pages", start,
                             {{"sent", round.at("sent_pages")}, {"newly dirty", round.at("new_dirty_pages")}}));
    events.push_back(counter(process, "throttle [%]", start, {{"throttle", round.at("throttle_percent")}}));
    if (!round.at("rate_limit_mbps").is_null())
      events.push_back(counter(process, "rate limit [Mbit/s]", start, {{"limit", round.at("rate_limit_mbps")}}));
  }
}

}  // namespace

Json trace_events(const Json& run) {
  Json events = Json::array();
  std::size_t process = 0;
  for (const Json& migration : run.at("migrations")) add_migration(events, migration, ++process);
  return {
      {"displayTimeUnit", "ms"}, {"otherData", {{"producer", run.at("godwit")}}}, {"traceEvents", std::move(events)}};
}

}  // namespace godwit::report
