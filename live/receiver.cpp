#include "live/receiver.h"

#include "live/admission.h"

namespace godwit::live {

Received receive(Stream& stream, Lodging& lodging, Bytes memory_max, bool self, Pages memory) {
  const Nanos cpu = now_on(CLOCK_THREAD_CPUTIME_ID);
  Arrival arrival(stream, lodging, memory_max);
  if (memory.value > 0 && !arrival.prepare(memory)) {
    Gate::answer(stream.fd(), Welcome::kNoRoom);
    return {.admitted = false};
  }
  Gate::answer(stream.fd(), Welcome::kComeIn);
  Observer observer;
  std::vector<std::byte> frames(4096);
  core::Destination destination(self, arrival, observer, frames);
  const auto task = destination.run();
  GODWIT_CHECK(task.done());
  return {.outcome = task.value(),
          .trouble = stream.trouble(),
          .bytes = arrival.received(),
          .cpu = now_on(CLOCK_THREAD_CPUTIME_ID) - cpu,
          .figures = observer.figures()};
}

std::string explain(core::Outcome outcome, Trouble trouble, std::uint64_t refusal) {
  switch (outcome) {
    case core::Outcome::kCompleted: return "completed: the guest runs at the destination";
    case core::Outcome::kCancelled: return "cancelled: the guest goes on here";
    case core::Outcome::kLinkBroken:
      return std::string("failed, link_broken: ") + describe(trouble) + "; the guest goes on here";
    case core::Outcome::kRefused:
      return refusal == static_cast<std::uint64_t>(core::Refusal::kNoMemory)
                 ? "failed, memory_refused: the destination has no room; the guest goes on here"
                 : "failed, corrupt_stream: the destination did not receive what was sent; the guest goes on here";
    case core::Outcome::kShadowFull:
      return "failed, shadow_full: what the sending dirties does not fit the shadow; the guest goes on here";
    case core::Outcome::kNoConvergence: return "failed, no_convergence: the guest goes on here";
    case core::Outcome::kInDoubt:
      return std::string("in_doubt: ") + describe(trouble) +
             " around COMMIT; the guest does not run here, and may run at the destination";
    case core::Outcome::kStranded: break;  // post-copy is not carried out here
  }
  return "unknown";
}

std::string explain(core::Destination::Outcome outcome, Trouble trouble) {
  switch (outcome) {
    case core::Destination::Outcome::kRunning: return "completed: the guest runs here";
    case core::Destination::Outcome::kDiscarded:
      return std::string("discarded") + (trouble == Trouble::kNone ? "" : std::string(": ") + describe(trouble));
    case core::Destination::Outcome::kInDoubt:
      return std::string("in_doubt: ") + describe(trouble) +
             " after READY; the guest is complete but does not run here, and may run at the source";
    case core::Destination::Outcome::kStranded: break;
  }
  return "unknown";
}

}  // namespace godwit::live
