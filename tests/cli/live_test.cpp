// What `godwit live` says; tests/scripts/live.sh has processes move by hand.
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "live/guest_host.h"
#include "tests/support/command.h"

namespace godwit::test {
namespace {

using Json = nlohmann::json;

class Live : public testing::Test {
 protected:
  void SetUp() override {
    if (const auto why = live::guests_unsupported()) GTEST_SKIP() << *why;
  }
  Folder folder_;
};

TEST_F(Live, TheDemoIsVerifiedBothWaysAndPredictedBeforehand) {
  const std::string profile = folder_.file(
      "host.json",
      R"({"name": "here", "summary": "For a test.", "costs": {"copy_page": "400 ns", "apply_page": "600 ns"}})");
  const Ran ran = godwit({"live", "demo", "--memory", "16 MiB", "--hot-memory", "1 MiB", "--profile", profile, "--json",
                          "-", "--seeds", "2"});
  ASSERT_EQ(ran.status, 0) << ran.out << ran.err;
  const Json document = Json::parse(ran.out);
  ASSERT_EQ(document["moves"].size(), 2u);
  for (const Json& move : document["moves"]) {
    EXPECT_EQ(move["verified"], true);
    for (const char* which : {"measured", "predicted"}) {
      for (const char* field : {"downtime_ms", "total_time_ms", "service_gap_ms", "transferred_bytes", "rounds",
                                "sender_cpu_ms", "destination_cpu_ms"}) {
        EXPECT_GT(move[which][field].get<double>(), 0) << which << " " << field;
      }
    }
    // All of 16 MiB goes at least once.
    EXPECT_GE(move["measured"]["transferred_bytes"].get<std::uint64_t>(), 16u << 20);
  }
  EXPECT_GT(document["moves"][0]["measured"]["shadow_pages"].get<std::uint64_t>(), 0u);
}

TEST_F(Live, ACalibratedHostIsOneForScenarios) {
  const std::string profile = folder_.path("costs.json");
  ASSERT_EQ(godwit({"live", "calibrate", "--plain", "-o", profile}).status, 0);
  Json costs = Json::parse(read_file(profile));
  ASSERT_TRUE(costs.contains("copy_page"));
  Json scenario = Json::parse(read_file(GODWIT_SOURCE_DIR "/scenarios/library/idle_guest.json"));
  for (Json& host : scenario.at("hosts")) host["profile"] = costs;
  const Ran ran = godwit({"run", folder_.file("calibrated.json", scenario.dump())});
  EXPECT_EQ(ran.status, 0) << ran.err;
}

TEST(LiveInput, IsRefusedWithWhatWouldBeRight) {
  const Ran demo = godwit({"live", "demo", "--memory", "1", "--hot-share", "5 MiB"});
  EXPECT_EQ(demo.status, 2);
  EXPECT_NE(demo.err.find("--memory: expected an amount of memory"), std::string::npos) << demo.err;
  EXPECT_NE(demo.err.find("--hot-share: expected a share"), std::string::npos) << demo.err;
  const Ran send = godwit({"live", "send", "--to", "nowhere", "--token-file", "/nonexistent"});
  EXPECT_EQ(send.status, 2);
  EXPECT_NE(send.err.find("--to: expected HOST:PORT"), std::string::npos) << send.err;
  EXPECT_NE(send.err.find("--token-file"), std::string::npos) << send.err;
}

}  // namespace
}  // namespace godwit::test
