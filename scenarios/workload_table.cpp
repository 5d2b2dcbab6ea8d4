#include "scenarios/spec.h"

namespace godwit::scenarios {
namespace {

using workloads::Demand;
using workloads::Kind;
using workloads::Options;

constexpr std::uint32_t bit(Kind kind) { return 1u << static_cast<std::uint32_t>(kind); }

constexpr std::uint32_t kMemoryless = bit(Kind::kUniform) | bit(Kind::kHotSet) | bit(Kind::kZipf);
constexpr std::uint32_t kByRate = kMemoryless | bit(Kind::kSequential);
constexpr std::uint32_t kPlaced = kByRate | bit(Kind::kRecorded) | bit(Kind::kDirtyCurve);

std::vector<Choice<Kind>> workload_kinds() {
  return {
      {"idle", Kind::kIdle, "Writes nothing."},
      {"uniform", Kind::kUniform, "Every page of its memory is as likely as any other."},
      {"sequential", Kind::kSequential, "One page after the other, from the start again at the end."},
      {"hot_set", Kind::kHotSet, "A share of the writes goes to a hot part of its memory, the rest elsewhere."},
      {"zipf", Kind::kZipf, "The k-th group of 64 pages is written with weight 1 / k^exponent."},
      {"phased", Kind::kPhased, "Workloads in turn, again and again."},
      {"mix", Kind::kMix, "Workloads at the same time."},
      {"recorded", Kind::kRecorded, "The writes of a real program, from a trace file."},
      {"dirty_curve", Kind::kDirtyCurve,
       "Page classes with rates of their own, so that as many distinct pages are dirty, a time after all were clean, "
       "as the curve says."}};
}

/// How writes are spread over time follows from the kind; the field exists so that a file can say it.
void add_arrivals(Table<Options>& table, std::uint32_t variants, const char* only, const char* why) {
  auto& field =
      table.add("arrivals", std::string("only ") + only, std::string("How writes are spread over time. ") + why);
  field.schema = [=] { return Json{{"const", only}}; };
  field.read = [=](const Node& node, Options&, Issues& issues) {
    if (node.is(Node::Type::kString) && node.text == only) return true;
    return issues.at(node, fmt::format("expected {} here, got {}: {}", only, shown(node), why)), false;
  };
  field.write = [=](const Options&) -> std::optional<Json> { return Json(only); };
  field.or_else(only).only_for(variants);
}

void add_rates(Table<Options>& table) {
  table
      .field("write_rate", &Options::write_rate, write_rate({"0 pages/s", "1000000 Mpages/s"}),
             "Writes per second, each to one page; several may hit the same page.")
      .only_for(kByRate);
  add_arrivals(table, bit(Kind::kSequential), "fixed", "A sequential writer sweeps at an even pace.");
  add_arrivals(
      table, kMemoryless, "poisson",
      "Writes that do not depend on each other come at random, which is what lets them be drawn when looked at.");
  table.field("hot_memory", &Options::hot_memory, bytes({"4 KiB", "16 TiB"}), "Size of the hot part.")
      .only_for(bit(Kind::kHotSet));
  table.field("hot_share", &Options::hot_share, share({"0 %", "100 %"}), "Share of the writes that go to the hot part.")
      .only_for(bit(Kind::kHotSet));
  table
      .field("exponent", &Options::exponent_millionths, decimal({"0", "10"}),
             "How steeply the weight falls from one group of 64 pages to the next.")
      .only_for(bit(Kind::kZipf));
}

void add_recording(Table<Options>& table) {
  constexpr std::uint32_t recorded = bit(Kind::kRecorded);
  table.field("file", &Options::file, text(), "Path of the trace, relative to the scenario file.").only_for(recorded);
  table.field("offset", &Options::offset, time({"0 s", "10000 h"}), "Where in the trace to begin.")
      .or_else("0 s")
      .only_for(recorded);
  table.field("speed", &Options::speed_millionths, decimal({"0.001", "1000"}), "How much faster than it was recorded.")
      .or_else(1.0)
      .only_for(recorded);
  table.field("repeat", &Options::repeat, flag(), "From the start again at the end; else idle.")
      .or_else(true)
      .only_for(recorded);
}

/// A point is a pair: a time, and how many pages.
Codec<workloads::CurvePoint> curve_point() {
  const Codec<Nanos> after = time({"1 us", "10000 h"});
  const Codec<Pages> dirty = pages({"1 pages", "4294967296 pages"});
  Codec<workloads::CurvePoint> codec;
  codec.kind = "pairs of a time and pages";
  codec.read = [=](const Node& node, workloads::CurvePoint& point, Issues& issues) {
    if (!node.is(Node::Type::kArray) || node.children.size() != 2)
      return issues.at(node, "expected a pair such as [\"100 ms\", \"1200 pages\"], got " + shown(node)), false;
    return after.read(node.children[0], point.after, issues) && dirty.read(node.children[1], point.pages, issues);
  };
  codec.write = [=](const workloads::CurvePoint& point) {
    return Json::array({after.write(point.after), dirty.write(point.pages)});
  };
  codec.schema = [=] {
    return Json{
        {"type", "array"}, {"items", Json::array({after.schema(), dirty.schema()})}, {"minItems", 2}, {"maxItems", 2}};
  };
  return codec;
}

void add_curve(Table<Options>& table) {
  table
      .field("points", &Options::points, list(curve_point(), 1, 1000),
             "The distinct pages that are dirty so long after all were clean; times and pages rise, and pages more and "
             "more slowly. Write rates of page classes are fitted to it; what they are off by is a warning of the run.")
      .only_for(bit(Kind::kDirtyCurve));
}

void add_demand(Table<Options>& table) {
  constexpr std::uint32_t all = ~bit(Kind::kIdle);
  table
      .field(
          "demand", &Options::demand,
          choice<Demand>({{"paced", Demand::kPaced, "Writes arrive at their rate; what is over 50 ms late is dropped."},
                          {"busy", Demand::kBusy, "Writes cost CPU and slow down with it."}}),
          "How writes depend on the CPU that the guest gets.")
      .or_else("paced")
      .only_for(all);
  auto& cost = table.field("cpu_per_write", &Options::cpu_per_write, time({"0 s", "1 s"}),
                           "With demand busy: CPU time of one write.");
  cost.or_else("0 s").only_for(all);
}

void add_variation(Table<Options>& table) {
  constexpr std::uint32_t all = ~bit(Kind::kIdle);
  table
      .field(
          "varies", &Options::varies, share({"0 %", "25 %"}),
          "How much its rates vary, all together: the standard deviation from one stretch of varies_over to the next. "
          "Over sixteen such stretches they are as stated.")
      .or_else("0 %")
      .only_for(all);
  table.field("varies_over", &Options::varies_over, time({"1 ms", "1 h"}), "The length of such a stretch.")
      .or_else("1 s")
      .only_for(all);
}

void add_content(Table<Options>& table) {
  table
      .field("content", &Options::zeroes,
             choice<bool>({{"random", false, "Something else each time."},
                           {"zero", true, "Zeroes: a page that is zero stays so, and is written all the same."}}),
             "What is written.")
      .or_else("random")
      .only_for(kPlaced);
}

Table<Options> make_table(bool top) {
  Table<Options> table(top ? "workload" : "part", top ? "what a guest writes" : "a workload inside another");
  table.takes_turns();
  std::vector<std::string> names;
  for (const Choice<Kind>& each : workload_kinds()) names.push_back(each.name);
  table.set_variants("kind", names, [](const Options& o) { return static_cast<std::uint32_t>(o.kind); });
  table.field("kind", &Options::kind, choice(workload_kinds()), "What kind of writer it is.");
  add_rates(table);
  add_recording(table);
  add_curve(table);
  table
      .maybe("memory", &Options::memory, bytes({"4 KiB", "16 TiB"}),
             "The part of the guest that is touched; absent: all that is neither zero nor free.")
      .only_for(kPlaced);
  table
      .maybe("at", &Options::at, bytes({"0 B", "16 TiB"}),
             "Where that part begins; absent: at the first page that is neither zero nor free.")
      .only_for(kPlaced);
  add_content(table);
  add_variation(table);
  table
      .field("phases", &Options::phases, list(object("phase", "phases", &phase_table), 1, 1000),
             "The workloads in turn.")
      .only_for(bit(Kind::kPhased));
  table
      .field("parts", &Options::parts, list(object("part", "workloads", &part_table), 1, 1000),
             "The workloads at once.")
      .only_for(bit(Kind::kMix));
  if (top) {
    add_demand(table);
    table
        .field("bytes_per_write", &Options::bytes_per_write, bytes({"0 B", "2 MiB"}),
               "A write changes so many bytes in a row of its page; 0 B: all of it.")
        .or_else("0 B")
        .only_for(~bit(Kind::kIdle));
  }
  return table;
}

Table<Options::Phase> make_phase_table() {
  Table<Options::Phase> table("phase", "a phase of a workload");
  table.takes_turns();
  table.field("for", &Options::Phase::lasts, time({"1 us", "10000 h"}), "How long it lasts.");
  table.field("workload", &Options::Phase::workload, object("part", "a workload", &part_table), "What it writes.");
  return table;
}

}  // namespace

const Table<Options>& workload_table() {
  static const Table<Options> table = make_table(true);
  return table;
}

const Table<Options>& part_table() {
  static const Table<Options> table = make_table(false);
  return table;
}

const Table<Options::Phase>& phase_table() {
  static const Table<Options::Phase> table = make_phase_table();
  return table;
}

}  // namespace godwit::scenarios
