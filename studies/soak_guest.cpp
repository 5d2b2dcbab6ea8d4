#include <algorithm>
#include <vector>

#include "scenarios/spec.h"
#include "sim/guest_memory.h"
#include "studies/soak_parts.h"
#include "studies/soak_scenario.h"
#include "workloads/workload.h"

namespace godwit::studies {
namespace {

constexpr std::uint64_t kMiB = 1 << 20;
constexpr std::uint64_t kPage = 4096;

class GuestDrawer {
 public:
  GuestDrawer(Draw& draw, BitsPerSecond bandwidth) : draw_(draw), bandwidth_(bandwidth) {}

  Json guest(const std::string& name) {
    const bool real_bytes = draw_.one_in(8);
    const std::uint64_t most = real_bytes ? 2 * kMiB : draw_.one_in(40) ? 64 * kMiB : 16 * kMiB;
    page_ = draw_.one_in(4) ? kPage << draw_.below(real_bytes ? 4 : 10) : kPage;
    // Not whole words nor blocks of pages, most of the time.
    options_.page_size = {page_};
    // Few pages hold hardly what a guest that moves itself dirties by that.
    const std::uint64_t least =
        draw_.one_in(4) ? (kMiB + page_ - 1) / page_ : std::max<std::uint64_t>(8, 2 * kMiB / page_);
    options_.memory = {std::max<std::uint64_t>(draw_.scaled(kMiB, most) / page_, least) * page_};
    Json guest{{"name", name}, {"memory", bytes(options_.memory.value)}};
    if (page_ != kPage) guest["page_size"] = bytes(page_);
    guest["vcpus"] = draw_.between(1, 4);
    if (draw_.one_in(2)) guest["cpu_demand"] = percent(draw_.between(0, 100));
    if (draw_.one_in(2)) guest["device_state"] = bytes(draw_.scaled(1024, 2 * kMiB));
    if (real_bytes) guest["contents"] = "bytes";
    if (draw_.one_in(2)) guest["pages"] = classes();
    room_ = sim::touchable(options_);
    guest["workload"] = top_workload();
    return guest;
  }

 private:
  Json classes() {
    Json list = Json::array();
    std::uint64_t left = 90;  // something is there to be written
    for (std::uint64_t n = draw_.between(1, 3); n > 0; --n) {
      const std::uint64_t share = draw_.between(0, std::min<std::uint64_t>(left, 50));
      left -= share;
      const auto [name, kind] = draw_.pick({std::pair("zero", sim::PageKind::kZero),
                                            {"free", sim::PageKind::kFree},
                                            {"page_cache", sim::PageKind::kPageCache}});
      const auto parsed = scenarios::parse_quantity(scenarios::Dimension::kShare, percent(share).get<std::string>());
      sim::PageClassOptions options{.kind = kind, .share = std::get<Share>(parsed)};
      Json each{{"class", name}, {"share", percent(share)}};
      const std::uint64_t size = (mul_div(options_.memory.value, options.share, kWhole) + page_ - 1) / page_;
      if (draw_.one_in(3)) {
        options.at_high = true;
        each["at"] = "high";
      } else if (draw_.one_in(2)) {
        options.at = Bytes{page_ * draw_.below(options_.memory.value / page_ - size + 1)};
        each["at"] = bytes(options.at->value);
      }
      options_.pages.push_back(options);
      list.push_back(each);
    }
    return list;
  }

