#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <cstring>
#include <filesystem>
#include <functional>
#include <nlohmann/json.hpp>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "tests/support/command.h"

namespace godwit::test {
namespace {

using Json = nlohmann::json;
using testing::HasSubstr;

constexpr const char* kGreeting =
    R"({"QMP": {"version": {"qemu": {"micro": 2, "minor": 0, "major": 10}, "package": ""}, "capabilities": ["oob"]}})";
const std::string kDone = R"({"return": {}})";

/// What an end of the protocol says to a command, lines; what it says as it is connected to comes first. "" closes.
using Answers = std::function<std::vector<std::string>(const Json& command)>;

/// Somebody at a Unix socket who says to one client what the test has him say.
class FakeQemu {
 public:
  FakeQemu(const std::string& path, std::string greeting, Answers answers)
      : greeting_(std::move(greeting)), answers_(std::move(answers)), listener_(::socket(AF_UNIX, SOCK_STREAM, 0)) {
    sockaddr_un name{};
    name.sun_family = AF_UNIX;
    std::strncpy(name.sun_path, path.c_str(), sizeof name.sun_path - 1);
    if (::bind(listener_, reinterpret_cast<sockaddr*>(&name), sizeof name) != 0 || ::listen(listener_, 1) != 0)
      throw std::runtime_error("no socket");
    thread_ = std::thread([this] { serve(); });
  }
  FakeQemu(const FakeQemu&) = delete;
  FakeQemu& operator=(const FakeQemu&) = delete;
  ~FakeQemu() {
    ::shutdown(listener_, SHUT_RDWR);  // wakes an accept
    thread_.join();
    ::close(listener_);
  }

 private:
  void serve() {
    const int client = ::accept(listener_, nullptr, nullptr);
    if (client < 0) return;
    if (say(client, greeting_)) converse(client);
    ::close(client);
  }

  void converse(int client) {
    std::string line;
    for (char c = 0; ::read(client, &c, 1) == 1;) {
      if (c != '\n') {
        line += c;
        continue;
      }
      for (const std::string& each : answers_(Json::parse(line)))
        if (!say(client, each)) return;
      line.clear();
    }
  }

  static bool say(int client, const std::string& line) {
    const std::string text = line + "\r\n";
    return !line.empty() && ::send(client, text.data(), text.size(), MSG_NOSIGNAL) > 0;
  }

  std::string greeting_;
  Answers answers_;
  int listener_;
  std::thread thread_;
};

/// A QEMU that has measured `rates`, in MiB/s, one after another; each is asked for twice before it is there.
struct Measurements {
  std::vector<int> rates;
  bool knows_milliseconds = true;
  std::vector<Json> calculations{};  ///< What calc-dirty-rate was given.
  int asked = 0;

