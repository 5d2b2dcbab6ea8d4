#include "report/run_json.h"

#include <fmt/format.h>

#include <cstddef>
#include <string_view>

#include "base/check.h"
#include "report/format.h"
#include "sim/names.h"

namespace godwit::report {
namespace {

constexpr int kResultVersion = 1;

Json parts_json(const sim::MigrationResult& migration) {
  Json parts = Json::object();
  for (std::size_t i = 0; i < sim::kParts; ++i)
    parts[std::string(name_of(static_cast<sim::Part>(i)))] = milliseconds(migration.parts[i]);
  return parts;
}

/// Payload over the time from the end of the setup to the destination's running.
double throughput(const sim::MigrationResult& migration) {
  const Nanos active = migration.total_time - migration.setup_time;
  return active > Nanos{0} ? megabits_per_second(rate_of(migration.transferred, active)) : 0.0;
}

Json ram_json(const sim::MigrationResult& migration) {
  Json ram = {{"total_bytes", migration.total_bytes.value},
              {"transferred_bytes", migration.transferred.value},
              {"remaining_bytes", migration.remaining.value},
              {"normal_pages", migration.normal.value},
              {"duplicate_pages", migration.duplicate.value},
              {"skipped_pages", migration.skipped.value},
              {"page_size_bytes", migration.page_size.value},
              {"dirty_sync_count", migration.dirty_syncs},
              {"dirty_pages_rate_per_s", migration.dirty_pages_rate},
              {"throughput_mbps", throughput(migration)},
              {"precopy_bytes", migration.precopy.value},
              {"downtime_bytes", migration.in_downtime.value},
              {"postcopy_bytes", migration.postcopy.value},
              {"postcopy_requests", migration.postcopy_requests}};
  if (migration.free.value > 0) ram["free_pages"] = migration.free.value;
  if (migration.deltas.value > 0) ram["delta_pages"] = migration.deltas.value;  // only some strategies have them
  return ram;
}

Json iteration_json(const sim::Iteration& iteration, Nanos requested_at) {
  const core::RoundStats& round = iteration.round;
  Json json{
      {"index", round.index},
      {"start_ms", milliseconds(round.began - requested_at)},
      {"duration_ms", milliseconds(round.took)},
      {"sent_pages", round.sent.value},
      {"zero_pages", round.zero.value},
      {"skipped_pages", round.skipped.value},
      {"sent_bytes", round.bytes.value},
      {"new_dirty_pages", round.new_dirty.value},
      {"dirty_pages_after", round.pending_after.value},
      {"rate_limit_mbps", round.rate_limit.value > 0 ? Json(megabits_per_second(round.rate_limit)) : Json(nullptr)},
      {"throttle_percent", percent(iteration.throttle)},
      {"work_lost_ms", milliseconds(iteration.work_lost)}};
  if (round.free.value > 0) json["free_pages"] = round.free.value;
  if (iteration.ring_sleep > Nanos{0})  // only some strategies have it
    json["dirty_limit_throttle_time_per_round_us"] = iteration.ring_sleep.count() / 1000;
  return json;
}

Json guest_effect_json(const sim::MigrationResult& migration) {
  Json effect = {{"work_lost_ms", milliseconds(migration.work_lost)},
                 {"write_faults", migration.write_faults},
                 {"postcopy_stall_ms", milliseconds(migration.postcopy_stall)},
                 {"self_dirtied_pages",
                  {{"in_flight", migration.self_dirtied.in_flight.value},
                   {"rings_and_stack", migration.self_dirtied.rings_and_stack.value},
                   {"bitmap", migration.self_dirtied.bitmap.value},
                   {"page_tables", migration.self_dirtied.page_tables.value}}}};
  if (migration.dropped.value > 0) {  // only some strategies have them
    effect["dropped_pages"] = migration.dropped.value;
    effect["reread_ms"] = milliseconds(migration.reread);
  }
  if (migration.stunned > 0) {
    effect["stunned_processes"] = migration.stunned;
    effect["stunned_ms"] = milliseconds(migration.stunned_time);
  }
  return effect;
}

Json costs_json(const sim::MigrationResult& migration) {
  Json costs = Json::array();
  for (const sim::Bill& bill : migration.costs)
    costs.push_back({{"payer", bill.payer},
                     {"host", bill.host},
                     {"activity", name_of(bill.activity)},
                     {"cpu_ms", milliseconds(bill.cpu)}});
  return costs;
}

/// The document, without migrations.
Json head_json(const sim::RunResult& result, const Json& effective) {
  return {{"godwit", producer_json()},
          {"scenario", effective},
          {"seed", result.seed},
          {"digest", fmt::format("{:016x}", result.digest)},
          {"migrations", Json::array()}};
}

}  // namespace

Json migration_json(const sim::MigrationResult& migration) {
  Json iterations = Json::array();
  for (const sim::Iteration& each : migration.iterations)
    iterations.push_back(iteration_json(each, migration.requested_at));
  return {{"guest", migration.guest},
          {"source", migration.source},
          {"destination", migration.destination},
          {"strategy", migration.strategy},
          {"status", name_of(migration.status)},
          {"reason", migration.reason.empty() ? Json(nullptr) : Json(migration.reason)},
          {"total_time_ms", milliseconds(migration.total_time)},
          {"setup_time_ms", milliseconds(migration.setup_time)},
          {"downtime_ms", milliseconds(migration.downtime)},
          {"service_gap_ms", milliseconds(migration.service_gap)},
          {"guest_runs_at", name_of(migration.home)},
          {"goal_ignored", migration.goal_ignored},
          {"pauses", migration.pauses},
          {"paused_total_ms", milliseconds(migration.paused_total)},
          {"downtime_parts_ms", parts_json(migration)},
          {"ram", ram_json(migration)},
          {"iterations", std::move(iterations)},
          {"guest_effect", guest_effect_json(migration)},
          {"costs", costs_json(migration)},
          {"verified", migration.verified}};
}

Json producer_json() { return {{"version", GODWIT_VERSION}, {"result_version", kResultVersion}}; }

Json run_json(const sim::RunResult& result, const Json& effective) {
  Json document = head_json(result, effective);
  for (const sim::MigrationResult& each : result.migrations) document["migrations"].push_back(migration_json(each));
  return document;
}

std::string run_json_text(const sim::RunResult& result, const Json& effective) {
  std::string text = head_json(result, effective).dump(2);
  if (result.migrations.empty()) return text + "\n";
  constexpr std::string_view kNone = "[]\n}";
  GODWIT_CHECK(text.ends_with(kNone));
  text.resize(text.size() - kNone.size());
  for (std::size_t i = 0; i < result.migrations.size(); ++i) {
    text += i == 0 ? "[\n    " : ",\n    ";
    for (const char c : migration_json(result.migrations[i]).dump(2)) {
      text += c;
      if (c == '\n') text += "    ";
    }
  }
  return text + "\n  ]\n}\n";
}

}  // namespace godwit::report
