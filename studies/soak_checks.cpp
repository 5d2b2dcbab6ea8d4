#include "studies/soak_checks.h"

#include <algorithm>
#include <numeric>
#include <string>
#include <variant>

#include "base/check.h"
#include "scenarios/checkpoint.h"
#include "sim/restore.h"
#include "sim/run.h"
#include "studies/draw.h"

namespace godwit::studies {
namespace {

using sim::EventKind;
using sim::Home;
using sim::MigrationOptions;
using sim::MigrationResult;
using sim::Status;

/// One migration, against itself and its scenario.
class MigrationCheck {
 public:
  MigrationCheck(const sim::RunOptions& run, std::uint32_t index, const sim::RunResult& result)
      : run_(run),
        index_(index),
        options_(run.migrations[index]),
        ended_at_(result.ended_at),
        r_(result.migrations[index]) {}

  void all() const {
    GODWIT_CHECK(std::ranges::count(reasons(), r_.reason) == 1);
    switch (r_.status) {
      case Status::kCompleted: completed(); break;
      case Status::kFailed: stayed(has_cause()); break;
      case Status::kCancelled:
        stayed(r_.reason.empty() ? event(EventKind::kCancel) : r_.reason == "policy" && options_.strategy.policy.on);
        break;
      case Status::kUnfinished: unfinished(); break;
      case Status::kInDoubt: nowhere(event(EventKind::kLinkDown) || event(EventKind::kCorrupt)); break;
      case Status::kLost: nowhere(has_cause()); break;
      case Status::kPaused: paused(); break;
    }
    times();
    traffic();
    rounds();
    for (const sim::Bill& bill : r_.costs) GODWIT_CHECK(bill.cpu > Nanos{0} && !bill.payer.empty());
  }

 private:
  void completed() const {
    GODWIT_CHECK(r_.verified);
    GODWIT_CHECK(r_.reason.empty());
    GODWIT_CHECK(r_.home == (options_.file ? Home::kSource : Home::kDestination));
    GODWIT_CHECK(r_.checkpoint.empty() != options_.file.has_value());
    GODWIT_CHECK(r_.pauses >= 1);
    GODWIT_CHECK(r_.remaining == Bytes{0});
    GODWIT_CHECK(parts() == r_.downtime);
    GODWIT_CHECK(r_.normal + r_.duplicate + r_.deltas == sent());
    GODWIT_CHECK(sent() + r_.free >= pages());  // each has gone, or was left out
    // What is missing at the switch of a post-copy is announced in no round.
    const Bytes announced = r_.transferred - sent_bytes() - run_.guests[options_.guest].device_state;
    GODWIT_CHECK(post_copy() ? announced <= r_.transferred : announced == Bytes{0});
  }

  /// The guest goes on where it was.
  void stayed(bool with_cause) const {
    GODWIT_CHECK(with_cause);
    GODWIT_CHECK(r_.home == Home::kSource);
    // Only a checkpoint may stop the guest, let it go on, and fail all the same.
    if (!options_.file) GODWIT_CHECK(r_.downtime == Nanos{0} && parts() == Nanos{0});
  }

  void nowhere(bool with_cause) const {
    GODWIT_CHECK(with_cause);
    GODWIT_CHECK(r_.home == Home::kNowhere);
  }

  void unfinished() const {
    GODWIT_CHECK(r_.reason == "horizon" || r_.reason == "not_started" || r_.reason == "work_limit");
  }

  /// It runs at the destination, without all of its memory.
  void paused() const {
    GODWIT_CHECK(r_.reason == "link_broken" && (event(EventKind::kLinkDown) || event(EventKind::kCorrupt)));
    GODWIT_CHECK(post_copy() && r_.home == Home::kDestination);
  }

  /// Nothing fails by itself.
  bool has_cause() const {
    const core::Plan& plan = options_.strategy.plan;
    if (r_.reason == "link_broken") return event(EventKind::kLinkDown);
    if (r_.reason == "destination_crashed") return event(EventKind::kHostCrash, options_.to);
    if (r_.reason == "source_crashed") return event(EventKind::kHostCrash);
    if (r_.reason == "memory_refused") return event(EventKind::kMemoryRefused, options_.to);
    if (r_.reason == "corrupt_stream") return event(EventKind::kCorrupt);
    if (r_.reason == "shadow_full") return plan.shadow_max < Bytes{UINT64_MAX};
    if (r_.reason == "no_convergence") return plan.abort_if_unconverged;
    if (r_.reason == "already_there" || r_.reason == "guest_gone") return has_forerunner();
    return false;
  }