  std::vector<std::string> operator()(const Json& command) {
    const std::string name = command["execute"];
    const Json& arguments = command["arguments"];
    if (name == "query-status") return {R"({"return": {"status": "running", "running": true}})"};
    if (name == "query-memory-size-summary") return {R"({"return": {"base-memory": 1073741824, "plugged-memory": 0}})"};
    if (arguments.contains("calc-time-unit") && !knows_milliseconds)
      return {R"({"error": {"class": "GenericError", "desc": "Parameter 'calc-time-unit' is unexpected"}})"};
    if (name == "calc-dirty-rate") {
      calculations.push_back(arguments);
      asked = 0;
      return {R"({"event": "RTC_CHANGE", "data": {"offset": 1}, "timestamp": {"seconds": 1, "microseconds": 2}})",
              kDone};
    }
    if (name != "query-dirty-rate") return {kDone};
    if (++asked < 2) return {R"({"return": {"status": "measuring", "start-time": 1, "calc-time": 1}})"};
    return {Json{{"return",
                  {{"status", "measured"},
                   {"dirty-rate", rates.at(calculations.size() - 1)},
                   {"calc-time", calculations.back()["calc-time"].get<int>() + 4 * (knows_milliseconds ? 1 : 0)}}}}
                .dump()};
  }
};

TEST(ProbeCommand, TakesACurvePeriodByPeriod) {
  const Folder folder;
  Measurements measurements{.rates = {400, 300, 100}};
  const FakeQemu qemu(folder.path("qmp"), kGreeting, std::ref(measurements));
  const std::string out = folder.path("w.json");
  const Ran ran =
      godwit({"probe", folder.path("qmp"), "-o", out, "--periods", "196 ms,96 ms,396 ms", "--sample-pages", "4096"});
  ASSERT_EQ(ran.status, 0) << ran.err;
  // It says that each took 4 ms longer, so: 400 MiB/s x 100 ms = 40 MiB; 300 x 200 = 60; 100 x 400 = 40, fewer than before
  // and so as many. A MiB has 256 pages.
  EXPECT_EQ(Json::parse(read_file(out)), Json::parse(R"({"kind": "dirty_curve",
                            "points": [["100 ms", "10240 pages"], ["200 ms", "15360 pages"], ["400 ms", "15360 pages"]]})"));
  ASSERT_EQ(measurements.calculations.size(), 3u);
  EXPECT_EQ(measurements.calculations[0],
            Json::parse(R"({"calc-time": 96, "calc-time-unit": "millisecond", "sample-pages": 4096})"));
  EXPECT_EQ(measurements.calculations[2]["calc-time"], 396);
  EXPECT_THAT(ran.err, HasSubstr("QEMU 10.0.2, a guest of 1 GiB"));

  const std::string scenario = folder.file("s.json", R"({
    "hosts": [{"name": "a"}, {"name": "b"}], "links": [{"between": ["a", "b"]}],
    "guests": [{"name": "g", "memory": "1 GiB", "workload": )" +
                                                         read_file(out) +
                                                         R"(}],
    "migrations": [{"to": "b", "strategy": "pre-copy"}]})");
  const Ran used = godwit({"run", scenario});
  EXPECT_EQ(used.status, 0) << used.err;
}

TEST(ProbeCommand, AnOlderQemuMeasuresWholeSeconds) {
  const Folder folder;
  Measurements measurements{.rates = {40}, .knows_milliseconds = false};
  const FakeQemu qemu(folder.path("qmp"), kGreeting, std::ref(measurements));
  const Ran ran = godwit({"probe", folder.path("qmp"), "-o", "-", "--periods", "100 ms,1 s"});
  ASSERT_EQ(ran.status, 0) << ran.err;
  EXPECT_EQ(Json::parse(ran.out), Json::parse(R"({"kind": "dirty_curve", "points": [["1 s", "10240 pages"]]})"));
  EXPECT_EQ(measurements.calculations.at(0), Json::parse(R"({"calc-time": 1})"));
  EXPECT_THAT(ran.err, HasSubstr("whole seconds only"));
}

TEST(ProbeCommand, AGuestThatWritesNothingIsIdle) {
  const Folder folder;
  Measurements measurements{.rates = {0, 0}};
  const FakeQemu qemu(folder.path("qmp"), kGreeting, std::ref(measurements));
  const Ran ran = godwit({"probe", folder.path("qmp"), "-o", "-", "--periods", "50 ms,60 ms"});
  EXPECT_EQ(ran.status, 0) << ran.err;
  EXPECT_EQ(Json::parse(ran.out), Json::parse(R"({"kind": "idle"})"));
}

/// Expects that the command ends with `status` and `hint`, and writes nothing.
void expect_refused(const std::string& greeting, const Answers& answers, int status, const std::string& hint) {
  const Folder folder;
  const FakeQemu qemu(folder.path("qmp"), greeting, answers);
  const Ran ran =
      godwit({"probe", folder.path("qmp"), "-o", folder.path("w.json"), "--periods", "50 ms", "--timeout", "300 ms"});
  EXPECT_EQ(ran.status, status) << hint << ran.err;
  EXPECT_THAT(ran.err, HasSubstr(hint));
  EXPECT_FALSE(std::filesystem::exists(folder.path("w.json")));
}

TEST(ProbeCommand, WhatIsNoQmpIsWrongInput) {
  const Answers silent = [](const Json&) { return std::vector<std::string>{}; };
  expect_refused("220 mail.example.org ESMTP", silent, 2, "it said 220 mail");
  expect_refused("[1, 2]", silent, 2, "not QMP");
  expect_refused(R"({"hello": "there"})", silent, 2, "begins with a greeting");
  expect_refused("", silent, 2, "closed the connection");
  expect_refused(kGreeting, silent, 2, "nothing came for 300");
  const Answers refuses = [](const Json&) {
    return std::vector<std::string>{R"({"error": {"class": "CommandNotFound", "desc": "no such thing"}})"};
  };
  expect_refused(kGreeting, refuses, 2, "QEMU refuses qmp_capabilities: \"no such thing\"");

  const Folder folder;
  const Ran absent = godwit({"probe", folder.path("nobody"), "-o", "-"});
  EXPECT_EQ(absent.status, 2);
  EXPECT_THAT(absent.err, HasSubstr("No such file"));
  const Ran file = godwit({"probe", folder.file("file", "text"), "-o", "-"});
  EXPECT_EQ(file.status, 2);
  EXPECT_THAT(file.err, HasSubstr("refused"));
}

/// A QEMU that says `line` to `command`, and what it should to others.
Answers with(const std::string& command, const std::string& line) {
  return [=, measurements = Measurements{.rates = {1}}](const Json& said) mutable {
    return said["execute"] == command ? std::vector{line} : measurements(said);
  };
}

TEST(ProbeCommand, WhatQemuDoesNotDoIsSaid) {
  expect_refused(kGreeting, with("query-status", R"({"return": {"status": "paused", "running": false}})"), 1,
                 "the guest is not running");
  expect_refused(kGreeting,
                 with("calc-dirty-rate", R"({"error": {"class": "GenericError", "desc": "still measuring"}})"), 1,
                 "QEMU refuses calc-dirty-rate: \"still measuring\"");
  expect_refused(kGreeting, with("calc-dirty-rate", ""), 1, "closed the connection");
  expect_refused(kGreeting, with("query-dirty-rate", R"({"return": {"status": "measuring"}})"), 1, "was not done");
  expect_refused(kGreeting, with("query-dirty-rate", R"({"return": {"status": "unstarted"}})"), 1, "unstarted");
  expect_refused(kGreeting, with("query-dirty-rate", R"({"return": {"status": "measured", "dirty-rate": -1}})"), 1,
                 "expected a dirty-rate");
  expect_refused(kGreeting, with("query-dirty-rate", R"({"return": []})"), 1, "expected to be measuring");
}

TEST(ProbeCommand, WrongWordsOfTheCommandLine) {
  const Folder folder;
  const auto refused = [&](const std::vector<std::string>& more, const std::string& hint) {
    std::vector<std::string> words{"probe", folder.path("qmp"), "-o", folder.path("w.json")};
    words.insert(words.end(), more.begin(), more.end());
    const Ran ran = godwit(words);
    EXPECT_EQ(ran.status, 2);
    EXPECT_THAT(ran.err, HasSubstr(hint));
  };
  refused({"--periods", "1 s,10 ms"}, "--periods: expected a time from 50 ms to 1 min, got 10 ms");
  refused({"--periods", "100.5 ms"}, "whole milliseconds");
  refused({"--timeout", "soon"}, "--timeout: expected a time");
  refused({"--sample-pages", "1"}, "--sample-pages");
  const Ran ran = godwit({"probe", folder.path("qmp"), "-o", folder.path("no/such/folder/w.json")});
  EXPECT_EQ(ran.status, 2);
  EXPECT_THAT(ran.err, HasSubstr("cannot be written"));
}

/// A kernel after the Multiboot specification 0.6.96 that QEMU starts at 0x100020 in protected mode: it says ! at the
/// debug console and then, for ever, adds one to the first word of each page from 16 MiB to 80 MiB.
std::string writing_kernel() {
  const std::vector<std::uint32_t> header{0x1BADB002, 0x10000, 0u - 0x1BADB002 - 0x10000, 0x100000, 0x100000, 0,
                                          0,          0x100020};
  constexpr unsigned char kCode[] = {
      0xB0, '!',                           //         mov al, '!'
      0xE6, 0xE9,                          //         out 0xE9, al
      0xBF, 0x00, 0x00, 0x00, 0x01,        // again:  mov edi, 0x1000000
      0xFF, 0x07,                          // page:   inc dword [edi]
      0x81, 0xC7, 0x00, 0x10, 0x00, 0x00,  //         add edi, 0x1000
      0x81, 0xFF, 0x00, 0x00, 0x00, 0x05,  //         cmp edi, 0x5000000
      0x72, 0xF0,                          //         jb page
      0xEB, 0xE9,                          //         jmp again
  };
  std::string image;
  for (const std::uint32_t word : header)
    for (int shift = 0; shift < 32; shift += 8) image += static_cast<char>(word >> shift & 0xFF);
  return image.append(reinterpret_cast<const char*>(kCode), sizeof kCode);
}

class RealQemu {
 public:
  explicit RealQemu(const Folder& folder) : up_(folder.path("up")) {
    const std::string kernel = folder.file("kernel", writing_kernel());
    const std::string qmp = "unix:" + folder.path("qmp") + ",server=on,wait=off", console = "file:" + up_;
    pid_ = ::fork();
    if (pid_ != 0) return;
    const int null = ::open("/dev/null", O_WRONLY);
    ::dup2(null, 1);
    ::dup2(null, 2);
    ::execlp("qemu-system-x86_64", "qemu", "-accel", "tcg", "-m", "256", "-nodefaults", "-display", "none", "-kernel",
             kernel.c_str(), "-debugcon", console.c_str(), "-qmp", qmp.c_str(), nullptr);
    ::_exit(127);
  }
  RealQemu(const RealQemu&) = delete;
  RealQemu& operator=(const RealQemu&) = delete;
  ~RealQemu() {
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
  }

