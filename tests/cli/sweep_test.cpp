#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <functional>
#include <string>
#include <thread>
#include <vector>

#include "report/format.h"
#include "studies/sqlite.h"
#include "tests/support/command.h"

namespace godwit::test {
namespace {

using studies::Database;
using studies::SqlValue;
using testing::HasSubstr;

constexpr const char* kSweep = R"({
  "base": {
    "hosts": [{"name": "a"}, {"name": "b"}], "links": [{"between": ["a", "b"]}],
    "guests": [{"name": "g", "memory": "64 MiB", "workload": {"kind": "uniform", "write_rate": "1000 pages/s"}}],
    "migrations": [{"to": "b", "strategy": "pre-copy"}]
  },
  "vary": {"/guests/0/workload/write_rate": {"from": "100 pages/s", "to": "2000 pages/s", "steps": 10}},
  "seeds": SEEDS
})";

std::string sweep_text(int seeds) {
  std::string text = kSweep;
  return text.replace(text.find("SEEDS"), 5, std::to_string(seeds));
}

std::string content_of(const Ran& ran) {
  const auto at = ran.out.find("content ");
  return at == std::string::npos ? "no content: " + ran.out + ran.err : ran.out.substr(at);
}

TEST(SweepCommand, JobsShardsAndResumesComeToTheSame) {
  const Folder folder;
  const std::string file = folder.file("s.json", sweep_text(5)), whole = folder.path("whole.sqlite");
  const Ran one = godwit({"sweep", file, "--jobs", "1", "--out", whole, "--csv", folder.path("whole.csv")});
  ASSERT_EQ(one.status, 0) << one.err;
  EXPECT_THAT(one.out, HasSubstr("50 of 50 points"));
  EXPECT_EQ(content_of(godwit({"sweep", file, "--jobs", "3", "--out", folder.path("3.sqlite")})), content_of(one));
  std::vector<std::string> merge{"merge", "-o", folder.path("merged.sqlite"), "--csv", folder.path("merged.csv")};
  for (const char* i : {"2", "1", "3"}) {
    const std::string part = folder.path(std::string(i) + "-of-3.sqlite");
    EXPECT_EQ(godwit({"sweep", file, "--shard", std::string(i) + "/3", "--out", part}).status, 0);
    merge.push_back(part);
  }
  const Ran merged = godwit(merge);
  EXPECT_EQ(merged.status, 0) << merged.err;
  EXPECT_EQ(content_of(merged), content_of(one));
  const std::string csv = read_file(folder.path("whole.csv"));
  EXPECT_EQ(read_file(folder.path("merged.csv")), csv);
  EXPECT_TRUE(csv.starts_with("point,guests_0_workload_write_rate_pages_per_s,seed,outcome,")) << csv.substr(0, 100);
  EXPECT_FALSE(std::filesystem::exists(whole + "-wal")) << "a finished output is one file";
}

TEST(SweepCommand, AMissingShardIsSaid) {
  const Folder folder;
  const std::string file = folder.file("s.json", sweep_text(1)), part = folder.path("1.sqlite");
  ASSERT_EQ(godwit({"sweep", file, "--shard", "1/2", "--out", part}).status, 0);
  const Ran ran = godwit({"merge", part, "-o", folder.path("merged.sqlite")});
  EXPECT_EQ(ran.status, 1);
  EXPECT_THAT(ran.err, HasSubstr("5 points missing, the first of them 1;"));
  const Ran resumed = godwit({"sweep", file, "--resume", "--out", folder.path("merged.sqlite")});
  EXPECT_EQ(resumed.status, 0) << resumed.err;
  EXPECT_EQ(content_of(resumed), content_of(godwit({"sweep", file, "--out", folder.path("whole.sqlite")})));
}

std::int64_t rows_in(const std::string& store) {
  try {
    const SqlValue count = Database(store, Database::Access::kRead).value("SELECT count(*) FROM runs");
    return std::get<std::int64_t>(count);
  } catch (const studies::StoreError&) {  // not there yet
    return 0;
  }
}

