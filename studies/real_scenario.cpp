#include "studies/real_scenario.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <span>
#include <string_view>

#include "models/fixed_math.h"
#include "scenarios/strategy.h"

// What is the host's is in scenarios/profiles/tcg-nested-x86.json; the constants here are the recorded guest's and its
// connections'. "The runs" are those of studies/data.
namespace godwit::studies {
namespace {

using scenarios::Json;

constexpr const char* kStrategy = "qemu-10";
constexpr const char* kProfile = "tcg-nested-x86";
constexpr std::uint64_t kPagesPerMib = 256;

/// Firmware and ACPI tables, beside the RAM. The runs: the total is always 130 pages more than the RAM.
constexpr std::uint64_t kRomPages = 130;

/// Pages that are not zero beside those that the writer touched: kernel, initial file system, the kernel's own tables. The
/// runs: pages sent as normal less pages newly dirty and less pages touched. At 512 MiB a boot in three has 17.7 thousand.
struct BootPages {
  std::uint64_t ram_mib, pages;
};
constexpr std::array<BootPages, 4> kBootPages{{{256, 16'800}, {512, 19'800}, {1024, 22'000}, {2048, 26'500}}};

/// Where they are. The runs: about 6,500 of them lie below the touched memory; at the top of the RAM is the kernel's table
/// of 64 bytes a page; memory that nobody has used yet lies just below that.
constexpr std::uint64_t kLowBootPages = 6500;
constexpr std::uint64_t kRamPagesPerTablePage = 64;

/// Timer and serial line: a guest that does nothing dirties about 100 pages in the 3.3 s of its migration. One that writes
/// has about 70 pages of kernel and stack that are dirty again within 6 ms (the runs of downtime/r20000-dl50, where the log
/// is read in such short order): for that many it is enough to be written every other millisecond.
constexpr std::uint64_t kIdleWriteRate = 30;
constexpr std::uint64_t kBusyPages = 70, kBusyWriteRate = 35'000;

/// With each write the writer counts it and keeps when its page was last written, and the guest's page tables have 8 bytes
/// a page. The runs: besides the expected distinct pages and those above, about 190 more are dirty after 100 ms at 256 MiB
/// written, 135 after 6 ms and 126 writes; 50 at 64 MiB, 600 at 512 MiB. That is 12 bytes for each page.
constexpr std::uint64_t kWrittenPagesPerTablePage = 4096 / 12;

/// The runs: bytes transferred beyond pages, their headers and the frames of slices: median 78.6 thousand.
constexpr std::uint64_t kDeviceStateBytes = 78'600;

/// Streams between two threads of that host: 928.8 ns for 4 KiB over a unix socket, 2,240 ns over TCP, in writes of 64 KiB;
/// round trips of 60.43 and 68.09 us.
constexpr std::uint64_t kUnixBitsPerSecond = 35'280'000'000, kTcpBitsPerSecond = 14'630'000'000;
constexpr std::uint64_t kUnixLatencyNs = 30'215, kTcpLatencyNs = 34'045;

/// What stands in the buffers of a relay and its sockets while it is kept busy: pages that a guest waited for in post-copy
/// took 3.0 ms at 100 MB/s, 6.3 at 50, 1.6 at 200.
constexpr std::uint64_t kRelayQueueBytes = 300'000;

/// How a value that QEMU was given is written in a scenario.
enum class Value : std::uint8_t { kPlain, kPercent, kBytes, kBytesPerSecond };

/// A capability or parameter of QEMU, and the strategy's parameter that stands for it.
struct Name {
  std::string_view qemu, ours;
  Value value = Value::kPlain;
  std::string_view turned_on = "true";  ///< What a capability that is on sets it to.
};
constexpr std::array kCapabilities{Name{"auto-converge", "auto_converge"},
                                   Name{"multifd", "multifd_channels", Value::kPlain, "2"}, Name{"xbzrle", "xbzrle"}};
constexpr std::array kParameters{
    Name{"cpu-throttle-initial", "cpu_throttle_initial", Value::kPercent},
    Name{"cpu-throttle-increment", "cpu_throttle_increment", Value::kPercent},
    Name{"max-cpu-throttle", "max_cpu_throttle", Value::kPercent},
    Name{"throttle-trigger-threshold", "throttle_trigger_threshold", Value::kPercent},
    Name{"cpu-throttle-tailslow", "cpu_throttle_tailslow"},
    Name{"multifd-channels", "multifd_channels"},
    Name{"zero-page-detection", "zero_page_detection"},
    Name{"xbzrle-cache-size", "xbzrle_cache_size", Value::kBytes},
    Name{"avail-switchover-bandwidth", "avail_switchover_bandwidth", Value::kBytesPerSecond},
    Name{"max-postcopy-bandwidth", "max_postcopy_bandwidth", Value::kBytesPerSecond}};

/// What allows, measures or changes post-copy and does nothing by itself.
constexpr std::array<std::string_view, 3> kPostCopyCapabilities{"postcopy-ram", "postcopy-blocktime",
                                                                "postcopy-preempt"};

const Name* find(std::span<const Name> names, std::string_view qemu) {
  const auto found = std::ranges::find(names, qemu, &Name::qemu);
  return found == names.end() ? nullptr : &*found;
}

Json value_of(const Name& name, const std::string& text) {
  switch (name.value) {
    case Value::kPercent: return text + " %";
    case Value::kBytes: return text + " B";
    case Value::kBytesPerSecond: return text + " B/s";
    case Value::kPlain: break;
  }
  const Json parsed = Json::parse(text, nullptr, false);
  return parsed.is_discarded() ? Json(text) : parsed;
}

std::uint64_t boot_pages(std::uint64_t ram_mib) {
  std::size_t upper = 1;
  while (upper + 1 < kBootPages.size() && kBootPages[upper].ram_mib < ram_mib) ++upper;
  const BootPages a = kBootPages[upper - 1];
  const BootPages b = kBootPages[upper];
  const auto at = static_cast<double>(ram_mib);
  const double slope = static_cast<double>(b.pages - a.pages) / static_cast<double>(b.ram_mib - a.ram_mib);
  const double pages = static_cast<double>(a.pages) + slope * (at - static_cast<double>(a.ram_mib));
  return static_cast<std::uint64_t>(std::max(pages, 0.0));
}

/// The recorded guest's memory, in pages from the bottom: low kernel, touched, more kernel, never used, tables and ROM.
struct Layout {
  std::uint64_t total, low, touched, boot, unused, top;

