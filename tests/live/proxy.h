#pragma once

#include <poll.h>
#include <sys/socket.h>

#include <atomic>
#include <optional>
#include <thread>

#include "live/stream.h"
#include "tests/live/migration.h"

namespace godwit::test {

/// What happens to a connection, and when: after so many bytes in one direction.
struct Fault {
  enum class Kind { kCut, kStall, kFlip } kind = Kind::kCut;
  bool to_source = false;    ///< In the direction of the answers.
  std::uint64_t at = 0;      ///< The byte that it happens to.
  bool after_ready = false;  ///< Counted from the destination's READY on.
};

/// Stands between source and destination, and passes on what each says until the fault.
class Proxy {
 public:
  Proxy(const live::Address& upstream, Fault fault) : address_(somewhere()), fault_(fault) {
    std::string error;
    listener_ = live::listen_at(address_, error);
    EXPECT_TRUE(listener_.valid()) << error;
    thread_ = std::thread([=, this] { work(upstream); });
  }
  ~Proxy() {
    over_ = true;
    thread_.join();
    ::unlink(address_.port.c_str());
  }

  const live::Address& address() const { return address_; }
  bool happened() const { return happened_; }

 private:
  static constexpr std::uint64_t kAnswerToReady = 1 + core::kHeaderBytes + core::kTailBytes;  // let in, READY

  void work(const live::Address& upstream) {
    std::string error;
    live::UniqueFd source = live::accept_from(listener_.get(), 60s);
    live::UniqueFd destination = live::connect_to(upstream, 60s, error);
    std::array<std::uint64_t, 2> passed{};  // to the destination, to the source
    std::uint64_t before_ready = 0;
    std::vector<std::byte> buffer(65536);
    while (!over_) {
      std::array<pollfd, 2> polled{pollfd{.fd = source.get(), .events = POLLIN},
                                   pollfd{.fd = destination.get(), .events = POLLIN}};
      if (::poll(polled.data(), polled.size(), 20) <= 0) continue;
      for (const bool to_source : {false, true}) {
        if (polled[to_source].revents == 0) continue;
        const int from = to_source ? destination.get() : source.get();
        const int to = to_source ? source.get() : destination.get();
        const ssize_t got = ::recv(from, buffer.data(), buffer.size(), MSG_DONTWAIT);
        if (got <= 0) return;
        auto bytes = std::span(buffer).first(static_cast<std::size_t>(got));
        if (to_source && passed[1] < kAnswerToReady && passed[1] + bytes.size() >= kAnswerToReady) {
          before_ready = passed[0];
        }
        const bool armed = fault_.to_source == to_source && !happened_ && (!fault_.after_ready || before_ready > 0);
        const std::uint64_t at = fault_.at + (fault_.after_ready && !to_source ? before_ready : 0);
        if (armed && passed[to_source] + bytes.size() > at && at >= passed[to_source]) {
          const std::size_t here = at - passed[to_source];
          happened_ = true;
          if (fault_.kind == Fault::Kind::kFlip) bytes[here] ^= std::byte{1} << (at % 8);
          if (fault_.kind == Fault::Kind::kCut) return pass(to, bytes.first(here));
          if (fault_.kind == Fault::Kind::kStall) {
            pass(to, bytes.first(here));
            while (!over_) live::sleep_until(live::monotonic_now() + 1ms);
            return;
          }
        }
        pass(to, bytes);
        passed[to_source] += bytes.size();
      }
    }
  }

  /// Returns also when the other end is gone, or does not read.
  void pass(int to, std::span<const std::byte> bytes) {
    while (!bytes.empty() && !over_) {
      const ssize_t sent = ::send(to, bytes.data(), bytes.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
      if (sent < 0 && errno != EAGAIN) return;
      if (sent > 0) bytes = bytes.subspan(static_cast<std::size_t>(sent));
      if (sent < 0) live::sleep_until(live::monotonic_now() + 100us);
    }
  }

  live::Address address_;
  Fault fault_;
  live::UniqueFd listener_;
  std::atomic<bool> over_ = false;
  std::atomic<bool> happened_ = false;
  std::thread thread_;
};

}  // namespace godwit::test
