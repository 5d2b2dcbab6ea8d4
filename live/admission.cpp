#include "live/admission.h"

#include <poll.h>
#include <sys/random.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "live/clock.h"

namespace godwit::live {
namespace {

constexpr std::string_view kMagic = "GODWITIN";
constexpr std::uint32_t kVersion = 1;
constexpr Nanos kPeerPatience{2'000'000'000};

void put(std::byte* at, std::uint64_t value, std::size_t bytes) {
  for (std::size_t i = 0; i < bytes; ++i) at[i] = static_cast<std::byte>(value >> (8 * i));
}

std::uint64_t get(const std::byte* at, std::size_t bytes) {
  std::uint64_t value = 0;
  for (std::size_t i = 0; i < bytes; ++i) value |= static_cast<std::uint64_t>(at[i]) << (8 * i);
  return value;
}

}  // namespace

Token Token::random() {
  Token token;
  GODWIT_CHECK(::getrandom(token.bytes_.data(), kBytes, 0) == static_cast<ssize_t>(kBytes));
  return token;
}

std::optional<Token> Token::parse(std::string_view text) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  if (text.size() != 2 * kBytes) return std::nullopt;
  Token token;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char lower = text[i] >= 'A' && text[i] <= 'F' ? static_cast<char>(text[i] - 'A' + 'a') : text[i];
    const auto digit = kDigits.find(lower);
    if (digit == std::string_view::npos) return std::nullopt;
    token.bytes_[i / 2] = token.bytes_[i / 2] << 4 | static_cast<std::byte>(digit);
  }
  return token;
}

std::string Token::text() const {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string text;
  for (const std::byte b : bytes_) {
    text += kDigits[static_cast<std::size_t>(b >> 4)];
    text += kDigits[static_cast<std::size_t>(b & std::byte{15})];
  }
  return text;
}

bool operator==(const Token& a, const Token& b) {
  std::byte difference{0};
  for (std::size_t i = 0; i < Token::kBytes; ++i) {
    difference |= a.bytes_[i] ^ b.bytes_[i];
    asm volatile("" : "+r"(difference));  // no leaving early, whatever the compiler knows
  }
  return difference == std::byte{0};
}

std::array<std::byte, Request::kBytes> Request::encode() const {
  std::array<std::byte, kBytes> bytes{};
  std::memcpy(bytes.data(), kMagic.data(), kMagic.size());
  put(&bytes[8], kVersion, 4);
  std::memcpy(&bytes[16], token.bytes_.data(), Token::kBytes);
  put(&bytes[48], program, 8);
  put(&bytes[56], memory.value, 8);
  return bytes;
}

std::optional<Request> Request::decode(const std::array<std::byte, kBytes>& bytes) {
  if (std::memcmp(bytes.data(), kMagic.data(), kMagic.size()) != 0 || get(&bytes[8], 4) != kVersion)
    return std::nullopt;
  Request request;
  std::memcpy(request.token.bytes_.data(), &bytes[16], Token::kBytes);
  request.program = get(&bytes[48], 8);
  request.memory = {get(&bytes[56], 8)};
  return request;
}

std::optional<std::string> ask_in(Stream& stream, const Request& request) {
  const auto bytes = request.encode();
  std::array<std::byte, 1> answer{};
  if (!stream.write(std::span<const std::byte>(bytes)) || !stream.read(std::span<std::byte>(answer))) {
    return std::string("not let in: ") + describe(stream.trouble());
  }
  switch (static_cast<Welcome>(answer[0])) {
    case Welcome::kComeIn: return std::nullopt;
    case Welcome::kOtherProgram: return "not let in: the destination runs another build of this program";
    case Welcome::kNoRoom: return "not let in, memory_refused: the destination has no room";
  }
  return "not let in: the destination answers in a way not understood";
}

void Gate::answer(int socket, Welcome welcome) {
  const auto byte = static_cast<std::byte>(welcome);
  ::send(socket, &byte, 1, MSG_NOSIGNAL);  // if it is gone already, the stream will say so
}

void Gate::accept_one() {
  UniqueFd socket(::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK));
  if (!socket.valid()) return;
  // Where all places are taken, the one that has been there longest goes.
  auto place = std::ranges::find_if(candidates_, [](const Candidate& c) { return !c.socket.valid(); });
  if (place == candidates_.end()) {
    place = std::ranges::min_element(candidates_, {}, &Candidate::until);
    ++turned_away_;
  }
  *place = {.socket = std::move(socket), .until = monotonic_now() + kPeerPatience};
}

Gate::Verdict Gate::hear(Candidate& candidate) const {
  const ssize_t got = ::recv(candidate.socket.get(), candidate.bytes.data() + candidate.got,
                             candidate.bytes.size() - candidate.got, MSG_DONTWAIT);
  if (got < 0 && (errno == EAGAIN || errno == EINTR)) return Verdict::kWait;
  if (got <= 0) return Verdict::kAway;
  candidate.got += static_cast<std::size_t>(got);
  if (candidate.got < candidate.bytes.size()) return Verdict::kWait;
  const auto request = Request::decode(candidate.bytes);
  if (!request || !(request->token == expected_.token)) return Verdict::kAway;
  candidate.memory = request->memory;
  if (request->program == expected_.program) return Verdict::kIn;
  answer(candidate.socket.get(), Welcome::kOtherProgram);
  return Verdict::kAway;
}

Gate::Admitted Gate::admit(Nanos patience) {
  const Nanos until = monotonic_now() + patience;
  Admitted admitted;
  const auto somebody_speaks = [&] {
    return std::ranges::any_of(candidates_, [](const Candidate& c) { return c.socket.valid(); });
  };
  // Who came in time is heard to the end.
  while (!admitted.socket.valid() && (monotonic_now() < until || somebody_speaks())) {
    std::array<pollfd, kCandidates + 1> polled{};
    for (std::size_t i = 0; i < kCandidates; ++i) polled[i] = {.fd = candidates_[i].socket.get(), .events = POLLIN};
    polled[kCandidates] = {.fd = listener_, .events = POLLIN};
    constexpr int kTick = 100;  // milliseconds between two looks at who has been silent for too long
    if (::poll(polled.data(), polled.size(), kTick) < 0 && errno != EINTR) break;
    for (std::size_t i = 0; i < kCandidates && !admitted.socket.valid(); ++i) {
      Candidate& candidate = candidates_[i];
      if (!candidate.socket.valid()) continue;
      const Verdict verdict = polled[i].revents != 0 ? hear(candidate) : Verdict::kWait;
      if (verdict == Verdict::kIn) admitted = {std::move(candidate.socket), candidate.memory};
      if (verdict == Verdict::kAway || (verdict == Verdict::kWait && monotonic_now() >= candidate.until)) {
        ++turned_away_;
        candidate.socket = {};
      }
    }
    if (polled[kCandidates].revents != 0 && monotonic_now() < until) accept_one();
  }
  for (Candidate& candidate : candidates_) candidate.socket = {};
  return admitted;
}

}  // namespace godwit::live
