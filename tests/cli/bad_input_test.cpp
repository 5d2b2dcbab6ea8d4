#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <thread>

#include "tests/support/command.h"

// Input that is damaged or hostile rather than mistaken (that is wrong_input_test.cpp). Each ends with exit status 2,
// nothing on standard output, short lines on standard error that name the place and what would be right, and no file
// where the result would have been.
namespace godwit::test {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::json;
using testing::HasSubstr;

const std::string kIdle = "scenarios/library/idle_guest.json";

std::string idle_text() { return read_file(std::string(GODWIT_SOURCE_DIR) + "/" + kIdle); }

std::vector<std::string> entries(const std::string& folder) {
  std::vector<std::string> names;
  for (const auto& entry : fs::directory_iterator(folder)) names.push_back(entry.path().filename().string());
  return names;
}

struct Case {
  std::string name;
  std::vector<std::string> input;  // the scenario's file, and further arguments
  std::vector<std::string> hints;  // what standard error says, among other things
};

void expect_refused(const Case& given) {
  SCOPED_TRACE(given.name);
  const Folder results;
  std::vector<std::string> arguments{"run"};
  arguments.insert(arguments.end(), given.input.begin(), given.input.end());
  arguments.insert(arguments.end(), {"--json", results.path("result.json")});
  const Ran ran = godwit(arguments);
  EXPECT_EQ(ran.status, 2) << ran.err.substr(0, 2000);
  EXPECT_EQ(ran.out, "");
  EXPECT_LT(ran.err.size(), 300'000u);
  for (const std::string& hint : given.hints) EXPECT_THAT(ran.err, HasSubstr(hint));
  EXPECT_THAT(entries(results.path("")), testing::IsEmpty());
}

/// A scenario that is that text.
void expect_text_refused(const std::string& name, const std::string& text, const std::vector<std::string>& hints) {
  const Folder folder;
  expect_refused({name, {folder.file("bad.json", text)}, hints});
}

/// The idle guest with its JSON changed by each assignment.
void expect_set_refused(const std::string& name, const std::vector<std::string>& assignments,
                        const std::vector<std::string>& hints) {
  std::vector<std::string> input{kIdle};
  for (const std::string& each : assignments) input.insert(input.end(), {"--set", each});
  expect_refused({name, input, hints});
}

std::string repeated(const std::string& text, std::size_t times) {
  std::string all;
  all.reserve(text.size() * times);
  for (std::size_t i = 0; i < times; ++i) all += text;
  return all;
}

/// The text of the idle guest with `from` replaced.
std::string with(const std::string& from, const std::string& to) {
  std::string text = idle_text();
  const std::size_t at = text.find(from);
  EXPECT_NE(at, std::string::npos) << from;
  return text.replace(at, from.size(), to);
}

std::string with_switches(const std::string& names) {
  return with("\"seed\": 1,", "\"seed\": 1, \"switches\": [" + names + "],");
}

// ---------------------------------------------------------------- files

TEST(BadFile, CutShort) {
  const std::string text = idle_text();
  for (const std::size_t length : {1u, 2u, 20u, 100u, 250u, 400u, 600u, 800u}) {
    ASSERT_LT(length, text.size());
    expect_text_refused("cut at " + std::to_string(length), text.substr(0, length), {"bad.json:", "this is not JSON"});
  }
}

TEST(BadFile, WithAFlippedBit) {
  const std::string text = idle_text();
  const std::vector<std::string> structure{"{", "\"seed\"", ":", "[", "\"memory\"", "]", "}"};
  for (const std::string& piece : structure) {
    std::string damaged = text;
    damaged[text.find(piece)] ^= 0x40;  // to a letter, or another name
    expect_text_refused("flipped at " + piece, damaged, {"bad.json:"});
  }
}

TEST(BadFile, IsNoObject) {
  expect_text_refused("prose", "Please migrate my guest.", {"bad.json:1:1", "this is not JSON"});
  expect_text_refused("spaces", "  \n\t ", {"bad.json:2", "this is not JSON"});
  for (const char* text : {"null", "7", "\"scenario\"", "true"})
    expect_text_refused(text, text, {"bad.json:1:1", "expected an object (a scenario), got"});
  expect_text_refused("two documents", "{}{}", {"bad.json:1:3", "this is not JSON"});
}

TEST(BadFile, IsNestedDeeply) {
  constexpr std::size_t kDepth = 100'000;
  const std::string why = "nested more than 64 deep";
  expect_text_refused("lists", repeated("[", kDepth), {"bad.json:1:65", why});
  expect_text_refused("closed lists", repeated("[", kDepth) + repeated("]", kDepth), {why});
  expect_text_refused("objects", repeated("{\"a\":", kDepth) + "1" + repeated("}", kDepth), {why});
  expect_text_refused("mixes of mixes",
                      with("{ \"kind\": \"idle\" }", repeated("{\"kind\":\"mix\",\"parts\":[", 10'000) +
                                                         "{\"kind\":\"idle\"}" + repeated("]}", 10'000)),
                      {"/guests/0/workload/parts/0", why});
  expect_text_refused("phases of phases",
                      with("{ \"kind\": \"idle\" }",
                           repeated("{\"kind\":\"phased\",\"phases\":[{\"for\":\"1 s\",\"workload\":", 10'000)),
                      {"/guests/0/workload/phases/0/workload", why});
}

TEST(BadFile, IsLong) {
  constexpr std::size_t kLong = 10 << 20;
  const std::string letters(kLong, 'a');
  expect_text_refused("a long number", with("\"seed\": 1", "\"seed\": " + std::string(kLong, '1')),
                      {"expected a number below 1.8e308, got 111", "..."});
  expect_text_refused("a long name", with("\"idle_guest\"", "\"" + letters + "\""),
                      {"/name", "at most 100 letters", "..."});
  expect_text_refused("a long field", "{\"" + letters + "\": [" + repeated("0,", 100'000) + "0]}",
                      {"bad.json:1:", "MiB of memory"});
  expect_text_refused("a long list", with_switches(repeated("0,", kLong / 2) + "0"), {"MiB of memory"});
  expect_text_refused("many switches", with_switches(repeated("\"s\",", 100'000) + "\"s\""),
                      {"/switches", "at most 100000, got 100001"});
  std::string fields = "{";
  for (int i = 0; i < 200'000; ++i) fields += "\"f" + std::to_string(i) + "\":0,";
  expect_text_refused("many unknown fields", fields + "\"g\":0}", {"/f0: unknown field", "these are the first 100"});
  expect_text_refused("more than 64 MiB", std::string((64 << 20) + 1, ' '), {"larger than 67108864 bytes"});
}

TEST(BadFile, GivesANameTwice) {
  expect_text_refused("twice", "{\n\"seed\": 1,\n \"seed\": 2}",
                      {"bad.json:3:2: /seed", "given twice", "first in line 2, column 1"});
  expect_text_refused("twice further in", with("\"memory\": ", "\"memory\": \"1 GiB\",\n\"memory\": "),
                      {"/guests/0/memory", "given twice", "first in line"});
}

TEST(BadFile, IsNotUtf8) {
  expect_text_refused("a lone continuation", with("idle_guest", "idle\x80guest"), {"bad.json:3", "UTF-8"});
  expect_text_refused("an overlong slash", with("idle_guest", "idle\xc0\xafguest"), {"UTF-8"});
  expect_text_refused("half a surrogate pair", with("idle_guest", "idle\\ud800guest"), {"bad.json:3", "surrogate"});
  expect_text_refused("UTF-16", std::string("\xff\xfe{\0}\0", 6), {"bad.json:1:1", "not JSON"});
  expect_text_refused("half a byte order mark", "\xef\xbb{}", {"bad.json:1:3", "invalid BOM"});
  expect_text_refused("a zero byte", std::string("{\"seed\": \0 1}", 13), {"bad.json:1:10", "not JSON"});
  expect_text_refused("a zero byte in a name", with("idle_guest", "idle\\u0000guest"), {"/name", "letters, digits"});
  expect_text_refused("a terminal's commands", R"({"\u001b[2J\u001b[31m": 1})",
                      {"/\\u001b[2J\\u001b[31m: unknown field"});
}

TEST(BadFile, ThatIsNoFile) {
  const Folder folder;
  fs::create_symlink("loop.json", folder.path("loop.json"));
  fs::create_symlink("nowhere.json", folder.path("dangling.json"));
  expect_refused({"a link to itself", {folder.path("loop.json")}, {"loop.json", "symbolic links"}});
  expect_refused({"a link to nowhere", {folder.path("dangling.json")}, {"dangling.json", "no such file"}});
  expect_refused({"a device without end", {"/dev/zero"}, {"/dev/zero", "larger than"}});
  expect_refused({"a device without anything", {"/dev/null"}, {"/dev/null:1:1", "not JSON"}});
  expect_refused({"below a file", {kIdle + "/x"}, {"idle_guest.json/x", "no such file"}});
  expect_refused({"a name that is too long", {std::string(300, 'x')}, {"File name too long"}});
}

TEST(BadFile, ThatMayNotBeRead) {
  if (::geteuid() == 0) GTEST_SKIP() << "root may read everything";
  const Folder folder;
  const std::string file = folder.file("secret.json", idle_text());
  fs::permissions(file, fs::perms::none);
  expect_refused({"a file of somebody else", {file}, {"secret.json", "Permission denied"}});
}

TEST(BadFile, ThatComesThroughAPipe) {
  const Folder folder;
  const std::string pipe = folder.path("pipe.json");
  ASSERT_EQ(::mkfifo(pipe.c_str(), 0600), 0);
  std::thread writer([&] { std::ofstream(pipe) << "{\n\"seed\": 1,\n"; });
  expect_refused({"half a scenario", {pipe}, {"pipe.json:", "this is not JSON"}});
  writer.join();
}

// ---------------------------------------------------------------- numbers and quantities

TEST(BadNumber, InAFile) {
  const auto seed = [](const std::string& number, const std::string& hint) {
    expect_text_refused(number, with("\"seed\": 1", "\"seed\": " + number), {"bad.json:6:", hint});
  };
  const std::string whole = "/seed: expected a whole number from 0 to 9223372036854775807, got ";
  seed("1e400", "expected a number below 1.8e308, got 1e400");
  seed("-1e400", "expected a number below 1.8e308, got -1e400");
  seed("1e-400", whole + "1e-400");
  seed("18446744073709551616", whole + "18446744073709551616");
  seed("9223372036854775808", whole + "9223372036854775808");
  seed("-1", whole + "-1");
  seed("1.5", whole + "1.5");
  seed("NaN", "this is not JSON");
  seed("Infinity", "this is not JSON");
  seed("0x10", "this is not JSON");
  seed("+1", "this is not JSON");
  seed("01", "this is not JSON");
}

TEST(BadNumber, ThatIsNoneOfACount) {
  expect_set_refused("minus zero cores", {"/hosts/0/cores=-0"}, {"/hosts/0/cores: expected a whole number from 1"});
  expect_set_refused("half a core", {"/hosts/0/cores=0.5"}, {"/hosts/0/cores"});
  expect_set_refused("2^32 virtual CPUs", {"/guests/0/vcpus=4294967296"}, {"/guests/0/vcpus", "to 65536"});
}

TEST(BadQuantity, OfWhateverKind) {
  const auto memory = [](const std::string& text, const std::string& hint) {
    expect_set_refused(text, {"/guests/0/memory=" + text}, {"/guests/0/memory: expected ", hint});
  };
  memory("1000000000000000000000000000000 GiB", "at most 18 digits");
  memory("999999999999999999 TiB", "too large");
  memory("17592186044417 B", "1 MiB to 16 TiB");
  memory("0 B", "1 MiB to 16 TiB");
  memory("-4 GiB", "a number of at most 18 digits must come first");
  memory("4e3 GiB", "\"e3 GiB\" is not one of the units");
  memory("nan GiB", "a number");
  memory("1.0000000001 GiB", "whole number of bytes");
  memory("1.5.5 GiB", "is not one of the units");
  memory(".5 GiB", "a number");
  memory("4 GiB ", "is not one of the units");
  memory("4097 KiB", "a multiple of the page size 4 KiB, got 4097 KiB");
  expect_set_refused("no power of two", {"/guests/0/page_size=12 KiB"}, {"/guests/0/page_size", "a power of two"});
  expect_set_refused("a time of ages", {"/horizon=100000000000000000000 h"}, {"/horizon", "at most 18 digits"});
  expect_set_refused("a time of 10001 h", {"/horizon=10001 h"}, {"/horizon", "1 us to 10000 h"});
  expect_set_refused("no bandwidth", {"/links/0/bandwidth=0 bit/s"}, {"/links/0/bandwidth", "1 kbit/s to 10 Tbit/s"});
  expect_set_refused("more than all", {"/guests/0/cpu_demand=100.0000001 %"}, {"/guests/0/cpu_demand", "0 % to 100 %"});
  expect_set_refused("a share below nothing", {"/guests/0/cpu_demand=-1 %"}, {"/guests/0/cpu_demand"});
}

// ---------------------------------------------------------------- scenarios that do not fit together

TEST(BadTopology, HostsAndLinks) {
  expect_set_refused("no hosts", {"/hosts=[]"}, {"/hosts", "a list of at least 1, got an empty list"});
  expect_set_refused("a host twice", {"/hosts/1/name=a"}, {"/hosts/1/name", "called a already"});
  expect_set_refused("a switch called like a host", {"/switches=[\"a\"]"}, {"/switches/0", "called a already"});
  expect_set_refused("a link to itself", {"/links/0/between=[\"a\", \"a\"]"}, {"/links/0/between", "the same: a"});
  expect_set_refused("a link with one end", {"/links/0/between=[\"a\"]"}, {"/links/0/between", "two ends, got 1"});
  expect_set_refused("a link to nowhere", {"/links/0/between/1=c"}, {"/links/0/between/1", "called c; known are a, b"});
  expect_set_refused("no links", {"/links=[]"}, {"/migrations/0/to", "no links lead from a to b"});
  expect_set_refused("a guest on a switch", {"/switches=[\"s\"]", "/guests/0/host=s"},
                     {"/guests/0/host", "s is a switch"});
}

TEST(BadGuest, MemoryAndWorkload) {
  const auto workload = [](const std::string& text, const std::vector<std::string>& hints,
                           const std::string& pages = "/guests/0/pages=[]") {
    expect_set_refused(text, {"/guests/0/memory=1 GiB", pages, "/guests/0/workload=" + text}, hints);
  };
  const std::string half = R"(/guests/0/pages=[{"class": "free", "share": "50 %", "at": "high"}])";
  const std::string first_half = R"(/guests/0/pages=[{"class": "free", "share": "50 %"}])";
  workload(R"({"kind": "hot_set", "write_rate": "1 pages/s", "hot_memory": "2 GiB", "hot_share": "1 %"})",
           {"/guests/0/workload/hot_memory", "at most the workload's memory of 1 GiB, got 2 GiB"});
  workload(R"({"kind": "hot_set", "write_rate": "1 pages/s", "hot_memory": "513 MiB", "hot_share": "1 %"})",
           {"/guests/0/workload/hot_memory", "at most the workload's memory of 512 MiB"}, half);
  workload(R"({"kind": "uniform", "write_rate": "1 pages/s", "memory": "513 MiB"})",
           {"/guests/0/workload/memory", "at most 512 MiB", "neither zero nor free"}, first_half);
  workload(R"({"kind": "uniform", "write_rate": "1 pages/s", "at": "512 MiB"})",
           {"/guests/0/workload/at", "less than 512 MiB", "neither zero nor free"}, half);
  workload(R"({"kind": "sequential", "write_rate": "1 pages/s", "at": "1 GiB"})",
           {"/guests/0/workload/at", "less than 1 GiB"});
  workload(R"({"kind": "uniform", "write_rate": "1 pages/s", "at": "1020 MiB", "memory": "8 MiB"})",
           {"/guests/0/workload/at", "8 MiB from 1020 MiB on go beyond the guest's memory of 1 GiB"});
  workload(R"({"kind": "zipf", "write_rate": "1 pages/s", "exponent": 1, "memory": "128 KiB"})",
           {"/guests/0/workload", "a whole group of 64 pages, 256 KiB"});
  workload(R"({"kind": "phased", "phases": []})", {"/guests/0/workload/phases", "a list of at least 1"});
  workload(R"({"kind": "phased", "phases": [{"for": "0 s", "workload": {"kind": "idle"}}]})",
           {"/guests/0/workload/phases/0/for", "1 us to 10000 h"});
  workload(R"({"kind": "mix", "parts": []})", {"/guests/0/workload/parts", "a list of at least 1"});
  workload(R"({"kind": "phased", "phases": [)" + repeated(R"({"for": "9999 h", "workload": {"kind": "idle"}},)", 299) +
               R"({"for": "9999 h", "workload": {"kind": "idle"}}]})",
           {"/guests/0/workload/phases", "at most 10000 h in all"});
  const std::string forty =
      R"({"kind": "mix", "parts": [)" + repeated(R"({"kind": "idle"},)", 39) + R"({"kind": "idle"}]})";
  workload(R"({"kind": "mix", "parts": [)" + repeated(forty + ",", 25) + forty + "]}",
           {"/guests/0/workload/parts/24/parts/14", "at most 1000 workloads within one"});
  expect_set_refused("classes of more than all",
                     {R"(/guests/0/pages=[{"class": "free", "share": "60 %"}, {"class": "zero", "share": "50 %"}])"},
                     {"/guests/0/pages", "sum to 110 %, more than 100 %"});
  expect_set_refused("a class beyond the end",
                     {R"(/guests/0/pages=[{"class": "free", "share": "50 %", "at": "15 TiB"}])"},
                     {"/guests/0/pages/0/at", "go beyond the guest's memory"});
}

TEST(BadGuest, ThatDoesNotHoldWhatItsSendingDirties) {
  expect_set_refused("a small guest on a long fat link",
                     {"/guests/0/memory=1 MiB", "/migrations/0/strategy=self-migration", "/links/0/latency=1 s",
                      "/links/0/bandwidth=100 Gbit/s"},
                     {"its memory does not hold what its own sending dirties"});
}

TEST(BadGuest, TooManyOfThem) {
  Json scenario = Json::parse(idle_text());
  Json guest = scenario["guests"][0];
  guest["memory"] = "16 TiB";
  guest["vcpus"] = 1;
  for (int i = 1; i < 20; ++i) {
    guest["name"] = "g" + std::to_string(i);
    scenario["guests"].push_back(guest);
  }
  expect_text_refused("304 TiB", scenario.dump(), {"/guests/16/memory", "expected at most 68719476736"});
}

TEST(BadCount, OfTooMuch) {
  const std::string many = "/guests/0/count=100000";
  const std::vector<std::string> still{"/migrations=[]", "/expect={}", "/guests/0/pages=[]"};
  const auto refuse = [&](const std::string& name, std::vector<std::string> set,
                          const std::vector<std::string>& hints) {
    set.insert(set.begin(), still.begin(), still.end());
    expect_set_refused(name, set, hints);
  };
  refuse("large guests", {many, "/guests/0/memory=16 TiB"},
         {"/guests/0/memory: with this there are 429496729600000 pages in all"});
  refuse("busy guests", {many, "/guests/0/vcpus=65536"}, {"/guests/0/vcpus", "6553600000 virtual CPUs in all"});
  refuse("guests with real bytes", {"/guests/0/count=1000", "/guests/0/memory=64 MiB", "/guests/0/contents=bytes"},
         {"/guests/0/contents", "67108864000 real bytes in all"});
  refuse("guests under zipf",
         {many, R"(/guests/0/workload={"kind": "zipf", "write_rate": "1 pages/s", "exponent": 1, "memory": "1 GiB"})"},
         {"/guests/0/workload", "26214400000 pages under zipf in all"});
  refuse("guests with many workloads",
         {many, R"(/guests/0/workload={"kind": "mix", "parts": [)" + repeated(R"({"kind": "idle"},)", 19) +
                    R"({"kind": "idle"}]})"},
         {"/guests/0: with this there are 2100000 workloads and page classes"});
  // 313 and 317 have no common divisor: 99,221 different guests, of 15 values each and more.
  refuse("guests that all differ in much",
         {many, "/guests/0/memory=[" + repeated("\"1 GiB\",", 312) + "\"2 GiB\"]",
          "/guests/0/device_state=[" + repeated("\"1 MiB\",", 316) + "\"2 MiB\"]",
          R"(/guests/0/workload={"kind": "mix", "parts": [)" + repeated(R"({"kind": "idle"},)", 9) +
              R"({"kind": "idle"}]})"},
         {"/guests/0: its lists make 99221 different ones"});
  refuse("more than there may be", {"/guests/0/count=100001"}, {"/guests/0/count", "from 1 to 100000"});
}

// ---------------------------------------------------------------- recordings

TEST(BadRecording, WhateverIsWrong) {
  const Folder folder;
  std::string trace = read_file(std::string(GODWIT_SOURCE_DIR) + "/fuzz/tiny.gwt");
  const auto refuse = [&](const std::string& name, const std::string& file, const std::vector<std::string>& hints,
                          const std::string& also = "/guests/0/vcpus=1") {
    std::vector<std::string> all{"/guests/0/workload/file"};
    all.insert(all.end(), hints.begin(), hints.end());
    expect_set_refused(name, {also, R"(/guests/0/workload={"kind": "recorded", "file": ")" + file + R"("})"}, all);
  };
  refuse("a folder", folder.path(""), {"there is no file"});
  refuse("a pipe", "/dev/null", {"there is no file /dev/null"});
  refuse("a name with a zero byte", "../../fuzz/tiny.gwt\\u0000", {"there is no file"});
  refuse("no trace", folder.file("prose.gwt", "not a trace"), {"prose.gwt is no trace", "at byte 0"});
  refuse("an empty file", folder.file("empty.gwt", ""), {"empty.gwt is no trace"});
  refuse("half a trace", folder.file("half.gwt", trace.substr(0, trace.size() / 2)), {"truncated (at byte"});
  trace[trace.size() - 40] ^= 1;
  refuse("a flipped bit far in", folder.file("flipped.gwt", trace), {"flipped.gwt is no trace", "(at byte"});
  refuse("another page size", "../../fuzz/tiny.gwt", {"the trace has pages of 4 KiB, the guest of 64 KiB"},
         "/guests/0/page_size=64 KiB");
  refuse("too little room", "../../workloads/recordings/redis.gwt", {"needs 87196 KiB of memory, but there are only"},
         "/guests/0/memory=16 MiB");
}

TEST(BadRecording, StopsAComparisonToo) {
  const Folder folder;
  std::string trace = read_file(std::string(GODWIT_SOURCE_DIR) + "/fuzz/tiny.gwt");
  trace[trace.size() - 40] ^= 1;
  const Ran ran =
      godwit({"compare", kIdle, "--json", folder.path("result.json"), "--set",
              R"(/guests/0/workload={"kind": "recorded", "file": ")" + folder.file("t.gwt", trace) + "\"}"});
  EXPECT_EQ(ran.status, 2);
  EXPECT_EQ(ran.out, "");
  EXPECT_THAT(ran.err, HasSubstr("/guests/0/workload/file"));
  EXPECT_THAT(entries(folder.path("")), testing::ElementsAre("t.gwt"));
}

// ---------------------------------------------------------------- --set and --seed

TEST(BadSet, Pointers) {
  expect_set_refused("no assignment", {"/guests/0/memory"}, {"--set /guests/0/memory: expected /pointer=value"});
  expect_set_refused("nothing", {""}, {"expected /pointer=value"});
  expect_set_refused("no pointer", {"=1"}, {"expected a JSON pointer such as /guests/0/memory"});
  expect_set_refused("an element that is not there", {"/hosts/7/cores=1"}, {"/hosts has no element 7"});
  expect_set_refused("an index that is no number", {"/hosts/first/cores=1"}, {"/hosts has no element first"});
  expect_set_refused("an index with a zero before it", {"/hosts/00/cores=1"}, {"/hosts has no element 00"});
  expect_set_refused("a negative index", {"/hosts/-1/cores=1"}, {"/hosts has no element -1"});
  expect_set_refused("an index beyond 2^64", {"/hosts/18446744073709551616/cores=1"}, {"/hosts has no element"});
  expect_set_refused("into a text", {"/name/x=1"}, {"/name has no element x"});
  expect_set_refused("60,000 steps", {repeated("/a", 60'000) + "=1"}, {"--set /a/a", "at most 64 steps, got 60000"});
  expect_set_refused("a field that nobody knows", {"/guests/0/wrkload/kind=idle"}, {"did you mean workload?"});
}

TEST(BadSet, Values) {
  expect_set_refused("60,000 brackets", {"/hosts=" + repeated("[", 60'000) + repeated("]", 60'000)},
                     {"--set /hosts=[[", "nested more than 64 deep"});
  expect_set_refused("not UTF-8", {"/question=\xff\xfe"}, {"--set /question", "this is not UTF-8"});
  expect_set_refused("a name that is not UTF-8", {"/expect/~1\xff/at_most=1"}, {"this is not UTF-8"});
  expect_set_refused("a name twice", {R"(/migrations/0/goal={"downtime": "1 s", "downtime": "2 s"})"},
                     {"--set /migrations/0/goal", "\"downtime\" is given twice"});
  expect_set_refused("a list for an object", {"/guests/0=[]"}, {"/guests/0: expected an object (a virtual machine)"});
  expect_set_refused("the largest number", {"/seed=1e308"}, {"/seed: expected a whole number"});
}

TEST(BadSet, Seeds) {
  for (const char* seed : {"-1", "9223372036854775808", "99999999999999999999999", "1.5", "0x"})
    expect_refused({seed, {kIdle, "--seed", seed}, {"--seed", seed}});
}

// ---------------------------------------------------------------- other files

TEST(BadDocument, ThatIsNoResultOrGolden) {
  const Folder folder;
  const auto refuse = [&](const std::vector<std::string>& arguments, const std::vector<std::string>& hints) {
    const Ran ran = godwit(arguments);
    EXPECT_EQ(ran.status, 2) << ran.err.substr(0, 2000);
    EXPECT_EQ(ran.out, "");
    for (const std::string& hint : hints) EXPECT_THAT(ran.err, HasSubstr(hint));
  };
  const std::string sound = folder.file("a.json", godwit({"run", kIdle, "--json", "-"}).out);
  refuse({"diff", sound, "/dev/zero"}, {"/dev/zero", "larger than"});
  refuse({"diff", sound, folder.file("deep.json", repeated("[", 100'000))}, {"deep.json:1:65", "nested more than 64"});
  refuse({"diff", sound,
          folder.file("list.json", R"({"godwit": {"result_version": 1}, "scenario": [], "migrations": []})")},
         {"list.json", "expected a result"});
  refuse({"restore", "/dev/zero"}, {"/dev/zero", "not a checkpoint"});
  std::string claims = "GODWITCK" + std::string("\1\0\0\0", 4) + std::string("\0\0\0\1", 4) + std::string(8, '\x7f');
  refuse({"restore", folder.file("huge.ckpt", claims + std::string(4, '\0'))}, {"huge.ckpt", "larger than any"});
}

// ---------------------------------------------------------------- absurd, but it can be computed

struct Absurd {
  const char* name;
  std::vector<std::string> set;
  const char* status;
  const char* reason;
};

TEST(AbsurdScenario, EndsWithAResult) {
  const std::string busiest = R"(/guests/0/workload={"kind": "uniform", "write_rate": "1000000 Mpages/s"})";
  const Absurd cases[] = {
      {"the largest guest on the slowest link",
       {"/guests/0/memory=16 TiB", busiest, "/links/0/bandwidth=1 kbit/s"},
       "unfinished",
       "horizon"},
      {"a latency longer than the run", {"/links/0/latency=10 s", "/horizon=1 s"}, "unfinished", "horizon"},
      {"nothing but free memory", {R"(/guests/0/pages=[{"class": "free", "share": "100 %"}])"}, "completed", ""},
  };
  for (const Absurd& each : cases) {
    SCOPED_TRACE(each.name);
    std::vector<std::string> arguments{"run", kIdle, "--json", "-", "--set", "/expect={}"};
    for (const std::string& set : each.set) arguments.insert(arguments.end(), {"--set", set});
    const Ran ran = godwit(arguments);
    ASSERT_EQ(ran.status, 0) << ran.err;
    const Json migration = Json::parse(ran.out)["migrations"][0];
    EXPECT_EQ(migration["status"], each.status);
    EXPECT_EQ(migration["reason"].is_null() ? "" : migration["reason"].get<std::string>(), each.reason);
  }
}

}  // namespace
}  // namespace godwit::test
