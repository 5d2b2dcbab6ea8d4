#include "live/client.h"

#include <optional>

#include "live/clock.h"

namespace godwit::live {
namespace {

constexpr Nanos kAnswerPatience{2'000'000'000};     // for an answer: then the connection is given up
constexpr Nanos kPatienceForGuest{30'000'000'000};  // wherever it is
constexpr Nanos kBetweenTries{200'000};

class Client {
 public:
  Client(const std::vector<Address>& addresses, ClientFigures& figures) : addresses_(addresses), figures_(figures) {}

  /// Asks until there is an answer, but no longer than `patience`.
  std::optional<Answer> ask(const Ask& asked, Nanos patience) {
    const Nanos until = monotonic_now() + patience;
    while (monotonic_now() < until) {
      if (!stream_ && !connect()) {
        sleep_until(monotonic_now() + kBetweenTries);
        continue;
      }
      Answer answer;
      const bool well = stream_->write(std::as_bytes(std::span(&asked, 1))) &&
                        stream_->read(std::as_writable_bytes(std::span(&answer, 1)));
      if (well && answer.kind == asked.kind && answer.key == asked.key) return answer;
      stream_.reset();
    }
    return std::nullopt;
  }

 private:
  bool connect() {
    std::string error;
    UniqueFd socket = connect_to(addresses_[next_++ % addresses_.size()], Nanos{0}, error);
    if (!socket.valid()) return false;
    stream_.emplace(std::move(socket), kAnswerPatience);
    ++figures_.reconnects;
    return true;
  }

  const std::vector<Address>& addresses_;
  ClientFigures& figures_;
  std::size_t next_ = 0;
  std::optional<Stream> stream_;
};

}  // namespace

void run_client(const std::vector<Address>& addresses, Nanos interval, ClientFigures& figures) {
  Client client(addresses, figures);
  std::uint64_t version = 0;
  for (std::uint64_t n = 0; !figures.stop; ++n) {
    const auto key = static_cast<std::uint32_t>(n / 2 % kClientSlots);
    const bool writes = n % 2 == 0;
    const Ask asked{.kind = writes ? Ask::kSet : Ask::kGet, .key = key, .version = writes ? ++version : 0};
    const Nanos begun = monotonic_now();
    const auto answer = client.ask(asked, kPatienceForGuest);
    if (!answer) break;
    figures.longest_gap = std::max(figures.longest_gap, monotonic_now() - begun);
    figures.moves = answer->moves;
    if (writes) figures.acknowledged[key] = asked.version;
    if (answer->version != figures.acknowledged[key]) ++figures.lost;
    ++figures.answers;
    sleep_until(begun + interval);
  }
  figures.reached = true;
  for (std::uint32_t key = 0; key < kClientSlots; ++key) {
    if (figures.acknowledged[key] == 0) continue;
    ++figures.keys;
    if (!figures.reached) continue;
    const auto answer = client.ask({.kind = Ask::kGet, .key = key}, kPatienceForGuest);
    figures.reached = answer.has_value();
    if (!answer) continue;
    figures.moves = answer->moves;
    // A write of which no acknowledgement came may be there all the same.
    if (answer->version < figures.acknowledged[key] || answer->version > version) ++figures.lost;
  }
  figures.over = true;
}

}  // namespace godwit::live