  /// Another migration of the guest, which may have left it elsewhere than it should.
  bool has_forerunner() const {
    return std::ranges::count(run_.migrations, options_.guest, &MigrationOptions::guest) > 1;
  }

  bool post_copy() const { return options_.strategy.plan.switch_over == core::Switch::kPostCopy; }

  bool event(EventKind kind) const {
    const bool aimed = kind == EventKind::kCancel || kind == EventKind::kCorrupt;
    return std::ranges::any_of(run_.events, [&](const sim::EventOptions& each) {
      return each.kind == kind && (!aimed || each.migration == index_);
    });
  }
  bool event(EventKind kind, std::uint32_t host) const {
    return std::ranges::any_of(run_.events,
                               [&](const sim::EventOptions& each) { return each.kind == kind && each.host == host; });
  }

  void times() const {
    GODWIT_CHECK(r_.requested_at >= Nanos{0} && r_.requested_at + r_.total_time <= ended_at_);
    GODWIT_CHECK(Nanos{0} <= r_.setup_time && r_.setup_time <= r_.total_time);
    GODWIT_CHECK(Nanos{0} <= r_.downtime && r_.downtime <= r_.paused_total && r_.paused_total <= r_.total_time);
    GODWIT_CHECK(r_.downtime <= r_.service_gap);
    GODWIT_CHECK(r_.work_lost >= Nanos{0});
    for (const Nanos part : r_.parts) GODWIT_CHECK(part >= Nanos{0});
  }

  void traffic() const {
    GODWIT_CHECK(r_.transferred == r_.precopy + r_.in_downtime + r_.postcopy);
    GODWIT_CHECK(sent() <= r_.normal + r_.duplicate);
    GODWIT_CHECK(sent_bytes() <= r_.transferred);
    GODWIT_CHECK(std::accumulate(r_.iterations.begin(), r_.iterations.end(), Pages{0},
                                 [](Pages sum, const auto& each) { return sum + each.round.skipped; }) == r_.skipped);
  }

  void rounds() const {
    std::uint32_t index = 0;
    Nanos at{0};
    for (const sim::Iteration& each : r_.iterations) {
      const core::RoundStats& round = each.round;
      GODWIT_CHECK(round.index == ++index);
      GODWIT_CHECK(round.began >= at && round.took >= Nanos{0});
      GODWIT_CHECK(round.zero <= round.sent);
      GODWIT_CHECK(round.new_dirty <= pages() && round.pending_after <= pages());
      GODWIT_CHECK(each.work_lost >= Nanos{0});
      at = round.began;
    }
  }

  Pages pages() const { return {r_.total_bytes.value / r_.page_size.value}; }
  Nanos parts() const { return std::accumulate(r_.parts.begin(), r_.parts.end(), Nanos{0}); }
  Pages sent() const {
    Pages sum{0};
    for (const sim::Iteration& each : r_.iterations) sum += each.round.sent;
    return sum;
  }
  Bytes sent_bytes() const {
    Bytes sum{0};
    for (const sim::Iteration& each : r_.iterations) sum += each.round.bytes;
    return sum;
  }

