#pragma once

#include <stdexcept>
#include <string>
#include <variant>

#include "base/units.h"
#include "live/stream.h"
#include "scenarios/node.h"

namespace godwit::cli {

/// What came of a command in words for people: QEMU refuses it, says nothing, or is gone.
class QmpError : public std::runtime_error {
  using std::runtime_error::runtime_error;
};

/// A QEMU, over the QEMU Machine Protocol (qemu.org, "QMP specification"): a line of JSON for each message.
class Qmp {
 public:
  /// Connects to the Unix socket at `path` and leaves the mode in which only capabilities are negotiated; or says what
  /// keeps it from that. Gives QEMU up after `patience` without a byte, here and later.
  static std::variant<Qmp, std::string> connect(const std::string& path, Nanos patience);

  /// What `command` returns. Events meanwhile are passed over. Throws QmpError.
  scenarios::Json execute(const std::string& command, const scenarios::Json& arguments = scenarios::Json::object());

  /// Of QEMU, as it says: "10.0.2".
  const std::string& version() const { return version_; }

 private:
  explicit Qmp(live::Stream stream) : stream_(std::move(stream)) {}
  scenarios::Json next();

  live::Stream stream_;
  std::string version_;
};

}  // namespace godwit::cli
