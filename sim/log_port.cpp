#include "sim/log_port.h"

#include <array>

namespace godwit::sim {

Nanos LogPort::cost(PageRange range, Nanos each_gib) const {
  return per_gib(each_gib, c_.memory().page_size() * range.count);
}

/// What the log's entries cost on top of reading it.
Nanos LogPort::reporting_cost() {
  if (c_.tracker().per_page == Nanos{0}) return Nanos{0};
  c_.advance_all();
  return c_.tracker().per_page * static_cast<std::int64_t>(c_.memory().log().count().value);
}

/// A translated guest's log is read while its virtual CPUs look on: one that rests for a throttle is waited for, here for
/// as long as that is on average. Source: the real runs (studies/data/README.md), where reading takes up to 0.9 s at 99 %.
Nanos LogPort::throttle_wait() const {
  if (c_.options.strategy.tracker != models::Tracker::kTcg || c_.guest.stopped) return Nanos{0};
  const auto rest = static_cast<std::uint64_t>(models::throttle_rest(c_.guest.throttle).count());
  return Nanos{static_cast<std::int64_t>(mul_div(rest, c_.guest.throttle, 2 * kWhole))};
}

void LogPort::count_sync() {
  if (!c_.down || c_.options.strategy.counts_final_read) ++c_.result.dirty_syncs;
}

/// The log, with all writes to `range` up to now in it.
PageSet& LogPort::look(PageRange range) {
  c_.memory().advance(range, c_.guest_now());
  c_.settle_faults();
  return c_.memory().log();
}

core::Await<core::Done> LogPort::start() {
  const PageRange all{0, c_.memory().size().value};
  return c_.take(cost(all, c_.tracker().clear_per_gib), Activity::kHarvest, Side::kSource, [this] {
    c_.memory().start(c_.guest_now());
    c_.protected_at = c_.guest_now();
    c_.memory().forget_faults_of_processes();
    if (c_.self()) c_.sender.protected_all(c_.memory());
  });
}

core::Await<core::Done> LogPort::read(PageRange range, PageSet& into) {
  const Nanos cpu = cost(range, c_.tracker().read_per_gib) + reporting_cost() + throttle_wait();
  return c_.take(cpu, Activity::kHarvest, Side::kSource, [this, range, &into] {
    const PageSet& log = look(range);
    into.add(log, range);
    c_.note_set(RecordKind::kLogRead, log);
    count_sync();
  });
}

core::Await<core::Done> LogPort::clear(PageRange range, const PageSet& mask) {
  return c_.take(cost(range, c_.tracker().clear_per_gib), Activity::kHarvest, Side::kSource, [this, range, &mask] {
    PageSet& log = look(range);
    if (c_.self()) c_.sender.protect(mask, range);
    log.remove(mask, range);
    if (c_.self()) c_.sender.protected_those(c_.memory());
    c_.note(RecordKind::kLogCleared, range.first);
  });
}

core::Await<core::Done> LogPort::read_and_clear(PageRange range, PageSet& into) {
  const Nanos cpu = cost(range, c_.tracker().read_per_gib) + cost(range, c_.tracker().clear_per_gib) +
                    reporting_cost() + throttle_wait();
  return c_.take(cpu, Activity::kHarvest, Side::kSource, [this, range, &into] {
    PageSet& log = look(range);
    c_.note_set(RecordKind::kLogReadCleared, log);
    count_sync();
    if (c_.self()) c_.sender.protect(log, range);
    into.take_over(log, range);
    if (c_.self()) c_.sender.protected_those(c_.memory());
    c_.protected_at = c_.guest_now();
    c_.memory().forget_faults_of_processes();
  });
}

core::Await<core::Done> LogPort::peek(std::span<const PageRun> runs, PageSet& into) {
  c_.advance_all();
  PageSet::Reader log(c_.memory().log());
  std::array<PageRun, 64> found;  // handed over many at a time
  std::size_t count = 0;
  for (const PageRun& run : runs) {
    for_each_word(run, [&](std::uint64_t word, std::uint64_t mask) {
      const std::uint64_t dirty = log.word(word) & mask;
      if (dirty == 0) return;
      found[count++] = PageRun::of_word(word, dirty);
      if (count == found.size()) into.add(std::span(found)), count = 0;
    });
  }
  into.add(std::span(found).first(count));
  return core::Done{};
}

}  // namespace godwit::sim
