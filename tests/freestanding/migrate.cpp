// Moves a guest of 256 pages from one buffer to another through the real encoder and decoder, first as a hypervisor
// would, then as a guest would move itself. Returns 0 where both arrive byte for byte, else a number that says what
// went wrong. No library, no allocation, no simulator.
#include "core/destination.h"
#include "core/source.h"

namespace {

using namespace godwit;
using namespace godwit::core;

constexpr std::uint64_t kPages = 256;
constexpr std::uint64_t kPageBytes = 4096;
constexpr std::size_t kStreamBytes = kPages * kPageBytes + 65536;

struct Set {
  PageBlock blocks[PageSet::blocks_for({kPages})];
  std::uint64_t words[PageSet::kBlockWords];
  PageSet make() { return PageSet({kPages}, blocks, words); }
};

std::byte here[kPages * kPageBytes], there[kPages * kPageBytes], shadow[kPages * kPageBytes];
std::byte payload[kPages * kPageBytes], stream[kStreamBytes];
std::byte source_frames[8192], destination_frames[4096];
PageRun picked[64], batch[64], arrived[64];
Set log_space, pending_space, reported_space, aside_space;

/// Both machines and the wire between them, on which nothing waits.
class Machines final : public DirtyLog,
                       public Memory,
                       public Link,
                       public Guest,
                       public Control,
                       public Observer,
                       public Arrival {
 public:
  explicit Machines(bool self) : log_(log_space.make()), self_(self) {
    for (std::size_t i = 0; i < sizeof here; ++i) here[i] = static_cast<std::byte>(i * 31 + i / kPageBytes);
  }

  bool runs_there() const { return runs_there_; }
  bool fenced() const { return fenced_; }
  std::uint32_t rounds() const { return rounds_; }

  Await<Done> start() override { return log_.clear(), Done{}; }
  Await<Done> read(PageRange range, PageSet& into) override { return into.add(log_, range), Done{}; }
  Await<Done> clear(PageRange range, const PageSet& mask) override { return log_.remove(mask, range), Done{}; }
  Await<Done> read_and_clear(PageRange range, PageSet& into) override {
    into.add(log_, range);
    log_.remove(range);
    return Done{};
  }
  Await<Done> peek(std::span<const PageRun>, PageSet&) override { return Done{}; }

  Pages size() const override { return {kPages}; }
  Bytes page_size() const override { return {kPageBytes}; }
  std::size_t classify(PageRun& head, std::span<PageRun> out) override {
    out[0] = head;
    head = {};
    return 1;
  }
  Await<Done> copy_to_shadow(PageSet& pages) override {
    pages.for_each_run(pages.all(), [](const PageRun& run) {
      for_each_page(run, [](PageIndex page) {
        __builtin_memcpy(shadow + page * kPageBytes, here + page * kPageBytes, kPageBytes);
      });
    });
    return Done{};
  }
  Pages sender_pages() const override { return {self_ ? 2u : 0u}; }

  Await<Sent> send(const Record& record, const SendLimit&) override {
    guest_works();
    Record full = record;
    std::size_t bytes = 0;
    const std::byte* from = record.type == RecordType::kShadowPages ? shadow : here;
    for (const PageRun& run : record.runs) {
      for_each_page(run, [&](PageIndex page) {
        __builtin_memcpy(payload + bytes, from + page * kPageBytes, kPageBytes);
        bytes += kPageBytes;
      });
    }
    full.payload = {payload, bytes};
    const std::size_t length = encode(full, stream);
    if (self_) write(5), write(6);  // its rings
    deliver(length);
    const BatchSize size = size_of(record.runs, record.charge);
    now_ += Nanos{static_cast<std::int64_t>(length)};
    return Sent{.pages = size.pages, .bytes = {length}, .payload_crc = crc32c(0, full.payload)};
  }
  Await<Message> receive() override { return answer_; }

  Await<Done> pause() override { return stopped_ = true, Done{}; }
  Await<Done> freeze() override { return stopped_ = true, Done{}; }
  Await<Done> resume() override { return stopped_ = false, Done{}; }
  void fence() override {
    fenced_ = true;
    // Whatever is still written here is nobody's any more.
    if (self_) write(5), write(6);
  }
  Bytes device_state() const override { return {64}; }

  Nanos now() const override { return now_; }
  Await<Done> sleep_until(Nanos instant) override { return now_ = instant, Done{}; }
  Command poll() override { return Command::kNone; }
  void enter(Phase) override {}
  void round(const RoundStats&) override { ++rounds_; }

  Await<Incoming> next() override { return incoming_; }
  void reply(const Record& record) override {
    answer_ = {record.type == RecordType::kReady ? Message::Kind::kReady : Message::Kind::kRefused, record.value};
  }
  bool reserve(Pages size) override { return size.value == kPages; }
  void apply(const Record& record) override {
    std::size_t at = 0;
    for (const PageRun& run : record.runs) {
      for_each_page(run, [&](PageIndex page) {
        __builtin_memcpy(there + page * kPageBytes, record.payload.data() + at, kPageBytes);
        at += kPageBytes;
      });
    }
  }
  Await<Done> load_device_state(Bytes) override { return Done{}; }
  Await<Done> inflate() override { return Done{}; }
  Await<Done> run() override { return runs_there_ = fenced_, Done{}; }
  void discard() override {}

 private:
  template <class Visit>
  static void for_each_page(const PageRun& run, Visit visit) {
    for_each_word(run, [&](std::uint64_t word, std::uint64_t mask) {
      for (; mask != 0; mask &= mask - 1) visit(word * 64 + static_cast<unsigned>(__builtin_ctzll(mask)));
    });
  }

  void write(PageIndex page) {
    here[page * kPageBytes + writes_ % kPageBytes] ^= std::byte{0x5a};
    ++writes_;
    log_.add(PageRun::solid(page, 1));
  }

  void guest_works() {
    if (stopped_) return;
    for (PageIndex page = 20; page < 30; ++page) write(page + writes_ % 7);
  }

  void deliver(std::size_t length) {
    const Decoded decoded = decode({stream, length}, {kPages}, arrived);
    if (decoded.error != DecodeError::kNone || decoded.length != length) return;
    if (incoming_.awaited()) incoming_.complete({Incoming::Kind::kRecord, decoded.record});
  }

  PageSet log_;
  bool self_;
  bool stopped_ = false, fenced_ = false, runs_there_ = false;
  std::uint64_t writes_ = 0;
  std::uint32_t rounds_ = 0;
  Nanos now_{0};
  Message answer_;
  Completion<Incoming> incoming_;
};

int move_one(bool self) {
  Machines machines(self);
  Plan plan;
  plan.stop = {.budget = false, .rounds_max = 4};
  if (self) plan.switch_over = Switch::kSelfCheckpoint;
  Destination destination(self, machines, machines, destination_frames);
  const auto receiving = destination.run();
  Source source(plan, {machines, machines, machines, machines, machines, machines},
                {.frames = source_frames,
                 .picked = picked,
                 .batch = batch,
                 .pending = pending_space.make(),
                 .reported = reported_space.make(),
                 .aside = aside_space.make()});
  const auto sending = source.run();
  if (!sending.done() || sending.value() != Outcome::kCompleted) return 1;
  if (!receiving.done() || receiving.value() != Destination::Outcome::kRunning) return 2;
  if (!machines.fenced() || !machines.runs_there()) return 3;
  if (machines.rounds() < 5) return 4;
  for (std::size_t page = 0; page < kPages; ++page) {
    // What a guest that moves itself wrote after its snapshot does not count; the shadow has what does.
    const std::byte* expected = self && (page == 5 || page == 6) ? shadow : here;
    if (__builtin_memcmp(expected + page * kPageBytes, there + page * kPageBytes, kPageBytes) != 0) return 5;
  }
  return 0;
}

}  // namespace

int migrate() {
  if (const int trouble = move_one(false); trouble != 0) return trouble;
  const int trouble = move_one(true);
  return trouble == 0 ? 0 : 10 + trouble;
}
