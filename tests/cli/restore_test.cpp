#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/command.h"

namespace godwit::test {
namespace {

using testing::HasSubstr;

/// A guest of 4 MiB that is checkpointed to `file`.
std::string scenario_for(const std::string& file) {
  return R"({"hosts": [{"name": "a"}], "guests": [{"name": "g", "memory": "4 MiB", "contents": "bytes"}],
             "migrations": [{"to": {"file": ")" +
         file + R"("}, "strategy": "self-checkpoint"}]})";
}

class Restore : public testing::Test {
 protected:
  Restore() {
    const Ran made = godwit({"run", folder_.file("g.json", scenario_for(file_))});
    EXPECT_EQ(made.status, 0) << made.err;
    whole_ = read_file(file_);
  }
  Ran restore(const std::string& contents) { return godwit({"restore", folder_.file("tried.ckpt", contents)}); }

  Folder folder_;
  std::string file_ = folder_.path("g.ckpt");
  std::string whole_;
};

TEST_F(Restore, StartsFromASoundCheckpoint) {
  const Ran r = restore(whole_);
  EXPECT_EQ(r.status, 0) << r.err;
  EXPECT_THAT(r.out, HasSubstr("sound"));
  EXPECT_THAT(r.out, HasSubstr("starts   on a"));
}

void expect_refused(const Ran& r, const std::string& because) {
  EXPECT_EQ(r.status, 2);
  EXPECT_EQ(r.out, "");
  EXPECT_THAT(r.err, HasSubstr(because));
}

TEST_F(Restore, RefusesWhatIsCutShort) {
  for (const std::size_t keep : {std::size_t{9}, std::size_t{27}, whole_.size() / 2, whole_.size() - 1})
    expect_refused(restore(whole_.substr(0, keep)), "cut short");
}

TEST_F(Restore, RefusesWhatIsAltered) {
  std::string header = whole_, records = whole_;
  header[40] = static_cast<char>(header[40] ^ 1);
  records[whole_.size() / 2] = static_cast<char>(records[whole_.size() / 2] ^ 1);
  expect_refused(restore(header), "altered");
  expect_refused(restore(records), "the checksum does not match, at byte");
  expect_refused(restore(whole_ + "x"), "something follows its end");
}

TEST_F(Restore, RefusesAnotherVersionOfTheFormat) {
  std::string other = whole_;
  other[8] = 2;
  expect_refused(restore(other), "version 2 of the format, and this Godwit reads version 1");
}

TEST_F(Restore, RefusesWhatIsNoCheckpoint) {
  expect_refused(restore("{}"), "not a checkpoint");
  expect_refused(restore(""), "empty; expected a checkpoint");
  expect_refused(godwit({"restore", folder_.path("none.ckpt")}), "no such file");
  expect_refused(godwit({"restore", file_, "--host", "aa"}), "did you mean a");
  expect_refused(godwit({"restore", file_, "--for", "3"}), "expected a time such as");
}

TEST_F(Restore, LeavesNoFileWhereTheCheckpointFailed) {
  const std::string none = folder_.path("failed.ckpt");
  const Ran r = godwit({"run", folder_.file("g.json", scenario_for(none)), "--set",
                        "/events=[{\"do\": \"corrupt\", \"at\": \"1 ms\"}]"});
  EXPECT_EQ(r.status, 0) << r.err;
  EXPECT_THAT(r.out, HasSubstr("failed (corrupt stream)"));
  EXPECT_EQ(godwit({"restore", none}).status, 2);
}

TEST(Checkpoint, NeedsTheStrategyAndTheFile) {
  const Folder folder;
  const Ran host = godwit({"run", "scenarios/library/checkpoint_to_disk.json", "--set", "/migrations/0/to=a"});
  EXPECT_EQ(host.status, 2);
  EXPECT_THAT(host.err, HasSubstr("/migrations/0/to: self-checkpoint goes to a file"));
  const Ran strategy =
      godwit({"run", "scenarios/library/checkpoint_to_disk.json", "--set", "/migrations/0/strategy=clark05"});
  EXPECT_EQ(strategy.status, 2);
  EXPECT_THAT(strategy.err, HasSubstr("/migrations/0/strategy: clark05 goes to a host"));
}

}  // namespace
}  // namespace godwit::test
