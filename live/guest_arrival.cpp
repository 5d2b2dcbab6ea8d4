#include "live/departure.h"
#include "live/page_hash.h"

namespace godwit::live {
namespace {

/// Puts a guest where all guests live, and starts it.
class GuestLodging final : public Lodging {
 public:
  GuestLodging(GuestHost& host, const ArrivalOptions& options, GuestArrival& result, PageHashes* hashes)
      : host_(host), options_(options), result_(result), hashes_(hashes) {}

  std::byte* reserve(Pages size) override {
    if (size.value > kHashedPagesMax || !host_.reserve(size.value)) return nullptr;
    return guest_page(0);
  }
  void arrived() override {
    if (!options_.verify || hashes_ == nullptr) return;
    const Nanos began = monotonic_now();
    page_hashes(host_.memory(), *hashes_);
    result_.hashing = monotonic_now() - began;
  }
  bool run() override {
    if (!host_.plausible()) return false;
    Address service = options_.service;
    std::string error;
    result_.runs_at = host_.start(listen_at(service, error));
    return true;
  }
  void discard() override { host_.release(); }

 private:
  GuestHost& host_;
  const ArrivalOptions& options_;
  GuestArrival& result_;
  PageHashes* hashes_;
};

}  // namespace

void receive_guest(GuestHost& host, int listener, const ArrivalOptions& options, GuestArrival& result,
                   PageHashes* hashes) {
  Gate gate(listener, {.token = options.token, .program = program_fingerprint()});
  Gate::Admitted sender = gate.admit(options.patience);
  if (sender.socket.valid()) {
    Stream stream(std::move(sender.socket), options.stall_max);
    GuestLodging lodging(host, options, result, hashes);
    result.received = receive(stream, lodging, options.memory_max, options.self, sender.memory);
    result.admitted = result.received.admitted;
  }
  result.over = true;
}

}  // namespace godwit::live