  Json top_workload() {
    Json top = workload(2);
    if (top["kind"] != "idle" && draw_.one_in(4)) {
      top["demand"] = "busy";
      top["cpu_per_write"] = time(draw_, Nanos{100}, Nanos{20'000});
    }
    if (top["kind"] != "idle" && draw_.one_in(4)) {
      top["varies"] = percent(draw_.between(0, 25));
      top["varies_over"] = time(draw_, Nanos{1'000'000}, Nanos{1'000'000'000});
    }
    return top;
  }

  /// A workload with others in it, at most `depth` deep.
  Json workload(int depth) {
    const std::string kind = draw_.pick(scenarios::workload_table().info().variants);
    Json drawn{{"kind", kind}};
    if (kind == "phased" || kind == "mix") {
      if (depth == 0) return leaf("uniform");
      Json list = Json::array();
      for (std::uint64_t n = draw_.between(1, 3); n > 0; --n) {
        const Json inner = workload(depth - 1);
        list.push_back(kind == "mix"
                           ? inner
                           : Json{{"for", time(draw_, Nanos{100'000}, Nanos{1'000'000'000})}, {"workload", inner}});
      }
      drawn[kind == "mix" ? "parts" : "phases"] = list;
      return drawn;
    }
    return leaf(kind);
  }

  Json leaf(std::string kind) {
    Json drawn{{"kind", kind}};
    if (kind == "idle") return drawn;
    const PageRange range = place(drawn);
    if (kind == "zipf" && workloads::whole_words(range).count == 0) kind = "uniform";
    if (kind == "recorded" && (page_ != kPage || range.count < kSoakRecordingPages)) kind = "sequential";
    if (kind == "dirty_curve" && range.count < 64) kind = "uniform";
    drawn["kind"] = kind;
    if (kind == "recorded") return recorded(std::move(drawn));
    if (kind == "dirty_curve") return curve(std::move(drawn), range.count);

    GODWIT_CHECK(kind == "uniform" || kind == "sequential" || kind == "hot_set" || kind == "zipf");
    const std::uint64_t carried = std::max<std::uint64_t>(bandwidth_.value / 8 / page_, 64);
    drawn["write_rate"] = scenarios::format_quantity(scenarios::Dimension::kWriteRate,
                                                     draw_.one_in(20) ? 0 : draw_.scaled(carried / 64, carried * 4));
    if (kind == "hot_set") {
      drawn["hot_memory"] = bytes(page_ * draw_.scaled(1, range.count));
      drawn["hot_share"] = percent(draw_.between(0, 100));
    }
    if (kind == "zipf") drawn["exponent"] = static_cast<double>(draw_.between(0, 12)) / 4;
    return drawn;
  }

  /// Distinct pages that rise more and more slowly over time, few enough that a fit has its place in `room`.
  Json curve(Json drawn, std::uint64_t room) {
    Json points = Json::array();
    std::uint64_t after = draw_.between(1'000'000, 100'000'000), pages = draw_.scaled(1, room / 64);
    for (std::uint64_t n = draw_.between(1, 4); n > 0; --n) {
      points.push_back(
          {scenarios::format_quantity(scenarios::Dimension::kTime, after), fmt::format("{} pages", pages)});
      after *= 3;
      pages += pages / 2 + 1;
    }
    drawn["points"] = points;
    return drawn;
  }

  Json recorded(Json drawn) {
    drawn["file"] = kSoakRecording;
    if (draw_.one_in(2)) drawn["offset"] = time(draw_, Nanos{1000}, Nanos{300'000'000});
    if (draw_.one_in(2)) drawn["speed"] = draw_.pick({0.125, 0.5, 3.0, 50.0});
    if (draw_.one_in(2)) drawn["repeat"] = false;
    return drawn;
  }

  /// Perhaps a place of its own for the workload `drawn`. Returns where it writes.
  PageRange place(Json& drawn) {
    workloads::Options options;
    const std::uint64_t pages = options_.memory.value / page_;
    const bool anywhere = draw_.one_in(4);
    if (anywhere || draw_.one_in(4)) options.memory = Bytes{page_ * draw_.between(1, anywhere ? pages : room_.count)};
    if (anywhere)
      options.at = Bytes{page_ * draw_.below(pages - options.memory->value / page_ + 1)};
    else if (!options.memory && draw_.one_in(4))
      options.at = Bytes{page_ * draw_.below(room_.end())};
    if (options.memory) drawn["memory"] = bytes(options.memory->value);
    if (options.at) drawn["at"] = bytes(options.at->value);
    return workloads::range_of(options, room_, {page_});
  }

  Draw& draw_;
  BitsPerSecond bandwidth_;
  std::uint64_t page_ = kPage;
  sim::GuestOptions options_;
  PageRange room_;
};

}  // namespace

Json draw_guest(Draw& draw, const std::string& name, BitsPerSecond bandwidth) {
  return GuestDrawer(draw, bandwidth).guest(name);
}

}  // namespace godwit::studies
