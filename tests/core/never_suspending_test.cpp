#include <gtest/gtest.h>

#include <vector>

#include "core/source.h"

namespace godwit::core {
namespace {

/// A host on which nothing ever waits, as a real one whose calls block: all that the source does happens inside one call.
class Instant final : public DirtyLog, public Memory, public Link, public Guest, public Control, public Observer {
 public:
  explicit Instant(Pages size) : size_(size) {}
  std::uint64_t records() const { return records_; }
  std::uint64_t pages() const { return pages_; }

  Await<Done> start() override { return Done{}; }
  Await<Done> read(PageRange, PageSet&) override { return Done{}; }
  Await<Done> clear(PageRange, const PageSet&) override { return Done{}; }
  Await<Done> read_and_clear(PageRange, PageSet& into) override { return into.add(PageRun::solid(7, 2)), Done{}; }
  Await<Done> peek(std::span<const PageRun>, PageSet&) override { return Done{}; }
  Pages size() const override { return size_; }
  Bytes page_size() const override { return {4096}; }
  std::size_t classify(PageRun& head, std::span<PageRun> out) override { return out[0] = head, head = {}, 1; }
  Await<Done> copy_to_shadow(PageSet&) override { return Done{}; }
  Pages sender_pages() const override { return {2}; }
  Await<Sent> send(const Record& record, const SendLimit&) override {
    const BatchSize size = size_of(record.runs, record.charge);
    ++records_;
    pages_ += size.pages.value;
    if (record.type == RecordType::kEnd) hash_ = record.value;
    return Sent{.pages = size.pages, .bytes = size.bytes};
  }
  Await<Message> receive() override { return Message{Message::Kind::kReady, hash_}; }
  Await<Done> pause() override { return Done{}; }
  Await<Done> freeze() override { return Done{}; }
  Await<Done> resume() override { return Done{}; }
  void fence() override {}
  Bytes device_state() const override { return {0}; }
  Nanos now() const override { return Nanos{static_cast<std::int64_t>(records_)}; }
  Await<Done> sleep_until(Nanos) override { return Done{}; }
  Command poll() override { return Command::kNone; }
  void enter(Phase) override {}
  void round(const RoundStats&) override {}

 private:
  Pages size_;
  std::uint64_t records_ = 0, pages_ = 0, hash_ = 0;
};

struct Lent {
  explicit Lent(Pages size) : blocks(PageSet::blocks_for(size)), words(PageSet::words_for(size)) {}
  std::vector<PageBlock> blocks;
  std::vector<std::uint64_t> words;
};

// A send that is through at once must cost no stack, or a real host's would overflow: at -O0 and under a sanitizer compilers
// make no tail calls, and a coroutine that resumes another inside its own frame goes deeper with each.
void send_one_by_one(Switch switch_over) {
  constexpr Pages kPages{1'000'000};
  Instant host(kPages);
  Plan plan;
  plan.batch = {1};
  plan.stop = {.budget = false, .rounds_max = 1};
  plan.switch_over = switch_over;
  std::vector<std::byte> frames(8192);
  std::vector<PageRun> picked(64), batch(64);
  Lent pending(kPages), reported(kPages), aside(kPages);
  Source source(plan, {host, host, host, host, host, host},
                {.frames = frames,
                 .picked = picked,
                 .batch = batch,
                 .pending = PageSet(kPages, pending.blocks, pending.words),
                 .reported = PageSet(kPages, reported.blocks, reported.words),
                 .aside = PageSet(kPages, aside.blocks, aside.words)});
  const auto task = source.run();
  ASSERT_TRUE(task.done());
  EXPECT_EQ(task.value(), Outcome::kCompleted);
  EXPECT_GT(host.records(), kPages.value);
  EXPECT_GE(host.pages(), kPages.value + 2);
}

TEST(NeverSuspending, AMillionSendsOfAHypervisor) { send_one_by_one(Switch::kStopAndCopy); }
TEST(NeverSuspending, AMillionSendsOfAGuestThatMovesItself) { send_one_by_one(Switch::kSelfCheckpoint); }
TEST(NeverSuspending, AMillionSendsOfAPostCopy) { send_one_by_one(Switch::kPostCopy); }

}  // namespace
}  // namespace godwit::core
