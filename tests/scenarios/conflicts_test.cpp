#include <gtest/gtest.h>

#include <string>
#include <variant>
#include <vector>

#include "scenarios/load.h"

// What QEMU refuses to have together is refused here, all of it at once. Source: QEMU 10.2, migration/options.c.
namespace godwit::scenarios {
namespace {

std::vector<Issue> issues_of(const char* parameters) {
  const std::string text =
      R"({"hosts": [{"name": "a"}, {"name": "b"}], "links": [{"between": ["a", "b"]}],
          "guests": [{"name": "g", "memory": "64 MiB"}],
          "migrations": [{"to": "b", "strategy": {"name": "qemu-10", )" +
      std::string(parameters) + "}}]}";
  const LoadResult result = load_text(text, "s.json", {});
  if (const auto* issues = std::get_if<std::vector<Issue>>(&result)) return *issues;
  return {};
}

struct Conflict {
  const char* parameters;
  const char* says;
};

class QemuConflicts : public testing::TestWithParam<Conflict> {};

TEST_P(QemuConflicts, AreRefused) {
  const std::vector<Issue> issues = issues_of(GetParam().parameters);
  ASSERT_EQ(issues.size(), 1u);
  EXPECT_NE(issues[0].message.find(GetParam().says), std::string::npos) << issues[0].message;
  EXPECT_EQ(issues[0].pointer, "/migrations/0/strategy");
}

INSTANTIATE_TEST_SUITE_P(Options, QemuConflicts,
                         testing::Values(Conflict{R"("xbzrle": true, "multifd_channels": 2)", "exclude each other"},
                                         Conflict{
                                             R"("dirty_limit": true, "auto_converge": true, "accel": "kvm-dirty-ring")",
                                             "dirty_limit and throttle (auto_converge) exclude each other"},
                                         Conflict{R"("dirty_limit": true)", "needs a dirty ring"},
                                         Conflict{R"("dirty_limit": true, "accel": "tcg")", "needs a dirty ring"},
                                         Conflict{R"("postcopy_preempt": true)", "needs post-copy"},
                                         Conflict{R"("xbzrle": true, "xbzrle_cache_size": "48 MiB")", "power of two"}));

TEST(QemuOptions, ThatGoTogetherAreTaken) {
  EXPECT_TRUE(issues_of(R"("dirty_limit": true, "accel": "kvm-dirty-ring", "vcpu_dirty_limit": "10 MiB/s")").empty());
  EXPECT_TRUE(issues_of(R"("postcopy_preempt": true, "postcopy": "on", "multifd_channels": 2)").empty());
  EXPECT_TRUE(issues_of(R"("avail_switchover_bandwidth": "10 Gbit/s", "auto_converge": true)").empty());
}

TEST(QemuOptions, AllConflictsAreSaidAtOnce) {
  const auto issues = issues_of(
      R"("xbzrle": true, "multifd_channels": 2, "dirty_limit": true, "auto_converge": true, "postcopy_preempt": true)");
  EXPECT_EQ(issues.size(), 4u);
}

}  // namespace
}  // namespace godwit::scenarios