/// Runs `command` until some rows beyond `before` are committed, then kills, as nothing can be caught, the processes that
/// `whom` names, which is told the command's own. Returns how the command ended.
int run_and_kill(std::vector<std::string> command, const std::string& out, std::int64_t before,
                 const std::function<std::vector<pid_t>(pid_t)>& whom) {
  std::vector<char*> raw;
  for (std::string& each : command) raw.push_back(each.data());
  raw.push_back(nullptr);
  const pid_t child = ::fork();
  if (child == 0) {
    const int null = ::open("/dev/null", O_WRONLY);
    ::dup2(null, 1);
    ::dup2(null, 2);
    ::execvp(raw.front(), raw.data());
    ::_exit(127);
  }
  int status = 0;
  while (rows_in(out) <= before) {
    if (::waitpid(child, &status, WNOHANG) != 0) return status;
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
  }
  for (const pid_t each : whom(child)) ::kill(each, SIGKILL);
  ::waitpid(child, &status, 0);
  return status;
}

TEST(SweepCommand, KilledThreeTimesAndResumedComesToTheSame) {
  const Folder folder;
  const std::string file = folder.file("s.json", sweep_text(1000)), out = folder.path("killed.sqlite");
  const std::vector<std::string> command{GODWIT_BINARY, "sweep", file, "--resume", "--jobs", "1", "--out", out};
  for (int i = 0; i < 3; ++i)
    run_and_kill(command, out, rows_in(out), [](pid_t itself) { return std::vector{itself}; });
  const std::int64_t kept = rows_in(out);
  EXPECT_GT(kept, 0);
  const Ran resumed = godwit({"sweep", file, "--resume", "--out", out});
  EXPECT_EQ(resumed.status, 0) << resumed.err;
  EXPECT_EQ(content_of(resumed), content_of(godwit({"sweep", file, "--out", folder.path("whole.sqlite")})));
}

/// What keeps mpirun from spreading sweeps here; empty: nothing.
std::string no_mpi() {
  if (godwit({"version"}).out.find("MPI: yes") == std::string::npos) return "this godwit was built without MPI";
  return run_program({"mpirun", "--version"}).status == 0 ? "" : "mpirun is not installed";
}

/// As root, on fewer cores than ranks, and with the sanitizers told that Open MPI is none of ours.
std::vector<std::string> mpirun(int ranks, const std::vector<std::string>& command) {
  std::vector<std::string> words{"env",
                                 "OMPI_ALLOW_RUN_AS_ROOT=1",
                                 "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1",
                                 "ASAN_OPTIONS=detect_leaks=0",
                                 "TSAN_OPTIONS=ignore_noninstrumented_modules=1",
                                 "mpirun",
                                 "--oversubscribe",
                                 "--bind-to",
                                 "none",
                                 "-n",
                                 std::to_string(ranks)};
  words.insert(words.end(), command.begin(), command.end());
  return words;
}

TEST(SweepCommand, RanksComeToTheSame) {
  if (const std::string why = no_mpi(); !why.empty()) GTEST_SKIP() << why;
  const Folder folder;
  const std::string file = folder.file("s.json", sweep_text(20)), out = folder.path("ranks.sqlite");
  const Ran one = godwit({"sweep", file, "--jobs", "1", "--out", folder.path("one.sqlite")});
  const Ran three = run_program(mpirun(3, {GODWIT_BINARY, "sweep", file, "--out", out}));
  EXPECT_EQ(three.status, 0) << three.err;
  EXPECT_EQ(content_of(three), content_of(one));
  const Ran threads =
      run_program(mpirun(2, {GODWIT_BINARY, "sweep", file, "--jobs", "2", "--out", folder.path("two.sqlite")}));
  EXPECT_EQ(threads.status, 0) << threads.err;
  EXPECT_EQ(content_of(threads), content_of(one));
  std::vector<std::string> merge{"merge", "-o", folder.path("merged.sqlite")};
  for (const char* shard : {"1/3", "2/3", "3/3"}) {
    const std::string part = folder.path(std::string(1, *shard) + ".sqlite");
    EXPECT_EQ(run_program(mpirun(2, {GODWIT_BINARY, "sweep", file, "--shard", shard, "--out", part})).status, 0);
    merge.push_back(part);
  }
  EXPECT_EQ(content_of(godwit(merge)), content_of(one));

  const Ran again = run_program(mpirun(3, {GODWIT_BINARY, "sweep", file, "--out", out}));
  EXPECT_EQ(again.status, 2);
  EXPECT_THAT(again.err, HasSubstr("--resume goes on with it"));
}

