#include "report/run_json.h"

#include <gtest/gtest.h>

#include "tests/support/scenario.h"

namespace godwit::report {
namespace {

TEST(RunJson, TheTextIsThatOfTheDocument) {
  sim::RunOptions run = test::plain_run();
  const Json effective{{"name", "x"}, {"list", Json::array()}};
  for (int more = 0; more < 3; ++more) {
    const sim::RunResult result = sim::run(run);
    ASSERT_EQ(result.migrations.size(), run.migrations.size());
    EXPECT_EQ(run_json_text(result, effective), run_json(result, effective).dump(2) + "\n");
    run.migrations.push_back(run.migrations.front());
  }
  EXPECT_EQ(run_json_text({}, effective), run_json({}, effective).dump(2) + "\n");
}

}  // namespace
}  // namespace godwit::report
