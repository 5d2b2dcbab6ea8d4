#include "core/destination.h"

namespace godwit::core {

Task<Destination::Outcome> Destination::run() {
  bool ready = false;
  while (true) {
    const Arrival::Incoming in = co_await arrival_.next();
    if (in.kind == Arrival::Incoming::Kind::kBroken) {
      // After READY the source may have fenced itself and said COMMIT: dropping the guest here could lose it.
      if (ready) co_return Outcome::kInDoubt;
      arrival_.discard();
      co_return Outcome::kDiscarded;
    }
    if (in.kind == Arrival::Incoming::Kind::kCorrupt) {
      if (ready) co_return Outcome::kInDoubt;  // it may have been COMMIT
      refuse(Refusal::kWrongStream);
      continue;
    }
    const Record& record = in.record;
    if (record.type == RecordType::kAbort) {
      arrival_.discard();
      co_return Outcome::kDiscarded;
    }
    if (refused_) continue;
    bool sound = record.sequence == next_sequence_++;
    if (record.type == RecordType::kEnd) {
      sound = sound && co_await conclude(record.value);
      ready = sound;
    } else if (record.type == RecordType::kCommit && ready && sound) {
      observer_.enter(Phase::kResume);
      co_await arrival_.run();
      observer_.enter(Phase::kRunning);
      if (!missing_) co_return Outcome::kRunning;
      co_return co_await fill_in();
    } else if (sound) {
      hash_.add(record, record.payload_crc);
      switch (record.type) {
        case RecordType::kHello:
          if (!arrival_.reserve({record.value})) refuse(Refusal::kNoMemory);
          break;
        case RecordType::kMissing:
          missing_ = true;
          arrival_.miss(record);
          break;
        case RecordType::kPages:
        case RecordType::kShadowPages: arrival_.apply(record); break;
        case RecordType::kDeviceState: device_state_ = {record.value}; break;
        default: sound = false; break;
      }
    }
    if (!sound) refuse(Refusal::kWrongStream);
  }
}

/// The guest runs. Takes the pages that it had to leave behind, until the source says that those were all.
Task<Destination::Outcome> Destination::fill_in() {
  bool anew = false;  // after a break: numbers and hash begin with the next record
  while (true) {
    const Arrival::Incoming in = co_await arrival_.next();
    const Record& record = in.record;
    const bool whole = in.kind == Arrival::Incoming::Kind::kRecord;
    if (whole && (anew || record.sequence == next_sequence_)) {
      anew = false;
      next_sequence_ = record.sequence + 1;
      if (record.type == RecordType::kAllSent && record.value == hash_.value()) {
        const Record all_here{.type = RecordType::kReady, .value = hash_.value()};
        arrival_.reply(all_here);
        co_return Outcome::kRunning;
      }
      if (record.type == RecordType::kPages) {
        hash_.add(record, record.payload_crc);
        arrival_.apply(record);
        continue;
      }
    }
    anew = co_await arrival_.reconnect();
    if (!anew) co_return Outcome::kStranded;
    hash_ = {};
  }
}

/// Says so once; then whatever comes is read past until the source gives up.
void Destination::refuse(Refusal why) {
  if (!refused_) arrival_.reply({.type = RecordType::kRefused, .value = static_cast<std::uint64_t>(why)});
  refused_ = true;
}

/// Everything has been said to be here: checks it, loads it, and says READY.
Task<bool> Destination::conclude(std::uint64_t hash) {
  if (hash != hash_.value()) co_return false;
  observer_.enter(Phase::kDeviceState);
  co_await arrival_.load_device_state(device_state_);
  if (self_) {
    observer_.enter(Phase::kInflate);
    co_await arrival_.inflate();
  }
  observer_.enter(Phase::kCommit);
  const Record ready{.type = RecordType::kReady, .value = hash_.value()};
  arrival_.reply(ready);
  co_return true;
}

}  // namespace godwit::core
