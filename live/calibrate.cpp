#include "live/calibrate.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <memory>
#include <stdexcept>
#include <thread>

#include "live/arrival.h"
#include "live/checksum.h"
#include "live/clock.h"
#include "live/link.h"
#include "live/memory.h"
#include "live/trial.h"

namespace godwit::live {
namespace {

constexpr std::uint64_t kPages = 16384;  // 64 MiB: larger than caches
constexpr int kTries = 7;

/// Memory to measure on.
class Ground {
 public:
  explicit Ground(std::uint64_t pages, bool fill = true) : pages_(pages) {
    void* got = ::mmap(nullptr, pages * kPageBytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (got == MAP_FAILED) throw std::runtime_error("calibration: there is not enough memory");
    ::madvise(got, pages * kPageBytes, MADV_NOHUGEPAGE);
    begin_ = static_cast<std::byte*>(got);
    if (fill) write(7);
  }
  ~Ground() { ::munmap(begin_, pages_ * kPageBytes); }
  Ground(const Ground&) = delete;
  Ground& operator=(const Ground&) = delete;

  /// Writes to each page.
  void write(int value) {
    for (std::uint64_t i = 0; i < pages_; ++i)
      static_cast<volatile std::byte*>(begin_)[i * kPageBytes] = std::byte(value);
  }
  std::byte* page(PageIndex index) { return begin_ + index * kPageBytes; }
  Span span() const { return {reinterpret_cast<std::uintptr_t>(begin_), pages_}; }
  std::uint64_t pages() const { return pages_; }

 private:
  std::byte* begin_ = nullptr;
  std::uint64_t pages_;
};

Nanos median(std::vector<Nanos> values) {
  std::ranges::sort(values);
  return values[values.size() / 2];
}

template <class Work>
Nanos cpu_of(Work&& work) {
  const Nanos began = now_on(CLOCK_THREAD_CPUTIME_ID);
  work();
  return now_on(CLOCK_THREAD_CPUTIME_ID) - began;
}

/// The median CPU time of `work`, per one of `count`.
template <class Work>
Nanos each(std::uint64_t count, Work&& work) {
  std::vector<Nanos> taken;
  for (int i = 0; i < kTries; ++i) taken.push_back(cpu_of(work));
  return median(taken) / static_cast<std::int64_t>(count);
}

Nanos less(Nanos all, Nanos part) { return std::max(all - part, Nanos{0}); }

// ---------------------------------------------------------------- memory

struct Tracked {
  Nanos first_write{0}, read_per_gib{0}, per_page{0};
};

Tracked track() {
  Ground ground(kPages);
  auto made = make_dirty_log(Tracking::kAsynchronous, ground.span());
  if (auto* why = std::get_if<std::string>(&made)) throw std::runtime_error("calibration: " + *why);
  DirtyLog& log = *std::get<0>(made);
  std::vector<PageBlock> blocks(PageSet::blocks_for({kPages}));
  std::vector<std::uint64_t> words(PageSet::words_for({kPages}));
  PageSet found({kPages}, blocks, words);
  const auto read = [&] {
    found.clear();
    static_cast<void>(log.read_and_clear(found.all(), found));
  };
  static_cast<void>(log.start());
  std::vector<Nanos> writes, none, all;
  const Nanos plain = each(1, [&] { ground.write(1); });
  for (int i = 0; i < kTries; ++i) {
    read();
    none.push_back(cpu_of(read));
    writes.push_back(cpu_of([&] { ground.write(i); }));
    all.push_back(cpu_of(read));
    if (found.count().value != kPages) throw std::runtime_error("calibration: not every write was seen");
  }
  const auto pages = static_cast<std::int64_t>(kPages);
  constexpr std::int64_t kPerGib = (std::int64_t{1} << 30) / static_cast<std::int64_t>(kPages * kPageBytes);
  return {.first_write = less(median(writes), plain) / pages,
          .read_per_gib = median(none) * kPerGib,
          .per_page = less(median(all), median(none)) / pages};
}

struct Copied {
  Nanos gather{0}, shadow{0}, zero_test{0}, first_touch{0};
};

Copied copy() {
  Ground from(kPages), to(kPages);
  OwnPages pages(from.span());
  constexpr std::uint64_t kAtOnce = 64;
  std::vector<std::byte> buffer(kAtOnce * kPageBytes);
  Copied cost;
  cost.gather = each(kPages, [&] {
    std::uint32_t crc = 0;
    for (PageIndex page = 0; page < kPages; page += kAtOnce) {
      const PageRange range{page, kAtOnce};
      pages.read({&range, 1}, buffer.data(), crc);
    }
    buffer[0] = static_cast<std::byte>(crc);
  });
  cost.shadow = each(kPages, [&] { std::memcpy(to.page(0), from.page(0), kPages * kPageBytes); });
  Ground empty(kPages);
  empty.write(0);
  OwnPages zeroes(empty.span());
  std::uint64_t found = 0;
  cost.zero_test = each(kPages, [&] {
    for (std::uint64_t word = 0; word < kPages / 64; ++word)
      found += static_cast<unsigned>(std::popcount(zeroes.zero_pages(word, ~std::uint64_t{0})));
  });
  if (found != kTries * kPages) throw std::runtime_error("calibration: zero pages were not found");
  std::vector<Nanos> touched;
  for (int i = 0; i < kTries; ++i) {
    Ground fresh(kPages / 4, false);
    touched.push_back(cpu_of([&] { fresh.write(1); }) / static_cast<std::int64_t>(fresh.pages()));
  }
  cost.first_touch = median(touched);
  return cost;
}

/// What reading 1,024 pages of another process costs on top of reading one's own.
Nanos foreign_batch(Nanos own_page) {
  Ground ground(kPages);
  std::array<int, 2> ends{};
  if (::pipe(ends.data()) != 0) throw std::runtime_error("calibration: no pipe");
  const pid_t child = ::fork();
  if (child == 0) {
    ::close(ends[1]);
    char byte = 0;
    static_cast<void>(!::read(ends[0], &byte, 1));  // until the other end is gone
    ::_exit(0);
  }
  ::close(ends[0]);
  ForeignPages pages(child, ground.span());
  constexpr std::uint64_t kAtOnce = 64;
  std::vector<std::byte> buffer(kAtOnce * kPageBytes);
  bool well = true;
  const Nanos page = each(kPages, [&] {
    std::uint32_t crc = 0;
    for (PageIndex at = 0; at < kPages; at += kAtOnce) {
      const PageRange range{at, kAtOnce};
      well = well && pages.read({&range, 1}, buffer.data(), crc);
    }
    buffer[0] = static_cast<std::byte>(crc);
  });
  ::close(ends[1]);
  ::waitpid(child, nullptr, 0);
  return well ? less(page, own_page) * 1024 : Nanos{0};
}

// ---------------------------------------------------------------- the network

std::pair<UniqueFd, UniqueFd> connected() {
  Address address{"127.0.0.1", "0"};
  std::string error;
  const UniqueFd listener = listen_at(address, error);
  UniqueFd out = connect_to(address, Nanos{1'000'000'000}, error);
  UniqueFd in = accept_from(listener.get(), Nanos{1'000'000'000});
  if (!out.valid() || !in.valid()) throw std::runtime_error("calibration: no connection: " + error);
  return {std::move(out), std::move(in)};
}

struct Network {
  Nanos send{0}, receive{0};
};

Network network() {
  constexpr std::size_t kPiece = 256 * 1024;
  constexpr std::uint64_t kPieces = 256;  // 64 MiB
  constexpr Nanos kStall{10'000'000'000};
  std::vector<Nanos> sends, receives;
  for (int i = 0; i < 3; ++i) {
    auto [out, in] = connected();
    Stream sender(std::move(out), kStall), receiver(std::move(in), kStall);
    std::vector<std::byte> here(kPiece), there(kPiece);
    Nanos receiving{0};
    std::thread other([&] {
      receiving = cpu_of([&] {
        for (std::uint64_t n = 0; n < kPieces && receiver.read(std::span(there)); ++n) {
        }
      });
    });
    const Nanos sending = cpu_of([&] {
      for (std::uint64_t n = 0; n < kPieces; ++n) sender.write(std::span<const std::byte>(here));
    });
    other.join();
    const auto pages = static_cast<std::int64_t>(kPieces * kPiece / kPageBytes);
    sends.push_back(sending / pages);
    receives.push_back(receiving / pages);
  }
  return {.send = median(sends), .receive = median(receives)};
}

/// What the checksum of a page costs that has just come in.
Nanos checksum() {
  std::vector<std::byte> piece(32 * kPageBytes);
  std::uint32_t crc = 0;
  const Nanos cost = each(32 * 64, [&] {
    for (int n = 0; n < 64; ++n) crc = crc32c(crc, piece);
  });
  piece[0] = static_cast<std::byte>(crc);
  return cost;
}

// ---------------------------------------------------------------- whole guests

struct Stops {
  Nanos pause{0}, resume{0}, announce{0};
};

/// Moves small guests that do next to nothing: what is left is what stopping and starting threads takes.
Stops stops() {
  std::vector<Nanos> pauses, resumes, announces;
  for (int i = 0; i < 9; ++i) {
    Trial trial({.way = Way::kByItself, .guest = {.pages = 2048, .write_rate = 100}, .verify = false});
    if (!trial.happen() || !trial.figures().departure.completed()) continue;
    const Nanos stopped = trial.figures().departure.figures.at(core::Phase::kStop);
    const Nanos committed = trial.figures().arrival.received.figures.at(core::Phase::kResume);
    pauses.push_back(trial.figures().departure.figures.stop);
    resumes.push_back(trial.figures().arrival.runs_at - committed);
    announces.push_back(less(trial.figures().client.longest_gap, trial.figures().arrival.runs_at - stopped));
  }
  if (pauses.empty()) throw std::runtime_error("calibration: no guest could be moved");
  return {.pause = median(pauses), .resume = median(resumes), .announce = median(announces)};
}

}  // namespace

Calibration calibrate() {
  if (const auto why = guests_unsupported()) throw std::runtime_error("calibration: " + *why);
  const Tracked tracked = track();
  const Copied copied = copy();
  const Nanos foreign = foreign_batch(copied.gather);
  const Network net = network();
  const Nanos crc = checksum();
  const Stops stop = stops();
  utsname system{};
  ::uname(&system);
  const std::string release(system.release);
  Calibration result;
  result.machine = std::string(system.sysname) + " " + release.substr(0, release.find('-')) + ", " +
                   std::to_string(std::thread::hardware_concurrency()) + " processors";
  result.round_trip = loopback_round_trip();
  const Nanos apply = less(net.receive + crc, net.send);
  result.costs = {
      {"copy_page", copied.gather, "copying a page to the send buffer and its checksum"},
      {"zero_test_page", copied.zero_test, "testing a page that is zero"},
      {"protocol_page", net.send, "writing pages to a loopback TCP socket, 256 KiB at a time"},
      {"apply_page", apply, "reading a page from the socket to its place and its checksum, less protocol_page"},
      {"first_touch_page", copied.first_touch, "first write to an anonymous page"},
      {"map_batch", foreign, "process_vm_readv of 1,024 pages, less copying one's own"},
      {"shadow_copy_page", copied.shadow, "copying pages in sequence"},
      {"pause", stop.pause, "freezing the threads of a guest by signals, median of whole moves"},
      {"resume", stop.resume, "from COMMIT to the guest's first instruction, median of whole moves"},
      {"announce", stop.announce, "from there to the client's next answer, median of whole moves"},
      {"tracker/first_write", tracked.first_write, "write to a page protected by userfaultfd, asynchronous"},
      {"tracker/read_per_gib", tracked.read_per_gib, "PAGEMAP_SCAN with protecting, nothing written"},
      {"tracker/per_page", tracked.per_page, "the same with all pages written, for each"},
  };
  return result;
}

Nanos loopback_round_trip() {
  constexpr Nanos kStall{10'000'000'000};
  auto [out, in] = connected();
  Stream here(std::move(out), kStall), there(std::move(in), kStall);
  std::thread echo([&] {
    std::array<std::byte, 1> byte{};
    while (there.read(std::span<std::byte>(byte)) && there.write(std::span<const std::byte>(byte))) {
    }
  });
  std::vector<Nanos> trips;
  std::array<std::byte, 1> byte{};
  for (int n = 0; n < 501; ++n) {
    const Nanos began = monotonic_now();
    here.write(std::span<const std::byte>(byte));
    here.read(std::span<std::byte>(byte));
    trips.push_back(monotonic_now() - began);
  }
  here.release();
  echo.join();
  return median(trips);
}

}  // namespace godwit::live