  const sim::RunOptions& run_;
  std::uint32_t index_;
  const MigrationOptions& options_;
  Nanos ended_at_;
  const MigrationResult& r_;
};

/// Each migration of a guest begins where the one before has left it.
void check_journeys(const sim::RunOptions& options, const sim::RunResult& result) {
  std::vector<std::uint32_t> order(result.migrations.size());
  std::iota(order.begin(), order.end(), 0u);
  std::ranges::stable_sort(order, {}, [&](std::uint32_t i) {
    return std::pair(result.migrations[i].requested_at, result.migrations[i].total_time);
  });
  std::vector<std::uint32_t> at;
  for (const sim::GuestOptions& each : options.guests) at.push_back(each.host);
  for (const std::uint32_t i : order) {
    const MigrationResult& migration = result.migrations[i];
    if (migration.reason == "not_started" || migration.reason == "guest_gone") continue;
    std::uint32_t& host = at[options.migrations[i].guest];
    GODWIT_CHECK(migration.source == options.hosts[host].name);
    if (migration.home == Home::kDestination) host = options.migrations[i].to;
  }
}

bool same(const MigrationResult& a, const MigrationResult& b) {
  return a.status == b.status && a.reason == b.reason && a.home == b.home && a.total_time == b.total_time &&
         a.downtime == b.downtime && a.transferred == b.transferred && a.normal == b.normal &&
         a.duplicate == b.duplicate && a.write_faults == b.write_faults && a.verified == b.verified;
}

void check_same(const sim::RunResult& a, const sim::RunResult& b) {
  GODWIT_CHECK(a.records == b.records);
  GODWIT_CHECK(a.digest == b.digest);
  GODWIT_CHECK(std::ranges::equal(a.migrations, b.migrations, same));
}

/// What restoring the file of a checkpoint comes to; empty: the guest started.
std::string trouble_with(std::span<const std::byte> file) {
  const auto read = scenarios::read_checkpoint(file);
  if (const auto* trouble = std::get_if<std::string>(&read)) return *trouble;
  const auto& checkpoint = std::get<scenarios::Checkpoint>(read);
  const sim::RestoreOptions options{.guest = &checkpoint.guest(),
                                    .guest_number = checkpoint.made_in().guest,
                                    .seed = checkpoint.scenario.options.seed,
                                    .host = checkpoint.scenario.options.hosts[0].profile,
                                    .snapshot_at = checkpoint.snapshot_at,
                                    .go_on = std::chrono::milliseconds(10)};
  return sim::restore(options, checkpoint.records).trouble;
}

}  // namespace

const std::vector<std::string_view>& reasons() {
  static const std::vector<std::string_view> all = {"",
                                                    "horizon",
                                                    "not_started",
                                                    "link_broken",
                                                    "destination_crashed",
                                                    "source_crashed",
                                                    "memory_refused",
                                                    "corrupt_stream",
                                                    "shadow_full",
                                                    "no_convergence",
                                                    "work_limit",
                                                    "policy",
                                                    "already_there",
                                                    "guest_gone"};
  return all;
}

void check_result(const sim::RunOptions& options, const sim::RunResult& result) {
  GODWIT_CHECK(result.migrations.size() == options.migrations.size());
  GODWIT_CHECK(result.ended_at <= options.horizon);
  for (std::uint32_t i = 0; i < options.migrations.size(); ++i) MigrationCheck(options, i, result).all();
  check_journeys(options, result);
}

void check_repeats(const sim::RunOptions& options, const sim::RunResult& result) {
  check_same(sim::run(options), result);
}

void check_contents(const sim::RunOptions& options, const sim::RunResult& result) {
  using enum sim::Contents;
  sim::RunOptions other = options;
  const bool some = std::ranges::any_of(other.guests, [](const auto& each) { return each.contents == kBytes; });
  for (sim::GuestOptions& guest : other.guests) guest.contents = some ? kVersions : kBytes;
  check_same(sim::run(other), result);
}

void check_effective(const scenarios::Loaded& loaded, const sim::RunResult& result) {
  const auto again = scenarios::load_document(loaded.effective, loaded.file, loaded.base_dir);
  GODWIT_CHECK(std::holds_alternative<scenarios::Loaded>(again));
  GODWIT_CHECK(std::get<scenarios::Loaded>(again).effective == loaded.effective);
  check_same(sim::run(std::get<scenarios::Loaded>(again).options), result);
}

void check_checkpoint(const scenarios::Loaded& loaded, std::uint32_t migration, const sim::RunResult& result,
                      std::uint64_t noise) {
  std::vector<std::byte> file = scenarios::write_checkpoint(loaded, migration, result.migrations[migration]);
  GODWIT_CHECK(trouble_with(file).empty());
  Draw draw(noise, migration);
  // The file names the folder of the scenario. A place is counted without it, so that a replay elsewhere comes to the same.
  const std::string folder = scenarios::Json(loaded.base_dir.string()).dump();
  const std::string_view text(reinterpret_cast<const char*>(file.data()), file.size());
  const auto place = [&, named = text.find(folder)] {
    GODWIT_CHECK(named != std::string_view::npos);
    const std::size_t at = draw.below(text.size() - folder.size());
    return at < named ? at : at + folder.size();
  };
  GODWIT_CHECK(!trouble_with(std::span(file).first(place())).empty());
  file[place()] ^= static_cast<std::byte>(1u << draw.below(8));
  GODWIT_CHECK(!trouble_with(file).empty());
}

}  // namespace godwit::studies
