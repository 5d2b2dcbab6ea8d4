#pragma once

#include <sys/uio.h>

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "base/units.h"
#include "live/write_tracker.h"

namespace godwit::live {

/// Why nothing can be sent or received any more.
enum class Trouble : std::uint8_t {
  kNone,
  kClosed,   ///< The other end has closed the connection, or is gone.
  kStalled,  ///< Nothing has moved for as long as was allowed.
  kMemory,   ///< The memory to be sent cannot be read.
};

/// In a few words, for people.
const char* describe(Trouble trouble);

/// A connected stream socket. Every wait for the other end is bounded: an end that neither goes on nor goes away is
/// given up. After the first trouble nothing is tried any more. Allocates nothing.
class Stream {
 public:
  /// Takes over `socket`, which must be connected; gives up after `stall_max` without any progress.
  Stream(UniqueFd socket, Nanos stall_max);

  /// Writes, or reads, all of `parts`, whose contents it changes. False: there is trouble.
  bool write(std::span<iovec> parts);
  bool read(std::span<iovec> parts);
  bool write(std::span<const std::byte> bytes);
  bool read(std::span<std::byte> bytes);
  /// Reads what is there without waiting, up to all of `bytes`. Returns how much.
  std::size_t read_some(std::span<std::byte> bytes);

  Trouble trouble() const { return trouble_; }
  void fail(Trouble trouble) {
    if (trouble_ == Trouble::kNone) trouble_ = trouble;
  }
  int fd() const { return socket_.get(); }
  /// Hands the socket to another; nothing can be sent or received here any more.
  UniqueFd release() {
    fail(Trouble::kClosed);
    return std::move(socket_);
  }
  Nanos stall_max() const { return stall_max_; }

 private:
  bool move(std::span<iovec> parts, bool out);
  bool wait(short events);

  UniqueFd socket_;
  Nanos stall_max_;
  Trouble trouble_ = Trouble::kNone;
};

/// Where somebody listens: "HOST:PORT" (a host by number or name; in brackets where it has colons), "PORT" on this
/// host only, or "unix:PATH".
struct Address {
  std::string host;  ///< Empty: unix.
  std::string port;  ///< Or the path.
  static std::optional<Address> parse(std::string_view text);
  std::string text() const;
};

/// A listening socket, or why there is none. Of a port 0 the system chooses one; `address` is then the one chosen.
UniqueFd listen_at(Address& address, std::string& error);
/// A connection, or why there is none after `patience`.
UniqueFd connect_to(const Address& address, Nanos patience, std::string& error);
/// The next connection of a listening socket, or none after `patience`.
UniqueFd accept_from(int listener, Nanos patience);

}  // namespace godwit::live