  /// Waits until the kernel has said that it runs. False: QEMU has ended.
  bool runs() const {
    while (read_file(up_).empty()) {
      if (::waitpid(pid_, nullptr, WNOHANG) != 0) return false;
      std::this_thread::sleep_for(std::chrono::milliseconds(10));
    }
    return true;
  }

 private:
  std::string up_;
  pid_t pid_ = -1;
};

TEST(ProbeCommand, MeasuresARealQemu) {
  if (run_program({"qemu-system-x86_64", "--version"}).status != 0)
    GTEST_SKIP() << "qemu-system-x86_64 is not installed";
  const Folder folder;
  const RealQemu qemu(folder);
  ASSERT_TRUE(qemu.runs());
  const std::string out = folder.path("w.json");
  const Ran ran = godwit(
      {"probe", folder.path("qmp"), "-o", out, "--periods", "1 s,2 s", "--sample-pages", "16384", "--timeout", "60 s"});
  ASSERT_EQ(ran.status, 0) << ran.err;
  const Json workload = Json::parse(read_file(out));
  ASSERT_EQ(workload["points"].size(), 2u) << workload;
  // 16,384 of its 65,536 pages are written to, of which 4,096 are sampled: 1,024 expected with a standard deviation of 28,
  // so five of them are 14 %; and a rate of 32 MiB/s is rounded down by 3 % at most.
  for (const Json& point : workload["points"]) {
    const int pages = std::stoi(point[1].get<std::string>());
    EXPECT_GT(pages, 16'384 * 0.83) << ran.err;
    EXPECT_LT(pages, 16'384 * 1.14) << ran.err;
  }
}

}  // namespace
}  // namespace godwit::test
