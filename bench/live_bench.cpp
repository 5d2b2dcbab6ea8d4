// How much of what a plain loop of writes reaches over loopback TCP a whole migration reaches: all of 64 MiB once, sender
// and receiver on one processor.
#include <benchmark/benchmark.h>
#include <sched.h>
#include <sys/socket.h>

#include <algorithm>
#include <optional>
#include <thread>

#include "live/receiver.h"
#include "live/sender.h"
#include "tests/live/region.h"

namespace godwit::test {
namespace {

using namespace std::chrono_literals;

constexpr std::uint64_t kPages = 16384;  // 64 MiB: larger than caches
constexpr std::size_t kPiece = 256 * 1024;

/// Both ends of a connection over loopback TCP.
std::array<live::Stream, 2> connected() {
  live::Address address{"127.0.0.1", "0"};
  std::string error;
  const live::UniqueFd listener = live::listen_at(address, error);
  live::UniqueFd out = live::connect_to(address, 5s, error);
  live::UniqueFd in = live::accept_from(listener.get(), 5s);
  return {live::Stream{std::move(out), 60s}, live::Stream{std::move(in), 60s}};
}

/// CPU time of two threads together, which is the wall time where they have one idle processor. It is measured so that
/// others at work on this host do little to it.
template <class Sender, class Receiver>
Nanos cpu_of(Sender&& sender, Receiver&& receiver) {
  Nanos there{0};
  std::thread other([&] {
    const Nanos began = live::now_on(CLOCK_THREAD_CPUTIME_ID);
    receiver();
    there = live::now_on(CLOCK_THREAD_CPUTIME_ID) - began;
  });
  const Nanos began = live::now_on(CLOCK_THREAD_CPUTIME_ID);
  sender();
  const Nanos here = live::now_on(CLOCK_THREAD_CPUTIME_ID) - began;
  other.join();
  return here + there;
}

/// Writes all of `region` in large pieces; the other end reads it into `target`, or into one buffer again and again.
Nanos plain_writes(Region& region, Region* target) {
  auto ends = connected();
  std::vector<std::byte> buffer(kPiece);
  const std::size_t pieces = region.bytes().size() / kPiece;
  return cpu_of(
      [&] {
        for (std::size_t i = 0; i < pieces; ++i) {
          ends[0].write(std::span<const std::byte>(region.bytes().subspan(i * kPiece, kPiece)));
        }
      },
      [&] {
        for (std::size_t i = 0; i < pieces; ++i) {
          ends[1].read(target != nullptr ? target->bytes().subspan(i * kPiece, kPiece) : std::span(buffer));
        }
      });
}

/// Memory that is there before the migration begins, as an admitted guest's is.
class Room final : public live::Lodging {
 public:
  explicit Room(Region& region) : region_(region) {}
  std::byte* reserve(::godwit::Pages) override { return region_.page(0); }
  void arrived() override {}
  bool run() override { return true; }
  void discard() override {}

 private:
  Region& region_;
};

/// Nothing where it failed.
std::optional<Nanos> migration(Region& region, Region& target) {
  auto ends = connected();
  live::Freezer freezer;
  std::vector<std::byte> storage(live::SenderSpace::size_for({kPages}), std::byte{1});
  const live::SenderSpace space(storage, {kPages});
  Room room(target);
  core::Outcome outcome = core::Outcome::kLinkBroken;
  const Nanos cpu = cpu_of(
      [&] {
        live::OwnPages pages(region.span());
        live::Memory memory(pages, kPages);
        live::Link link(ends[0], pages, pages, space.link());
        live::Threads guest(freezer);
        live::Control control;
        live::Observer observer;
        const auto log = std::get<0>(live::make_dirty_log(live::Tracking::kProtection, region.span()));
        std::array<std::byte, 1> welcome{};
        ends[0].read(std::span<std::byte>(welcome));
        core::Plan plan;
        plan.live = false;
        outcome = live::migrate(live::in_batches(plan), {*log, memory, link, guest, control, observer}, space);
      },
      [&] { live::receive(ends[1], room, {kPages * kPageBytes}, false); });
  if (outcome != core::Outcome::kCompleted) return std::nullopt;
  return cpu;
}

/// Binds this thread, and those that it makes, to one processor as long as it lives.
class OneProcessor {
 public:
  OneProcessor() {
    ::sched_getaffinity(0, sizeof before_, &before_);
    cpu_set_t one;
    CPU_ZERO(&one);
    for (int cpu = 0; cpu < CPU_SETSIZE && CPU_COUNT(&one) == 0; ++cpu) {
      if (CPU_ISSET(cpu, &before_)) CPU_SET(cpu, &one);
    }
    ::sched_setaffinity(0, sizeof one, &one);
  }
  ~OneProcessor() { ::sched_setaffinity(0, sizeof before_, &before_); }
  OneProcessor(const OneProcessor&) = delete;
  OneProcessor& operator=(const OneProcessor&) = delete;

 private:
  cpu_set_t before_;
};

double mib_per_second(Nanos cpu) {
  return static_cast<double>(kPages * kPageBytes) / (1 << 20) / std::chrono::duration<double>(cpu).count();
}

// The best of each counts, taken in turn: what others do to the caches of this host is not what is measured.
void migration_against_plain_writes(benchmark::State& state) {
  const OneProcessor one;
  Region region(kPages), target(kPages);
  for (PageIndex page = 0; page < kPages; ++page) {
    region.write(page, static_cast<std::uint8_t>(page | 1));
    target.write(page, 0);
  }
  Nanos plain = kNever, dropped = kNever, migrated = kNever;
  for (auto _ : state) {
    plain = std::min(plain, plain_writes(region, &target));
    dropped = std::min(dropped, plain_writes(region, nullptr));
    const std::optional<Nanos> cpu = migration(region, target);
    if (!cpu || !std::ranges::equal(region.bytes(), target.bytes())) return state.SkipWithError("not all has arrived");
    migrated = std::min(migrated, *cpu);
    state.SetIterationTime(std::chrono::duration<double>(*cpu).count());
  }
  state.counters["plain_MiB/s"] = mib_per_second(plain);
  state.counters["plain_dropped_MiB/s"] = mib_per_second(dropped);
  state.counters["migration_MiB/s"] = mib_per_second(migrated);
  state.counters["percent_of_plain"] =
      100 * std::chrono::duration<double>(plain) / std::chrono::duration<double>(migrated);
}

BENCHMARK(migration_against_plain_writes)->UseManualTime()->Iterations(30)->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace godwit::test
