#pragma once

#include <array>
#include <atomic>
#include <vector>

#include "live/guest.h"
#include "live/stream.h"

namespace godwit::live {

/// What a client of a guest has seen.
struct ClientFigures {
  std::atomic<bool> stop = false;  ///< Set by who wants it to come to its end.
  std::atomic<bool> over = false;
  std::atomic<std::uint64_t> answers = 0;
  std::uint64_t reconnects = 0;
  Nanos longest_gap{0};                  ///< Between two answers, where a request was waiting all the time.
  std::uint64_t lost = 0;                ///< Keys whose last acknowledged write was not there at the end, or not whole.
  std::uint64_t keys = 0;                ///< Keys with acknowledged writes.
  bool reached = false;                  ///< The guest answered at the end.
  std::atomic<std::uint64_t> moves = 0;  ///< As the last answer had it.
  std::array<std::uint64_t, kClientSlots> acknowledged{};
};

/// Writes a key of the guest that answers at one of `addresses`, reads it back, and goes on with the next, one request at
/// a time and about every `interval`; connects again, at one address after the other, where a connection ends. At the end
/// reads every key that it has written.
void run_client(const std::vector<Address>& addresses, Nanos interval, ClientFigures& figures);

}  // namespace godwit::live
