#pragma once

#include <string>
#include <vector>

#include "live/client.h"
#include "live/departure.h"

namespace godwit::live {

/// Who moves the guest.
enum class Way : std::uint8_t { kByItself, kManaged };

struct TrialOptions {
  Way way = Way::kByItself;
  GuestOptions guest;
  core::Plan plan;  ///< How it switches over follows from `way`.
  Nanos warm_up{20'000'000};
  Nanos client_interval{500'000};
  Nanos stall_max{10'000'000'000};
  Nanos patience{60'000'000'000};  ///< For each step, after which the trial is given up.
  bool tcp = true;                 ///< Over loopback TCP, else over a unix socket.
  bool verify = true;
  bool without_shadow = false;
};

/// What all who take part in a trial have to tell.
struct TrialFigures {
  Departure departure;
  GuestArrival arrival;
  ClientFigures client;
  PageHashes here, there;
  std::atomic<bool> ready = false;  ///< The guest answers.
  std::atomic<bool> go = false;     ///< It is to move.
  std::atomic<bool> end = false;    ///< It is to come to its end, wherever it is.
  std::uint64_t unsound = 0;        ///< Slots that were not as a whole write leaves them, at the end.
  std::uint64_t writes_before = 0;  ///< By its writers, until it had left.
  std::uint64_t writes_after = 0;   ///< And until its end.
  std::uint64_t late = 0;           ///< Writes that the writers dropped because they came too late.
};

/// One guest, its source, its destination and its client, each a process of its own on this host; and one move.
class Trial {
 public:
  explicit Trial(const TrialOptions& options);
  ~Trial();
  Trial(const Trial&) = delete;
  Trial& operator=(const Trial&) = delete;

  /// Lets it happen, from the guest's first steps to its end. False: somebody took too long.
  bool happen();
  const TrialFigures& figures() const { return *figures_; }

  /// Pages whose hash at the destination is not the one at the source. After a move that was verified.
  std::uint64_t pages_that_differ() const;
  /// From the stop of the guest at the source to its first instruction at the destination, without the hashing.
  Nanos downtime() const;
  /// From the request to the guest's first instruction at the destination.
  Nanos total_time() const;

 private:
  void run_source();
  void run_destination(const UniqueFd& listener);
  void end_guest(GuestHost& host);
  bool wait_for(const std::atomic<bool>& flag) const;
  bool wait_for_answers(std::uint64_t count) const;
  void join();

  TrialOptions options_;
  Shared<TrialFigures> figures_;
  Token token_ = Token::random();
  std::string folder_;
  Address at_source_, at_destination_, door_;
  DepartureOptions departure_;
  std::vector<pid_t> children_;
};

}  // namespace godwit::live
