// The ports over the simulated world keep what the core relies on.
#include <utility>

#include "sim/arrival_port.h"
#include "sim/channel.h"
#include "sim/guest_port.h"
#include "sim/log_port.h"
#include "sim/memory_port.h"
#include "tests/support/port_conformance.h"
#include "tests/support/scenario.h"

namespace godwit::test {
namespace {

/// A guest with real bytes, and a destination that takes whatever comes. Virtual time passes where a port takes time.
class SimPorts {
 public:
  static std::optional<std::string> unsupported() { return std::nullopt; }

  explicit SimPorts(std::uint64_t pages)
      : run_(options(pages)), world_(run_, arena_), c_(with_memory(), run_.migrations[0]) {
    c_.progressed = [] {};
    c_.destination_over = [] { return false; };
    c_.arrived.emplace(c_.memory().size(), c_.memory().page_size());
    c_.memory().start(Nanos{0});
    channel_.open();
  }
  ~SimPorts() { channel_.close(); }

  core::DirtyLog& log() { return log_; }
  core::Memory& memory() { return memory_; }
  core::Link& link() { return channel_; }
  core::Guest& guest() { return guest_; }
  core::Control& control() { return control_; }
  void write(PageIndex page) { c_.memory().dirty({page, 1}); }

  /// Writes are drawn when somebody looks: what they changed is counted in the bytes.
  std::uint64_t work(Nanos time) {
    c_.advance_all();
    const sim::PageBytes before = *c_.memory().bytes();
    finish(control_.sleep_until(c_.now() + time));
    c_.advance_all();
    std::uint64_t changed = 0;
    for (PageIndex page = 0; page < c_.memory().size().value; ++page) {
      changed += !std::ranges::equal(before.page(page), c_.memory().bytes()->page(page));
    }
    return changed;
  }

  bool arrived(PageIndex page) {
    take_in();
    return std::ranges::equal(std::as_const(*c_.arrived).page(page), c_.memory().bytes()->page(page));
  }

  template <class T>
  T finish(core::Await<T> await) {
    if (!await.await_ready()) {
      await.await_suspend(std::noop_coroutine());
      world_.engine.run_until(c_.now() + Nanos{1'000'000'000});
    }
    return await.await_resume();
  }

 private:
  class Control final : public core::Control {
   public:
    explicit Control(sim::MigrationContext& context) : c_(context) {}
    Nanos now() const override { return c_.now(); }
    core::Await<core::Done> sleep_until(Nanos instant) override { return c_.sleep_until(instant); }
    core::Command poll() override { return core::Command::kNone; }

   private:
    sim::MigrationContext& c_;
  };

  /// All pages are zero; the guest's own writes go to pages that no test looks at one by one.
  static sim::RunOptions options(std::uint64_t pages) {
    sim::RunOptions run = plain_run();
    sim::GuestOptions& guest = run.guests[0];
    guest.memory = guest.page_size * pages;
    guest.contents = sim::Contents::kBytes;
    guest.pages = {{.kind = sim::PageKind::kZero, .share = kWhole}};
    guest.workload = {.kind = workloads::Kind::kUniform,
                      .write_rate = 5000,
                      .memory = guest.page_size * 64,
                      .at = guest.page_size * 400};
    return run;
  }

  sim::World& with_memory() {
    world_.guests[0].memory = std::make_unique<sim::GuestMemory>(run_.guests[0], run_.seed, 0);
    return world_;
  }

  /// The destination puts what has come in place.
  void take_in() {
    for (auto in = channel_.next(); in.await_ready(); in = channel_.next()) {
      const core::Arrival::Incoming came = in.await_resume();
      ASSERT_EQ(came.kind, core::Arrival::Incoming::Kind::kRecord);
      arrival_.apply(came.record);
    }
  }

  sim::RunOptions run_;
  sim::Arena arena_;
  sim::World world_;
  sim::MigrationContext c_;
  sim::Channel channel_{c_};
  sim::LogPort log_{c_};
  sim::MemoryPort memory_{c_};
  sim::GuestPort guest_{c_};
  sim::Faults faults_{c_, channel_};
  sim::ArrivalPort arrival_{c_, channel_, faults_};
  Control control_{c_};
};

INSTANTIATE_TYPED_TEST_SUITE_P(Simulated, PortConformance, SimPorts);

}  // namespace
}  // namespace godwit::test
