#pragma once

#include <deque>
#include <memory>
#include <optional>
#include <variant>
#include <vector>

#include "core/batch.h"
#include "core/ports.h"
#include "sim/context.h"
#include "sim/file_end.h"
#include "sim/real_wire.h"

namespace godwit::sim {

class Faults;

/// The connection between source and destination: both its ends, over the links of the route. Page records are flows on
/// the network; control messages arrive one latency after they were sent. A route on which nothing gets through stalls the
/// connection, and it breaks when that has lasted too long.
class Channel final : public core::Link, Flows::User {
 public:
  explicit Channel(MigrationContext& context) : c_(context) {}
  Channel(const Channel&) = delete;
  Channel& operator=(const Channel&) = delete;

  /// Opens the connection from where the guest is. Throws std::runtime_error where there is no way.
  void open();
  Bytes in_flight_max() const { return carried(bottleneck_, latency_ * 2); }

  // The source's end.
  core::Await<core::Sent> send(const core::Record& record, const core::SendLimit& limit) override;
  core::Await<core::Message> receive() override;
  PageIndex next_request() override;
  core::Await<bool> reconnect(PageSet& lacking) override;
  /// Why the destination refused, after it did.
  core::Refusal refusal() const { return static_cast<core::Refusal>(refusal_); }

  // The destination's end.
  core::Await<core::Arrival::Incoming> next();
  void reply(const core::Record& record);
  /// The destination's guest waits for `page`.
  void request(PageIndex page) { post(page); }
  core::Await<bool> reconnect_destination();
  /// Nobody listens there any more.
  void hang_up();

  // What befalls it.
  /// Cuts a send that is under way short, so that the core looks for commands.
  void interrupt() { interrupt(core::SendStop::kLimit); }
  void corrupt_next() { corrupt_next_ = true; }
  /// Somebody connects the two ends again; nothing where the way is not free.
  void recover(Faults& faults);
  /// It broke after COMMIT, and both ends wait for somebody to connect them again.
  bool waits_for_recovery() const { return source_again_.awaited(); }
  void links_changed();
  void destination_died();
  /// Nobody is left at either end.
  void abandon();
  /// It is over, and its flow is given back.
  void close();

  /// Where a checkpoint goes to a file, that.
  std::optional<FileEnd>& file() { return file_; }
  /// Bytes that entered and left, so far.
  const ByteLedger& ledger() const { return ledger_; }

 private:
  struct Cpu {
    Nanos copy{0}, protocol{0}, apply{0};
  };
  using Letter = std::variant<core::Record, core::Message, PageIndex>;
  struct Post {
    std::uint64_t number;
    Letter what;
  };

  void through() override;
  void send_control(const core::Record& record);
  Cpu cpu_of(const core::Record& record, const core::BatchSize& size) const;
  BitsPerSecond own_cap_of(Bytes bytes, BitsPerSecond limit) const;
  BitsPerSecond cap_of(Bytes bytes) const;
  Bytes taken_over(core::SendStop why) const;
  std::uint64_t threads() const {
    return c_.fenced ? 1 : std::max<std::uint64_t>(1, c_.options.strategy.plan.channels);
  }
  void cut_at(const core::SendLimit& limit);
  void cut_to(Pages pages, core::SendStop why);
  void interrupt(core::SendStop why);
  void through_the_wire();
  void give_up_sending(core::SendStop why);
  void hand_to_destination(const core::Record& record);
  void fly(const core::Arrival::Incoming& what);
  void post(const Letter& what);
  void schedule_post(std::uint64_t number);
  void deliver(const Letter& what);
  void stall();
  void break_connection();

  MigrationContext& c_;
  std::vector<std::uint32_t> route_;
  Nanos latency_{0};
  BitsPerSecond bottleneck_{0};
  ByteLedger ledger_;
  RealWire wire_{c_};
  std::optional<FileEnd> file_;  // in the destination's place

  core::Completion<core::Sent> sent_;
  core::Completion<core::Message> message_;
  core::Completion<core::Arrival::Incoming> incoming_;
  core::Completion<bool> source_again_, destination_again_;
  PageSet* lacking_ = nullptr;

  // The record on its way.
  bool sending_ = false;
  core::Record record_;
  std::vector<PageRun> runs_;  // of a record that was cut
  core::BatchSize size_;
  core::Sent outcome_;
  Cpu cpu_;
  BitsPerSecond own_cap_{0};  // what the source itself lets it have; 0: no bound

  // Control messages on their way, in order.
  std::deque<Post> posts_;
  std::uint64_t next_post_ = 0;
  std::uint64_t post_plan_ = 0;  // of the deliveries that count
  std::optional<core::Message> mailbox_;
  std::deque<PageIndex> requests_;  // that have arrived
  struct Held {
    core::Arrival::Incoming what;
    std::vector<PageRun> runs;
    std::vector<std::byte> payload;
  };
  std::unique_ptr<Held> held(const core::Arrival::Incoming& what);
  core::Arrival::Incoming look_at(std::unique_ptr<Held> held);
  std::deque<std::unique_ptr<Held>> flying_;  // records that have left
  std::uint64_t flight_plan_ = 0;             // of the arrivals that count
  std::deque<std::unique_ptr<Held>> inbox_;   // records that came while the destination did something else
  std::unique_ptr<Held> taken_;               // and is looked at
  std::vector<std::unique_ptr<Held>> spare_;  // to be used again, with what they have allocated
  std::uint64_t refusal_ = 0;

  bool stalled_ = false, broken_ = false, corrupt_next_ = false;
  std::uint64_t stall_number_ = 0;  // of the stall whose end counts
};

}  // namespace godwit::sim
