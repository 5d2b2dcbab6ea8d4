#include "live/stream.h"

#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <climits>
#include <cstring>
#include <memory>

#include "live/clock.h"

namespace godwit::live {

const char* describe(Trouble trouble) {
  switch (trouble) {
    case Trouble::kNone: return "none";
    case Trouble::kClosed: return "the other end closed the connection";
    case Trouble::kStalled: return "the connection stood still";
    case Trouble::kMemory: return "the memory could not be read";
  }
  return "unknown";
}

namespace {

/// Whole milliseconds for poll, at least one where some time is left.
int in_milliseconds(Nanos left) {
  const std::int64_t whole = (left.count() + 999'999) / 1'000'000;
  return static_cast<int>(std::clamp<std::int64_t>(whole, 0, INT_MAX));
}

bool poll_until(int fd, short events, Nanos until) {
  while (true) {
    pollfd entry{.fd = fd, .events = events, .revents = 0};
    const int result = ::poll(&entry, 1, in_milliseconds(until - monotonic_now()));
    if (result > 0) return true;
    if (result == 0 && monotonic_now() >= until) return false;
    if (result < 0 && errno != EINTR) return false;
  }
}

void set_up(int fd) {
  const int one = 1;
  ::fcntl(fd, F_SETFL, ::fcntl(fd, F_GETFL) | O_NONBLOCK);
  ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);  // fails for unix sockets, which never wait
}

}  // namespace

Stream::Stream(UniqueFd socket, Nanos stall_max) : socket_(std::move(socket)), stall_max_(stall_max) {
  set_up(socket_.get());
}

bool Stream::wait(short events) {
  if (poll_until(socket_.get(), events, monotonic_now() + stall_max_)) return true;
  fail(Trouble::kStalled);
  return false;
}

bool Stream::move(std::span<iovec> parts, bool out) {
  if (trouble_ != Trouble::kNone) return false;
  while (true) {
    while (!parts.empty() && parts.front().iov_len == 0) parts = parts.subspan(1);
    if (parts.empty()) return true;
    msghdr message{};
    message.msg_iov = parts.data();
    message.msg_iovlen = std::min<std::size_t>(parts.size(), IOV_MAX);
    const ssize_t moved =
        out ? ::sendmsg(socket_.get(), &message, MSG_NOSIGNAL) : ::recvmsg(socket_.get(), &message, 0);
    if (moved == 0 && !out) return fail(Trouble::kClosed), false;
    if (moved < 0) {
      if (errno == EINTR) continue;
      if (errno != EAGAIN && errno != EWOULDBLOCK) return fail(Trouble::kClosed), false;
      if (!wait(out ? POLLOUT : POLLIN)) return false;
      continue;
    }
    for (auto left = static_cast<std::size_t>(moved); left > 0;) {
      iovec& part = parts.front();
      const std::size_t here = std::min(left, part.iov_len);
      part.iov_base = static_cast<std::byte*>(part.iov_base) + here;
      part.iov_len -= here;
      left -= here;
      if (part.iov_len == 0) parts = parts.subspan(1);
    }
  }
}

bool Stream::write(std::span<iovec> parts) { return move(parts, true); }
bool Stream::read(std::span<iovec> parts) { return move(parts, false); }

bool Stream::write(std::span<const std::byte> bytes) {
  iovec part{.iov_base = const_cast<std::byte*>(bytes.data()), .iov_len = bytes.size()};
  return move({&part, 1}, true);
}

bool Stream::read(std::span<std::byte> bytes) {
  iovec part{.iov_base = bytes.data(), .iov_len = bytes.size()};
  return move({&part, 1}, false);
}

std::size_t Stream::read_some(std::span<std::byte> bytes) {
  if (trouble_ != Trouble::kNone || bytes.empty()) return 0;
  const ssize_t got = ::recv(socket_.get(), bytes.data(), bytes.size(), MSG_DONTWAIT);
  if (got > 0) return static_cast<std::size_t>(got);
  if (got == 0 || (errno != EAGAIN && errno != EWOULDBLOCK && errno != EINTR)) fail(Trouble::kClosed);
  return 0;
}

// ---------------------------------------------------------------- addresses

std::optional<Address> Address::parse(std::string_view text) {
  constexpr std::string_view kUnix = "unix:";
  if (text.starts_with(kUnix)) {
    const std::string_view path = text.substr(kUnix.size());
    if (path.empty() || path.size() >= sizeof(sockaddr_un::sun_path)) return std::nullopt;
    return Address{"", std::string(path)};
  }
  std::string_view host = "127.0.0.1";
  std::string_view port = text;
  if (const auto colon = text.rfind(':'); colon != std::string_view::npos) {
    host = text.substr(0, colon);
    port = text.substr(colon + 1);
    if (host.starts_with('[') && host.ends_with(']'))
      host = host.substr(1, host.size() - 2);
    else if (host.find(':') != std::string_view::npos)
      return std::nullopt;
  }
  const bool number =
      !port.empty() && port.size() <= 5 && std::ranges::all_of(port, [](char c) { return c >= '0' && c <= '9'; });
  if (host.empty() || !number || std::stoi(std::string(port)) > 65535) return std::nullopt;
  return Address{std::string(host), std::string(port)};
}

std::string Address::text() const {
  if (host.empty()) return "unix:" + port;
  return (host.find(':') == std::string::npos ? host : "[" + host + "]") + ":" + port;
}

namespace {

struct Resolved {
  sockaddr_storage bytes{};
  socklen_t size = 0;
};

std::optional<Resolved> resolve(const Address& address, std::string& error) {
  Resolved found;
  if (address.host.empty()) {
    sockaddr_un path{};
    path.sun_family = AF_UNIX;
    if (address.port.size() >= sizeof path.sun_path)
      return error = address.text() + ": the path is too long", std::nullopt;
    std::memcpy(path.sun_path, address.port.c_str(), address.port.size() + 1);
    std::memcpy(&found.bytes, &path, sizeof path);
    found.size = sizeof path;
    return found;
  }
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_NUMERICSERV;
  addrinfo* list = nullptr;
  if (const int result = ::getaddrinfo(address.host.c_str(), address.port.c_str(), &hints, &list); result != 0) {
    return error = address.text() + ": " + ::gai_strerror(result), std::nullopt;
  }
  std::memcpy(&found.bytes, list->ai_addr, list->ai_addrlen);
  found.size = list->ai_addrlen;
  ::freeaddrinfo(list);
  return found;
}

UniqueFd failed(const Address& address, std::string& error) {
  error = address.text() + ": " + std::strerror(errno);
  return {};
}

}  // namespace

UniqueFd listen_at(Address& address, std::string& error) {
  auto where = resolve(address, error);
  if (!where) return {};
  UniqueFd fd(::socket(where->bytes.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!fd.valid()) return failed(address, error);
  const int one = 1;
  ::setsockopt(fd.get(), SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
  struct stat old {};
  if (address.host.empty() && ::stat(address.port.c_str(), &old) == 0 && S_ISSOCK(old.st_mode)) {
    ::unlink(address.port.c_str());
  }
  auto* name = reinterpret_cast<sockaddr*>(&where->bytes);
  if (::bind(fd.get(), name, where->size) != 0 || ::listen(fd.get(), 16) != 0) return failed(address, error);
  if (address.port == "0" && ::getsockname(fd.get(), name, &where->size) == 0) {
    std::array<char, NI_MAXSERV> port{};
    ::getnameinfo(name, where->size, nullptr, 0, port.data(), port.size(), NI_NUMERICSERV);
    address.port = port.data();
  }
  return fd;
}

UniqueFd connect_to(const Address& address, Nanos patience, std::string& error) {
  auto where = resolve(address, error);
  if (!where) return {};
  const Nanos until = monotonic_now() + patience;
  while (true) {
    UniqueFd fd(::socket(where->bytes.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    if (!fd.valid()) return failed(address, error);
    if (::connect(fd.get(), reinterpret_cast<sockaddr*>(&where->bytes), where->size) == 0) return fd;
    if (errno == EINPROGRESS && poll_until(fd.get(), POLLOUT, until)) {
      socklen_t size = sizeof errno;
      int result = 0;
      ::getsockopt(fd.get(), SOL_SOCKET, SO_ERROR, &result, &size);
      if (result == 0) return fd;
      errno = result;
    }
    if (monotonic_now() >= until) return failed(address, error);
    sleep_until(monotonic_now() + Nanos{1'000'000});
  }
}

UniqueFd accept_from(int listener, Nanos patience) {
  const Nanos until = monotonic_now() + patience;
  while (poll_until(listener, POLLIN, until)) {
    UniqueFd fd(::accept4(listener, nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK));
    if (fd.valid()) return fd;
  }
  return {};
}

}  // namespace godwit::live
