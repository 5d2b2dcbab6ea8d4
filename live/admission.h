#pragma once

#include <array>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "live/stream.h"

namespace godwit::live {

/// What lets a sender in: a secret that the destination has given to whoever may move a guest to it, once. It says who
/// may send; it does not hide what is sent, nor itself from who can listen to the network.
class Token {
 public:
  static constexpr std::size_t kBytes = 32;

  static Token random();
  /// 64 hexadecimal digits.
  static std::optional<Token> parse(std::string_view text);
  std::string text() const;
  const std::array<std::byte, kBytes>& bytes() const { return bytes_; }

  /// Takes the same time whatever they are.
  friend bool operator==(const Token& a, const Token& b);

 private:
  friend class Gate;
  friend struct Request;
  std::array<std::byte, kBytes> bytes_{};
};

/// What a sender shows before its stream begins.
struct Request {
  static constexpr std::size_t kBytes = 64;  ///< magic 8, version 4, pad 4, token 32, program 8, memory 8

  Token token;
  std::uint64_t program = 0;  ///< What code goes on at the destination; 0: none, it is only memory.
  Pages memory{0};            ///< To be set aside before anything is sent; 0: when the stream says how much.

  std::array<std::byte, kBytes> encode() const;
  static std::optional<Request> decode(const std::array<std::byte, kBytes>& bytes);
};

/// What a sender that knows the token hears.
enum class Welcome : std::uint8_t { kComeIn = 1, kOtherProgram = 2, kNoRoom = 3 };

/// Shows `request` and waits for the answer. Nothing: let in. Else why not.
std::optional<std::string> ask_in(Stream& stream, const Request& request);

/// Lets in the first who shows the right request, and turns away whoever comes meanwhile without it, each without a
/// word. None can keep the others waiting: each has two seconds to say what it wants, and few are heard at once.
class Gate {
 public:
  Gate(int listener, const Request& expected) : listener_(listener), expected_(expected) {}
  struct Admitted {
    UniqueFd socket;  ///< None: nobody came in time.
    Pages memory{0};
  };
  /// Who may come in, and waits to hear so.
  Admitted admit(Nanos patience);
  /// Answers whoever was admitted.
  static void answer(int socket, Welcome welcome);

  std::uint64_t turned_away() const { return turned_away_; }

 private:
  struct Candidate {
    UniqueFd socket;
    Nanos until{0};
    std::size_t got = 0;
    std::array<std::byte, Request::kBytes> bytes{};
    Pages memory{0};
  };
  enum class Verdict : std::uint8_t { kWait, kAway, kIn };

  void accept_one();
  Verdict hear(Candidate& candidate) const;

  static constexpr std::size_t kCandidates = 16;
  int listener_;
  Request expected_;
  std::array<Candidate, kCandidates> candidates_;
  std::uint64_t turned_away_ = 0;
};

}  // namespace godwit::live