  explicit Layout(const RealGuest& guest) {
    const std::uint64_t ram = guest.ram_mib * kPagesPerMib;
    total = ram + kRomPages;
    touched = guest.touched_mib * kPagesPerMib;
    const std::uint64_t room = total - touched;
    top = std::min(room, ram / kRamPagesPerTablePage + kRomPages);
    low = std::min(room - top, kLowBootPages);
    const std::uint64_t all_boot = boot_pages(guest.ram_mib);
    boot = std::min(room - top - low, all_boot > top + low ? all_boot - top - low : 0);
    unused = room - top - low - boot;
  }
};

std::string kib(std::uint64_t pages) { return fmt::format("{} KiB", pages * 4); }
std::string bits(std::uint64_t bits_per_second) { return fmt::format("{} bit/s", bits_per_second); }

Json zero_class(std::uint64_t first, std::uint64_t pages, std::uint64_t total) {
  // Half a page more, since the share is rounded down to whole pages.
  const double share = (static_cast<double>(pages) + 0.5) / static_cast<double>(total);
  return {{"class", "zero"}, {"share", fmt::format("{:.7f} %", share * 100)}, {"at", kib(first)}};
}

Json uniform(std::uint64_t write_rate, std::uint64_t at, std::uint64_t pages) {
  return {{"kind", "uniform"},
          {"write_rate", fmt::format("{} pages/s", write_rate)},
          {"memory", kib(std::max<std::uint64_t>(pages, 1))},
          {"at", kib(at)}};
}

/// k^-exponent in parts of 2^32, in integers: exp(-exponent x ln 2 x log2 k).
std::uint64_t zipf_weight(std::uint64_t k, std::uint64_t exponent_thousandths) {
  constexpr std::uint64_t kLn2 = 0xb17217f7;  // in parts of 2^32
  const u128 log = static_cast<u128>(models::log2_fixed(k)) * exponent_thousandths / 1000;
  const u128 x = log * kLn2 >> (64 - models::kExposureBits);
  return x < models::kExposureMax ? models::exp_minus(static_cast<models::Exposure>(x)) >> 32 : 0;
}

/// The recorded writer's k-th page has the weight 1 / k^exponent. Pages of about the same weight, each at most a quarter
/// further down than the first of them, are taken as equal.
void add_zipf(Json& parts, const RealGuest& guest, const Layout& layout) {
  const std::uint64_t pages = guest.written_mib * kPagesPerMib;
  const auto weight = [&](std::uint64_t from, std::uint64_t to) {
    std::uint64_t sum = 0;
    for (std::uint64_t k = from; k < to; ++k) sum += zipf_weight(k + 1, guest.exponent_thousandths);
    return sum;
  };
  const std::uint64_t all = weight(0, pages);
  for (std::uint64_t first = 0; first < pages;) {
    const std::uint64_t end = std::min(pages, first + 1 + first / 4);
    Json part = uniform(mul_div(guest.write_rate, weight(first, end), all), layout.low + first, end - first);
    if (guest.writes_zero) part["content"] = "zero";
    parts.push_back(std::move(part));
    first = end;
  }
}

Json writer(const RealGuest& guest, const Layout& layout) {
  using enum RealGuest::Pattern;
  Json part{{"write_rate", fmt::format("{} pages/s", guest.write_rate)},
            {"memory", fmt::format("{} MiB", guest.written_mib)},
            {"at", kib(layout.low)}};
  if (guest.writes_zero) part["content"] = "zero";
  switch (guest.pattern) {
    case kUniform: part["kind"] = "uniform"; break;
    case kSequential: part["kind"] = "sequential"; break;
    case kZipf: break;  // add_zipf
    case kHot:
      part["kind"] = "hot_set";
      part["hot_memory"] = fmt::format("{} MiB", guest.hot_mib);
      part["hot_share"] = fmt::format("{}.{} %", guest.hot_permille / 10, guest.hot_permille % 10);
      break;
  }
  return part;
}

Json workload_of(const RealGuest& guest, const Layout& layout) {
  Json parts = Json::array({uniform(kIdleWriteRate, 0, layout.low)});
  const bool writes = guest.write_rate > 0 && guest.written_mib > 0;
  if (writes) {
    const std::uint64_t tables = guest.written_mib * kPagesPerMib / kWrittenPagesPerTablePage;
    const std::uint64_t above = layout.low + layout.touched;
    parts.push_back(uniform(kBusyWriteRate, above, kBusyPages));
    parts.push_back(uniform(2 * guest.write_rate, above + kBusyPages, tables));
    if (guest.pattern == RealGuest::Pattern::kZipf) {
      add_zipf(parts, guest, layout);
    } else {
      parts.push_back(writer(guest, layout));
    }
  }
  Json workload{{"kind", "mix"}, {"parts", std::move(parts)}};
  if (guest.bytes_per_write > 0) workload["bytes_per_write"] = fmt::format("{} B", guest.bytes_per_write);
  if (writes && guest.spins) {
    workload["demand"] = "busy";
    workload["cpu_per_write"] = fmt::format("{} ns", 1'000'000'000 / guest.write_rate);
  }
  return workload;
}

Json guest_of(const RealGuest& guest) {
  const Layout layout(guest);
  Json pages = Json::array();
  const std::uint64_t above = layout.low + layout.touched + layout.boot;
  if (layout.unused > 0) pages.push_back(zero_class(above, layout.unused, layout.total));
  if (guest.filled_zero && layout.touched > 0) pages.push_back(zero_class(layout.low, layout.touched, layout.total));
  return {{"name", "guest"},
          {"host", "source"},
          {"memory", kib(layout.total)},
          {"vcpus", 1},
          {"device_state", fmt::format("{} B", kDeviceStateBytes)},
          {"pages", std::move(pages)},
          {"workload", workload_of(guest, layout)}};
}

Json link_of(const RealLink& link) {
  const bool tcp = link.kind == RealLink::Kind::kTcp;
  std::uint64_t bits_per_second = tcp ? kTcpBitsPerSecond : kUnixBitsPerSecond;
  std::uint64_t latency = tcp ? kTcpLatencyNs : kUnixLatencyNs;
  if (link.kind == RealLink::Kind::kRelay) {
    bits_per_second = link.bytes_per_s * 8;
    latency += link.delay_us * 1000 + mul_div(kRelayQueueBytes, 1'000'000'000, link.bytes_per_s);
  }
  return {{"between", {"source", "destination"}},
          {"bandwidth", bits(bits_per_second)},
          {"latency", fmt::format("{} ns", latency)}};
}

/// Post-copy, where somebody asked for it.
void add_postcopy(Json& strategy, const RealMigration& migration) {
  if (!migration.has("postcopy-ram") || !(migration.postcopy_after_pass || migration.postcopy_after_ms)) return;
  strategy["postcopy"] = "on";
  strategy["postcopy_preempt"] = migration.has("postcopy-preempt");
  strategy["postcopy_after_pass"] = migration.postcopy_after_pass.value_or(0);
  if (migration.postcopy_after_ms) strategy["postcopy_after"] = fmt::format("{} ms", *migration.postcopy_after_ms);
}

Json strategy_of(const RealRun& run) {
  const RealMigration& migration = run.migration;
  Json strategy{{"name", kStrategy},
                {"accel", run.kvm ? "kvm" : "tcg"},
                {"downtime_limit", fmt::format("{} ms", migration.downtime_limit_ms)}};
  strategy["max_bandwidth"] = migration.max_bandwidth == 0 ? "unlimited" : bits(migration.max_bandwidth * 8);
  for (const std::string& each : migration.capabilities)
    if (const Name* name = find(kCapabilities, each)) strategy[std::string(name->ours)] = Json::parse(name->turned_on);
  for (const auto& [qemu, text] : migration.parameters) {
    if (qemu == "multifd-channels" && !migration.has("multifd")) continue;  // says how many if it is on
    if (const Name* name = find(kParameters, qemu)) strategy[std::string(name->ours)] = value_of(*name, text);
  }
  add_postcopy(strategy, migration);
  return strategy;
}

std::string name_of(const RealRun& run) {
  std::string name = fmt::format("{}-{}", run.cell, run.rep);
  for (char& c : name)
    if (!std::isalnum(static_cast<unsigned char>(c)) && c != '_' && c != '-' && c != '.') c = '_';
  return name;
}

}  // namespace

std::vector<std::string> not_modelled(const RealRun& run) {
  std::vector<std::string> list;
  for (const std::string& each : run.migration.capabilities)
    if (find(kCapabilities, each) == nullptr &&
        std::ranges::find(kPostCopyCapabilities, each) == kPostCopyCapabilities.end())
      list.push_back(each);
  for (const auto& [name, value] : run.migration.parameters)
    if (find(kParameters, name) == nullptr) list.push_back(name);
  return list;
}

Json scenario_of(const RealRun& run) {
  const Json host{{"name", "source"}, {"cores", 2}, {"profile", kProfile}};
  Json destination = host;
  destination["name"] = "destination";
  return {{"name", name_of(run)},
          {"seed", run.rep + 1},
          {"horizon", fmt::format("{} ms", run.migration.cap_ms)},
          {"hosts", {host, destination}},
          {"links", {link_of(run.link)}},
          {"guests", {guest_of(run.guest)}},
          {"migrations", {{{"to", "destination"}, {"strategy", strategy_of(run)}}}}};
}

}  // namespace godwit::studies