// Open MPI ends the whole job when a rank dies.
TEST(SweepCommand, RanksKilledThreeTimesAndResumedComeToTheSame) {
  if (const std::string why = no_mpi(); !why.empty()) GTEST_SKIP() << why;
  const Folder folder;
  const std::string file = folder.file("s.json", sweep_text(2000)), out = folder.path("killed.sqlite");
  // Each rank leaves its process id, and what rank 0 says.
  const std::string rank = folder.file("rank", "cd '" + folder.path("") +
                                                   "'; echo $$ >pid.$OMPI_COMM_WORLD_RANK; exec '" GODWIT_BINARY
                                                   "' sweep s.json --resume --out killed.sqlite 2>>err\n");
  const auto kill_in_midst = [&](const std::vector<int>& ranks) {
    const std::int64_t kept = rows_in(out);
    std::filesystem::remove(folder.path("err"));
    const int status = run_and_kill(mpirun(3, {"sh", rank}), out, kept, [&](pid_t) {
      std::vector<pid_t> killed;
      for (const int each : ranks) killed.push_back(std::stoi(read_file(folder.path("pid." + std::to_string(each)))));
      return killed;
    });
    EXPECT_GT(rows_in(out), kept) << read_file(folder.path("err"));
    return status;
  };
  kill_in_midst({0});
  kill_in_midst({0});
  ::setenv("OMPI_MCA_odls_base_sigkill_timeout", "4", 1);  // [s]; that rank 0 speaks at leisure on a busy machine
  const int status = kill_in_midst({1, 2});
  if (const std::int64_t kept = rows_in(out); kept < 20'000) {  // not where it was too quick for us
    EXPECT_FALSE(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    EXPECT_THAT(read_file(folder.path("err")),
                HasSubstr("interrupted; " + report::grouped(20'000 - kept) + " points missing, the first of them"));
  }
  const Ran resumed = run_program(mpirun(3, {GODWIT_BINARY, "sweep", file, "--resume", "--out", out}));
  EXPECT_EQ(resumed.status, 0) << resumed.err;
  EXPECT_EQ(content_of(resumed), content_of(godwit({"sweep", file, "--out", folder.path("whole.sqlite")})));
}

TEST(SweepCommand, AnOutputThatIsThereStaysAsItIs) {
  const Folder folder;
  const std::string file = folder.file("s.json", sweep_text(1)), out = folder.path("s.sqlite");
  const std::string other = folder.file("other.json", sweep_text(2));
  ASSERT_EQ(godwit({"sweep", file, "--out", out}).status, 0);
  const std::string before = read_file(out);
  const auto refused = [&](const std::vector<std::string>& arguments, const std::string& hint) {
    const Ran ran = godwit(arguments);
    EXPECT_EQ(ran.status, 2) << ran.out;
    EXPECT_THAT(ran.err, HasSubstr(hint));
  };
  refused({"sweep", file, "--out", out}, "has 10 of the sweep's 10 points already; --resume");
  refused({"sweep", other, "--out", out}, "another sweep; it stays as it is");
  refused({"sweep", other, "--out", out, "--resume"}, "another sweep; it stays as it is");
  refused({"sweep", file, "--shard", "1/2", "--out", out, "--resume"}, "shard 1/1");
  refused({"merge", out, "-o", out}, "there already");
  refused({"sweep", file, "--out", folder.file("text", "no database, but long enough to be looked at as one")},
          "no SQLite database");
  EXPECT_TRUE(read_file(out) == before) << "to the byte";

  Database(out, Database::Access::kWrite).run("PRAGMA user_version=0");
  refused({"sweep", file, "--out", out, "--resume"}, "of format 0; this godwit reads and writes format 1");
  Database(out, Database::Access::kWrite).run("PRAGMA application_id=1");
  refused({"sweep", file, "--out", out, "--resume"}, "not the output of a sweep");
}

TEST(SweepCommand, AFullDiskLosesNoCommittedRow) {
  const Folder folder;
  const std::string file = folder.file("s.json", sweep_text(1000)), out = folder.path("s.sqlite");
  // No file may grow beyond 500 blocks of 1024 bytes; some 10,000 rows need more. A shell's `ulimit -f` counts so.
  const std::string command = "trap '' XFSZ; ulimit -f 500; exec '" + std::string(GODWIT_BINARY) + "' sweep '" + file +
                              "' --out '" + out + "' >/dev/null 2>'" + folder.path("err") + "'";
  const int status = std::system(("bash -c \"" + command + "\"").c_str());
  EXPECT_EQ(WEXITSTATUS(status), 2);
  EXPECT_THAT(read_file(folder.path("err")), HasSubstr("are kept; --resume goes on with them"));
  const std::int64_t kept = rows_in(out);
  EXPECT_GT(kept, 0);
  EXPECT_LT(kept, 10'000);
  const Ran resumed = godwit({"sweep", file, "--resume", "--out", out});
  EXPECT_EQ(resumed.status, 0) << resumed.err;
  EXPECT_EQ(content_of(resumed), content_of(godwit({"sweep", file, "--out", folder.path("whole.sqlite")})));
}

TEST(SweepCommand, TheFileSaysWhatItsColumnsAre) {
  const Folder folder;
  const std::string out = folder.path("s.sqlite");
  ASSERT_EQ(godwit({"sweep", folder.file("s.json", sweep_text(1)), "--out", out}).status, 0);
  Database store(out, Database::Access::kRead);
  EXPECT_EQ(store.value("SELECT unit FROM columns WHERE name = 'downtime_ms'"), SqlValue("ms"));
  EXPECT_EQ(store.value("SELECT pointer FROM columns WHERE role = 'axis'"), SqlValue("/guests/0/workload/write_rate"));
  EXPECT_EQ(store.value("SELECT count(*) FROM columns WHERE description = ''"), SqlValue(std::int64_t{0}));
  EXPECT_EQ(store.value("SELECT count(*) FROM pragma_table_info('runs') AS t LEFT JOIN columns AS c USING (name)"
                        " WHERE c.name IS NULL OR c.type <> t.type"),
            SqlValue(std::int64_t{0}));
  EXPECT_EQ(store.value("SELECT json_extract(value, '$.seeds') FROM about WHERE name = 'sweep'"),
            SqlValue(std::int64_t{1}));
}

TEST(SweepCommand, WrongWordsOfTheCommandLine) {
  const Folder folder;
  const std::string file = folder.file("s.json", sweep_text(1));
  for (const char* shard : {"0/3", "4/3", "1", "1/3x", "a/b"}) {
    const Ran ran = godwit({"sweep", file, "--shard", shard});
    EXPECT_EQ(ran.status, 2) << shard;
    EXPECT_THAT(ran.err, HasSubstr("such as 2/3")) << shard;
  }
  const Ran ran = godwit({"sweep", file, "--point", "10"});
  EXPECT_EQ(ran.status, 2);
  EXPECT_THAT(ran.err, HasSubstr("from 0 to 9"));
}

}  // namespace
}  // namespace godwit::test
