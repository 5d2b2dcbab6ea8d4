#include "report/restore_report.h"

#include <fmt/format.h>

#include "report/columns.h"
#include "report/format.h"

namespace godwit::report {
namespace {

bool has_bytes(const Restored& r) { return r.checkpoint.guest().contents == sim::Contents::kBytes; }

}  // namespace

std::string restore_table(const Restored& r) {
  const sim::GuestOptions& guest = r.checkpoint.guest();
  const sim::RestoreResult& result = r.result;
  Columns table({{"", Align::kLeft}, {"", Align::kLeft}});
  const auto row = [&](const char* name, std::string value) { table.add({name, std::move(value)}); };
  row("guest", fmt::format("{}, {} in pages of {}", guest.name, human(guest.memory), human(guest.page_size)));
  row("taken", fmt::format("at {} of the guest's own time, by {} in {}", human(r.checkpoint.snapshot_at),
                           r.checkpoint.made_in().strategy.name, r.checkpoint.scenario.options.name));
  row("holds", fmt::format("{} normal and {} zero pages in {}, {} of device state", grouped(result.normal.value),
                           grouped(result.zero.value), plural(result.records, "record"), human(result.device_state)));
  if (has_bytes(r)) row("memory", fmt::format("crc32c {:08x}", result.memory_crc));
  row("starts", fmt::format("on {} after {}: read {}, devices {}, inflate {}, resume {}", r.host,
                            human(result.total_time()), human(result.read_time), human(result.load_time),
                            human(result.inflate_time), human(result.resume_time)));
  if (r.go_on > Nanos{0})
    row("goes on", fmt::format("for {}, and writes {} distinct pages", human(r.go_on), grouped(result.written.value)));
  std::string text = fmt::format("{}: sound\n", r.file);
  return text + table.text(2);
}

Json restore_json(const Restored& r) {
  const sim::GuestOptions& guest = r.checkpoint.guest();
  const sim::RestoreResult& result = r.result;
  return {{"godwit", producer_json()},
          {"checkpoint",
           {{"made_by", r.checkpoint.made_by},
            {"guest", guest.name},
            {"memory_bytes", guest.memory.value},
            {"page_size_bytes", guest.page_size.value},
            {"strategy", r.checkpoint.made_in().strategy.name},
            {"snapshot_at_ms", milliseconds(r.checkpoint.snapshot_at)},
            {"records", result.records},
            {"normal_pages", result.normal.value},
            {"zero_pages", result.zero.value},
            {"device_state_bytes", result.device_state.value},
            {"memory_crc32c", has_bytes(r) ? Json(fmt::format("{:08x}", result.memory_crc)) : Json(nullptr)}}},
          {"restore",
           {{"host", r.host},
            {"total_time_ms", milliseconds(result.total_time())},
            {"read_time_ms", milliseconds(result.read_time)},
            {"device_load_time_ms", milliseconds(result.load_time)},
            {"inflate_time_ms", milliseconds(result.inflate_time)},
            {"resume_time_ms", milliseconds(result.resume_time)},
            {"went_on_ms", milliseconds(r.go_on)},
            {"written_pages", result.written.value},
            {"written_hash", fmt::format("{:016x}", result.written_hash)}}}};
}

}  // namespace godwit::report
