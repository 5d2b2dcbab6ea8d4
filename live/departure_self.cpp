#include <ucontext.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>

#include "live/departure.h"
#include "live/memory.h"
#include "live/page_hash.h"
#include "live/sender.h"

namespace godwit::live {
namespace {

using core::Await;
using core::Done;

/// What stays outside the guest: how it is to be moved, the room for its shadow, and what is found out.
struct Journey {
  GuestHost& host;
  const DepartureOptions& options;
  Departure& result;
  GuestLayout layout;
  UniqueFd socket;
  Shadow shadow;
  std::vector<bool> copied;  // the pages in the shadow

  // The snapshot is taken on a stack outside: what is copied must not change by being copied.
  std::vector<std::byte> stack = std::vector<std::byte>(256 * 1024);
  ucontext_t outside{};
  core::DirtyLog* log = nullptr;
  PageSet* pages = nullptr;

  std::uint64_t page_count() const { return host.memory().pages; }
};

Journey* g_journey = nullptr;

void copy_page(PageIndex page) {
  std::memcpy(g_journey->shadow.page(page), guest_page(page), kPageBytes);
  g_journey->copied[page] = true;
}

/// Runs outside. Writing down which pages are dirty dirties pages, until one look finds nothing new; then nothing
/// writes to the guest any more until all are copied.
void take_snapshot() {
  Journey& journey = *g_journey;
  PageSet& pages = *journey.pages;
  for (std::uint64_t before = UINT64_MAX; before != pages.count().value;) {
    before = pages.count().value;
    const auto looked = journey.log->read(pages.all(), pages);
    static_cast<void>(looked);
  }
  pages.for_each_run(pages.all(), [](const PageRun& run) {
    for_each_range(run, [](PageRange range) {
      for (PageIndex page = range.first; page < range.end(); ++page) copy_page(page);
    });
  });
  journey.result.shadow = pages.count();
  if (!journey.options.verify) return;
  // What the sending may yet write is kept too, not to be sent but to know what it was.
  const auto keep = [&](PageRange range) {
    for (PageIndex page = range.first; page < range.end(); ++page) {
      if (!journey.copied[page]) copy_page(page);
    }
  };
  keep(journey.layout.header);
  keep(journey.layout.stack(kMigrator));
  keep(journey.layout.sender);
}

// ---------------------------------------------------------------- what lies on the guest's stack

/// Counts what of the pages reported is of the migration's own making.
class SelfLog final : public core::DirtyLog {
 public:
  SelfLog(AsynchronousLog& log, const GuestLayout& layout) : log_(log), layout_(layout) {}
  Await<Done> start() override { return log_.start(); }
  Await<Done> read(PageRange range, PageSet& into) override { return log_.read(range, into); }
  Await<Done> clear(PageRange range, const PageSet& mask) override { return log_.clear(range, mask); }
  Await<Done> read_and_clear(PageRange range, PageSet& into) override {
    const auto result = log_.read_and_clear(range, into);
    sender_ = {into.count_in(layout_.header) + into.count_in(layout_.stack(kMigrator)) + into.count_in(layout_.sender)};
    return result;
  }
  Await<Done> peek(std::span<const PageRun> runs, PageSet& into) override { return log_.peek(runs, into); }
  Pages sender() const { return sender_; }

 private:
  AsynchronousLog& log_;
  const GuestLayout& layout_;
  Pages sender_{0};
};

class SelfMemory final : public Memory {
 public:
  SelfMemory(OwnPages& pages, std::uint64_t count, const SelfLog& log) : Memory(pages, count), log_(log) {}
  Pages sender_pages() const override { return log_.sender(); }
  Await<Done> copy_to_shadow(PageSet& pages) override {
    Journey& journey = *g_journey;
    journey.pages = &pages;
    ::getcontext(&journey.outside);
    journey.outside.uc_stack.ss_sp = journey.stack.data();
    journey.outside.uc_stack.ss_size = journey.stack.size();
    journey.outside.uc_link = &inside_;
    ::makecontext(&journey.outside, &take_snapshot, 0);
    ::swapcontext(&inside_, &journey.outside);
    return Done{};
  }

 private:
  const SelfLog& log_;
  ucontext_t inside_{};
};

/// Runs on the guest's migrating thread.
void migrate_self() {
  Journey& journey = *g_journey;
  Departure& result = journey.result;
  const Nanos cpu = now_on(CLOCK_THREAD_CPUTIME_ID);
  guest_header().moved_itself = 1;

  const core::Plan plan = in_batches(journey.options.plan);
  std::string none;
  auto tracker = WriteTracker::of_self(none);
  GODWIT_CHECK(tracker.has_value());  // the host has tried it before it took a guest
  Stream stream(std::move(journey.socket), journey.options.stall_max);
  AsynchronousLog tracked(std::move(*tracker), journey.host.memory(), &stream);
  SelfLog log(tracked, journey.layout);
  journey.log = &log;
  OwnPages pages(journey.host.memory());
  SelfMemory memory(pages, journey.page_count(), log);
  const PageRange area = journey.layout.sender;
  const SenderSpace space({guest_page(area.first), area.count * kPageBytes}, {journey.page_count()});
  PageReader& shadow = journey.options.without_shadow ? static_cast<PageReader&>(pages) : journey.shadow;
  Link link(stream, pages, shadow, space.link());
  HostedGuest guest(journey.host);
  Control control;
  Observer observer;

  result.outcome = migrate(plan, {log, memory, link, guest, control, observer}, space);
  tracked.stop();
  guest_header().moved_itself = 0;
  result.trouble = stream.trouble();
  result.refusal = link.refusal();
  result.figures = observer.figures();
  result.bytes = link.sent();
  result.committed = link.committed();
  result.sender = log.sender();
  result.cpu = now_on(CLOCK_THREAD_CPUTIME_ID) - cpu;
  if (!has_left(result)) return;
  // From here on this thread runs elsewhere, or nowhere.
  journey.host.migration_done();
  while (true) ::pause();
}

}  // namespace

void depart_by_itself(GuestHost& host, const DepartureOptions& options, Departure& result, PageHashes* hashes) {
  result.began = monotonic_now();
  std::string error;
  Stream stream(connect_to(options.to, options.stall_max, error), options.stall_max);
  const auto refused =
      ask_in(stream, {.token = options.token, .program = program_fingerprint(), .memory = {host.memory().pages}});
  if (refused) {
    const std::string& why = error.empty() ? *refused : error;
    why.copy(result.refused.data(), result.refused.size() - 1);
    result.over = true;
    return;
  }
  result.admitted = true;
  Journey journey{.host = host,
                  .options = options,
                  .result = result,
                  .layout = GuestLayout(guest_header().options),
                  .socket = stream.release(),
                  .shadow = Shadow(host.memory().pages),
                  .copied = std::vector<bool>(host.memory().pages)};
  GODWIT_CHECK(journey.shadow.valid());
  g_journey = &journey;
  const std::uint64_t faults = faults_so_far();
  const Nanos cpu = host.cpu();
  host.command_migration(&migrate_self);
  result.guest_cpu = host.cpu() - cpu - result.cpu;
  result.faults = faults_so_far() - faults;
  g_journey = nullptr;
  if (has_left(result)) {
    host.give_away();
    for (PageIndex page = 0; hashes != nullptr && options.verify && page < host.memory().pages; ++page) {
      (*hashes)[page] = page_hash(journey.copied[page] ? journey.shadow.page(page) : guest_page(page));
    }
  }
  result.over = true;
}

}  // namespace godwit::live
