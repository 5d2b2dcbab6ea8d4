// The ports over real memory and real sockets keep what the core relies on.
#include <sys/socket.h>

#include "live/arrival.h"
#include "tests/live/migration.h"
#include "tests/support/port_conformance.h"

namespace godwit::test {
namespace {

/// Memory of this process, threads that write it, a socket, and a thread at its other end that receives.
template <live::Tracking kTracking>
class LivePorts {
 public:
  static std::optional<std::string> unsupported() {
    std::string why;
    if (kTracking == live::Tracking::kAsynchronous && live::best_tracking(why) != kTracking) return why;
    return std::nullopt;
  }

  explicit LivePorts(std::uint64_t pages)
      : here_(pages),
        ends_(connected()),
        there_(pages),
        arrival_(ends_[1], there_, {pages * kPageBytes}),
        pages_(here_.span()),
        memory_(pages_, pages),
        storage_(live::SenderSpace::size_for({pages})),
        space_(storage_, {pages}),
        link_(ends_[0], pages_, pages_, space_.link()),
        guest_(freezer_),
        log_(std::move(std::get<0>(live::make_dirty_log(kTracking, here_.span())))) {
    receiver_ = std::thread([this] { receive(); });
    worker_ = std::thread([this] { work(); });
    const core::Record hello{.type = core::RecordType::kHello, .value = pages};
    link_.send(hello, {}).await_resume();
  }
  ~LivePorts() {
    over_ = true;
    worker_.join();
    ends_[0].release();
    receiver_.join();
    log_->stop();
  }

  core::DirtyLog& log() { return *log_; }
  core::Memory& memory() { return memory_; }
  core::Link& link() { return link_; }
  core::Guest& guest() { return guest_; }
  core::Control& control() { return control_; }
  void write(PageIndex page) { here_.write(page, ++value_ | 1); }

  std::uint64_t work(Nanos time) {
    const std::uint64_t before = writes_;
    works_ = true;
    const Nanos until = live::monotonic_now() + time;
    // It may get little of the processors: what is looked for is whether it can write at all.
    const Nanos patience = guest_.stands() ? Nanos{0} : Nanos{60s};
    while (live::monotonic_now() < until || (writes_ == before && live::monotonic_now() < until + patience)) {
      live::sleep_until(live::monotonic_now() + 1ms);
    }
    works_ = false;
    return writes_ - before;
  }

  bool arrived(PageIndex page) {
    const Nanos until = live::monotonic_now() + 60s;
    while (received_ < link_.sent() && live::monotonic_now() < until) live::sleep_until(live::monotonic_now() + 100us);
    return std::equal(here_.page(page), here_.page(page) + kPageBytes, there_.page(page));
  }

  template <class T>
  T finish(core::Await<T> await) {
    EXPECT_TRUE(await.await_ready());  // on a real host calls block
    return await.await_resume();
  }

 private:
  class Threads final : public core::Guest {
   public:
    explicit Threads(live::Freezer& freezer) : threads_(freezer) {}
    core::Await<core::Done> pause() override { return stands_ = true, threads_.pause(); }
    core::Await<core::Done> freeze() override { return stands_ = true, threads_.freeze(); }
    core::Await<core::Done> resume() override { return stands_ = false, threads_.resume(); }
    void fence() override { threads_.fence(); }
    Bytes device_state() const override { return threads_.device_state(); }
    bool stands() const { return stands_; }

   private:
    live::Threads threads_;
    bool stands_ = false;
  };

  class Room final : public live::Lodging {
   public:
    explicit Room(std::uint64_t pages) : region_(pages) {}
    std::byte* reserve(::godwit::Pages) override { return region_.page(0); }
    void arrived() override {}
    bool run() override { return true; }
    void discard() override {}
    std::byte* page(PageIndex page) { return region_.page(page); }

   private:
    Region region_;
  };

  static std::array<live::Stream, 2> connected() {
    std::array<int, 2> ends{};
    if (::socketpair(AF_UNIX, SOCK_STREAM, 0, ends.data()) != 0) throw std::bad_alloc();
    return {live::Stream{live::UniqueFd(ends[0]), 60s}, live::Stream{live::UniqueFd(ends[1]), 60s}};
  }

  void receive() {
    while (true) {
      const auto in = arrival_.next().await_resume();
      if (in.kind == core::Arrival::Incoming::Kind::kBroken) return;
      if (in.kind != core::Arrival::Incoming::Kind::kRecord) continue;
      if (in.record.type == core::RecordType::kHello) arrival_.reserve({in.record.value});
      if (in.record.type == core::RecordType::kPages) arrival_.apply(in.record);
      received_ = arrival_.received();
    }
  }

  void work() {
    freezer_.join();
    while (!over_) {
      if (works_) {
        here_.write(writes_ % here_.pages(), 9);
        ++writes_;
      }
      live::sleep_until(live::monotonic_now() + 200us);
    }
    freezer_.leave();
  }

  Region here_;
  live::Freezer freezer_;
  std::array<live::Stream, 2> ends_;
  Room there_;
  live::Arrival arrival_;
  live::OwnPages pages_;
  live::Memory memory_;
  std::vector<std::byte> storage_;
  live::SenderSpace space_;
  live::Link link_;
  Threads guest_;
  live::Control control_;
  std::unique_ptr<live::DirtyLog> log_;
  std::thread receiver_, worker_;
  std::atomic<bool> over_ = false, works_ = false;
  std::atomic<std::uint64_t> writes_ = 0;
  std::atomic<Bytes> received_{};
  std::uint8_t value_ = 0;
};

using Implementations =
    testing::Types<LivePorts<live::Tracking::kAsynchronous>, LivePorts<live::Tracking::kProtection>>;

struct Names {
  template <class Ports>
  static std::string GetName(int index) {
    return index == 0 ? "Asynchronous" : "Protection";
  }
};

INSTANTIATE_TYPED_TEST_SUITE_P(Live, PortConformance, Implementations, Names);

}  // namespace
}  // namespace godwit::test
