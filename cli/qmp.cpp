#include "cli/qmp.h"

#include <fmt/format.h>

#include <cstddef>
#include <span>
#include <utility>

#include "report/format.h"
#include "scenarios/issues.h"

namespace godwit::cli {
namespace {

using scenarios::Json;

constexpr std::size_t kLineMost = std::size_t{1}
                                  << 20;  // [bytes]; the longest answers that are asked for have a few hundred

std::string version_in(const Json& greeting) {
  const Json::json_pointer place("/QMP/version/qemu");
  if (!greeting.contains(place)) return "?";
  const Json& numbers = greeting[place];
  return fmt::format("{}.{}.{}", numbers.value("major", 0), numbers.value("minor", 0), numbers.value("micro", 0));
}

}  // namespace

std::variant<Qmp, std::string> Qmp::connect(const std::string& path, Nanos patience) {
  std::string trouble;
  live::UniqueFd socket = live::connect_to({"", path}, Nanos{0}, trouble);
  if (!socket.valid()) return trouble + "; expected the socket at which QEMU was told to listen for QMP";
  Qmp qmp(live::Stream(std::move(socket), patience));
  try {
    const Json greeting = qmp.next();
    if (!greeting.contains("QMP"))
      return fmt::format("{}: this is not QMP, which begins with a greeting; it said {}", path,
                         scenarios::shortened(greeting.dump(), 100));
    qmp.version_ = version_in(greeting);
    qmp.execute("qmp_capabilities");
  } catch (const QmpError& error) {
    return fmt::format("{}: {}; QEMU speaks to one client of a socket at a time", path, error.what());
  }
  return qmp;
}

Json Qmp::execute(const std::string& command, const Json& arguments) {
  const std::string line = Json{{"execute", command}, {"arguments", arguments}}.dump() + "\n";
  if (!stream_.write(std::as_bytes(std::span(line)))) throw QmpError("QEMU has closed the connection");
  while (true) {
    const Json answer = next();
    if (answer.contains("return")) return answer["return"];
    if (answer.contains("error")) {
      const Json::json_pointer place("/error/desc");
      const std::string why = answer.contains(place) ? answer[place].dump() : answer.dump();
      throw QmpError(fmt::format("QEMU refuses {}: {}", command, scenarios::shortened(why, 300)));
    }
    if (!answer.contains("event"))
      throw QmpError("expected an answer of QMP, got " + scenarios::shortened(answer.dump(), 100));
  }
}

Json Qmp::next() {
  std::string line;
  std::byte one{};
  while (line.size() < kLineMost && stream_.read(std::span(&one, 1))) {
    if (one != std::byte{'\n'}) {
      line += static_cast<char>(one);
      continue;
    }
    Json message = Json::parse(line, nullptr, false);
    if (!message.is_object())
      throw QmpError("this is not QMP, which has objects of JSON, a line each; it said " +
                     scenarios::shortened(line, 100));
    return message;
  }
  if (stream_.trouble() == live::Trouble::kStalled)
    throw QmpError(fmt::format("nothing came for {}", report::human(stream_.stall_max())));
  throw QmpError(stream_.trouble() == live::Trouble::kNone ? "this is not QMP: a line without end"
                                                           : "QEMU has closed the connection");
}

}  // namespace godwit::cli
