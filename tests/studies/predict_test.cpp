#include "studies/predict.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "scenarios/quantity.h"
#include "sim/run.h"

namespace godwit::studies {
namespace {

using std::chrono::milliseconds;
using testing::HasSubstr;

constexpr BitsPerSecond kMegabit{1'000'000};

/// A guest that writes one page of 4 KiB after the other, between hosts that cost nothing.
scenarios::Loaded scenario(const std::string& memory, const std::string& workload, const std::string& strategy) {
  const std::string text = R"({"hosts": [{"name": "a", "profile": "ideal"}, {"name": "b", "profile": "ideal"}],
    "links": [{"between": ["a", "b"], "latency": "0 s"}],
    "guests": [{"name": "g", "memory": ")" +
                           memory + R"(", "device_state": "0 B", "workload": )" + workload + R"(}],
    "migrations": [{"to": "b", "strategy": )" +
                           strategy + "}]}";
  auto loaded = scenarios::load_text(text, "test", ".");
  if (const auto* issues = std::get_if<std::vector<scenarios::Issue>>(&loaded))
    ADD_FAILURE() << scenarios::to_string(*issues);
  return std::get<scenarios::Loaded>(std::move(loaded));
}

Predictions predictions_of(const scenarios::Loaded& loaded, const PredictOptions& options) {
  auto result = predict(loaded, options);
  auto predictions = std::get<std::optional<Predictions>>(std::move(result)).value();
  find_least(loaded, options, predictions);
  EXPECT_EQ(predictions.searches_missing(), 0u);
  return predictions;
}

constexpr const char* kBare = R"({"name": "pre-copy", "page_header": "0 B"})";

/// The true value lies between the two, and they are no further apart than the resolution.
void expect_between(const Least& least, std::uint64_t truth, std::uint64_t unit) {
  ASSERT_TRUE(least.value);
  EXPECT_LT(least.fails, truth);
  EXPECT_GE(*least.value, truth);
  EXPECT_LE(*least.value - least.fails, std::max(*least.value / kLeastResolution, unit));
}

// 10,000 new pages a second are 10,000 x 4096 x 8 = 327.68 Mbit/s. A link that carries more leaves less pending after each
// round, down to any limit; one that carries less leaves more, up to all 64 MiB, which take 1.6 s.
TEST(Predict, ASequentialWriterConvergesIfItWritesLessThanTheLinkCarries) {
  const auto loaded = scenario("64 MiB", R"({"kind": "sequential", "write_rate": "10000 pages/s"})", kBare);
  const PredictOptions options{.bandwidths = {kMegabit * 320, kMegabit * 340}, .downtimes = {milliseconds(300)}};
  const Predictions found = predictions_of(loaded, options);
  EXPECT_FALSE(found.cells[0].converges());
  EXPECT_THAT(found.cells[0].outcome, HasSubstr("unfinished"));
  EXPECT_TRUE(found.cells[1].converges());
  expect_between(found.bandwidth[0], 327'680'000, 1000);
  EXPECT_TRUE(found.throttle.empty());  // generic pre-copy has none
}

// 32 MiB are written anew in each round: what is pending at the stop takes 2^25 x 8 / 10^9 = 268.4 ms at 1 Gbit/s, and
// fits 200 ms from 2^25 x 8 / 0.2 = 1342.2 Mbit/s on.
TEST(Predict, AHotPartThatIsAlwaysDirtySetsTheDowntime) {
  const auto loaded =
      scenario("64 MiB", R"({"kind": "sequential", "write_rate": "100000 pages/s", "memory": "32 MiB"})", kBare);
  const PredictOptions options{.bandwidths = {kMegabit * 1000}, .downtimes = {milliseconds(200), kNever}, .seeds = 2};
  const Predictions found = predictions_of(loaded, options);
  EXPECT_FALSE(found.cells[0].converges());
  ASSERT_TRUE(found.cells[1].converges());
  EXPECT_EQ(found.cells[1].runs, 2u);
  EXPECT_NEAR(found.cells[1].downtime_ms.p95, 268.4, 0.1);
  expect_between(found.bandwidth[0], 1'342'177'280, 1000);
  expect_between(found.downtime[0], 268'435'456, kMillion);
}

// 1000 Mbit/s fail and nothing is known to do: a search for the bandwidth asks of 10 Tbit/s first, and then of what lies
// between. Each answer is a run, so that one which is ended at the third has made two.
TEST(Predict, ASearchEndsAfterTheRunThatItIsIn) {
  const auto loaded =
      scenario("64 MiB", R"({"kind": "sequential", "write_rate": "100000 pages/s", "memory": "32 MiB"})", kBare);
  const PredictOptions options{.bandwidths = {kMegabit * 1000}, .downtimes = {milliseconds(200)}};
  const auto asked_until = [&](std::size_t most) {
    auto predictions = std::get<std::optional<Predictions>>(predict(loaded, options)).value();
    std::size_t asked = 0, done = 0;
    find_least(loaded, options, predictions, [&](std::size_t finished, std::size_t total) {
      EXPECT_EQ(total, 2u);
      done = finished;
      return ++asked < most;
    });
    EXPECT_EQ(predictions.searches_missing(), 2 - done);
    EXPECT_EQ(predictions.bandwidth.at(0).found, done >= 1);
    EXPECT_EQ(predictions.downtime.at(0).found, done == 2);
    return asked;
  };
  EXPECT_EQ(asked_until(3), 3u);
  const std::size_t all = asked_until(SIZE_MAX);
  EXPECT_GT(all, 10u);
  for (std::size_t most = 1; most < all; ++most) EXPECT_EQ(asked_until(most), most);
}

// The writer runs ahead of the push (10,000 pages a second against 10^8 / 4104 / 8 = 3046), so that each of the 16,384
// pages is asked for. All take 16,384 x 4104 x 8 / 10^8 = 5.379 s, of which the guest works 1.638 s and waits the rest.
TEST(Predict, APostCopyGuestThatOutrunsTheLinkAsksForEveryPage) {
  const auto loaded = scenario("64 MiB", R"({"kind": "sequential", "write_rate": "10000 pages/s"})", kBare);
  const Predictions found = predictions_of(loaded, {.bandwidths = {kMegabit * 100}, .downtimes = {milliseconds(300)}});
  ASSERT_EQ(found.post_copy.size(), 2u);
  EXPECT_EQ(found.post_copy[0].strategy, "post-copy");
  const Predicted& post_copy = found.post_copy[0].at[0];
  EXPECT_EQ(post_copy.postcopy_requests.median, 16'384);
  EXPECT_NEAR(post_copy.total_time_ms.median, 5379, 1);
  EXPECT_NEAR(post_copy.postcopy_stall_ms.median, 5379 - 1638, 2);
  EXPECT_EQ(found.post_copy[1].strategy, "hybrid");
}

TEST(Predict, AnIdleGuestAsksForNothing) {
  const Predictions found = predictions_of(scenario("64 MiB", R"({"kind": "idle"})", kBare),
                                           {.bandwidths = {kMegabit * 1000}, .downtimes = {milliseconds(1)}});
  EXPECT_TRUE(found.cells[0].converges());
  for (const PostCopyPrediction& each : found.post_copy) EXPECT_EQ(each.at[0].postcopy_requests.most, 0);
}

// A strategy whose downtime nobody can limit has no least limit.
TEST(Predict, OnlyAStrategyWithALimitHasALeastLimit) {
  const Predictions found = predictions_of(scenario("64 MiB", R"({"kind": "idle"})", R"("stop-and-copy")"),
                                           {.bandwidths = {kMegabit * 1000}, .downtimes = {milliseconds(1)}});
  EXPECT_TRUE(found.downtime.empty());
}

bool completes(const scenarios::Loaded& base, std::uint64_t throttle) {
  const std::string percent = std::to_string(throttle) + " %";
  scenarios::Json document = base.document;
  document["links"][0]["bandwidth"] = "1 Gbit/s";
  document["horizon"] = "20 s";  // as long as the search has patience; in an hour chance may help
  document["migrations"][0]["strategy"] = {
      {"name", "qemu-10"},     {"downtime_limit", "100 ms"},      {"max_bandwidth", "1 Gbit/s"},
      {"auto_converge", true}, {"cpu_throttle_initial", percent}, {"max_cpu_throttle", percent}};
  const auto loaded = scenarios::load_document(document, "test", ".");
  const auto result = sim::run(std::get<scenarios::Loaded>(loaded).options);
  return result.migrations.front().status == sim::Status::kCompleted;
}

// A busy guest writes 40,000 pages a second at random: L = 40,000 x 4104 x 8 / 10^9 = 1.3133 times what 1 Gbit/s carries. Of
// its 65,536 pages a share x is dirty after a round of x, where x = 1 - exp(-L (1 - throttle) x). 100 ms carry 3046 pages,
// x = 0.04648: L (1 - throttle) = -ln(1 - x) / x = 1.0239, a throttle of 22.0 %. Below the one that was found it does not
// go over, with it it does, and both are asked of the strategy itself.
TEST(Predict, TheLeastThrottleIsWhereTheStrategyItselfBeginsToConverge) {
  const auto loaded = scenario(
      "256 MiB", R"({"kind": "uniform", "write_rate": "40000 pages/s", "demand": "busy", "cpu_per_write": "1 us"})",
      R"("qemu-10")");
  const Predictions found = predictions_of(
      loaded, {.bandwidths = {kMegabit * 1000}, .downtimes = {milliseconds(100)}, .patience = 5, .jobs = 2});
  ASSERT_FALSE(found.cells[0].converges());
  ASSERT_EQ(found.throttle.size(), 1u);
  ASSERT_TRUE(found.throttle[0] && found.throttle[0]->value);
  const std::uint64_t least = *found.throttle[0]->value;
  EXPECT_NEAR(static_cast<double>(least), 22.0, 1.0);
  EXPECT_EQ(found.throttle[0]->fails, least - 1);
  EXPECT_TRUE(completes(loaded, least));
  EXPECT_FALSE(completes(loaded, least - 1));
}

// Of the median and the 95th percentile of three seeds: the second and the third of their values in order.
TEST(Predict, PercentilesAreThoseOfTheRunsOfTheSeeds) {
  auto loaded = scenario("64 MiB", R"({"kind": "uniform", "write_rate": "5000 pages/s"})", kBare);
  const PredictOptions options{.bandwidths = {kMegabit * 1000}, .downtimes = {milliseconds(20)}, .seeds = 3};
  const Predictions found = predictions_of(loaded, options);
  scenarios::Json document = loaded.document;
  document["migrations"][0]["goal"] = {{"downtime", "20 ms"}, {"bandwidth", "1 Gbit/s"}};
  document["links"][0]["bandwidth"] = "1 Gbit/s";
  sim::RunOptions run = std::get<scenarios::Loaded>(scenarios::load_document(document, "test", ".")).options;
  std::vector<double> downtimes;
  for (int i = 0; i < 3; ++i, ++run.seed)
    downtimes.push_back(godwit::milliseconds(sim::run(run).migrations.front().downtime));
  std::ranges::sort(downtimes);
  ASSERT_LT(downtimes[1], downtimes[2]);
  EXPECT_EQ(found.cells[0].downtime_ms.median, downtimes[1]);
  EXPECT_EQ(found.cells[0].downtime_ms.p95, downtimes[2]);
}

// Of 1 GiB that nobody writes to, 2^18 x 4104 bytes: at 10^9 bit/s 8.606712 s, at 2^30 bit/s 8.015625 s.
TEST(Predict, TheModelDiffersFromTheCoreByItsBitsFirst) {
  const DirtySamples samples{
      .pages = {1 << 18}, .sampled = {1 << 10}, .points = {{milliseconds(1), {0}}, {milliseconds(2), {0}}}};
  scenarios::Json document = scenario("64 MiB", R"({"kind": "idle"})", R"("qemu-10")").document;
  document["guests"] = scenarios::Json::array({guest_of(samples)});
  const auto loaded = std::get<scenarios::Loaded>(scenarios::load_document(document, "test", "."));
  EXPECT_EQ(loaded.options.guests[0].memory.value, std::uint64_t{1} << 30);
  const PredictOptions options{.bandwidths = {kMegabit * 1000}, .downtimes = {milliseconds(300)}};
  const auto found = differences(loaded, samples, options, predictions_of(loaded, options));
  ASSERT_EQ(found.size(), 1u);
  EXPECT_EQ(found[0].model, Nanos{8'015'625'000});
  EXPECT_EQ(found[0].plain_bits, Nanos{8'606'711'808});
  EXPECT_EQ(found[0].curve, found[0].plain_bits);  // nothing is written
  EXPECT_NEAR(static_cast<double>(found[0].core.value().count()), 8.607e9, 0.01e9);
}

// A quarter of the sample is zero, a sixteenth of it dirty after 1 s: of 4096 pages 256; 10 of 1024 are 40 of 4096. The
// sample that saw fewer after 2 s is no reason to have fewer.
TEST(DirtySamples, BecomeAGuestOfAScenario) {
  const DirtySamples samples{
      .pages = {4096},
      .sampled = {1024},
      .zero = {256},
      .points = {
          {milliseconds(100), {0}}, {milliseconds(200), {10}}, {milliseconds(1000), {64}}, {milliseconds(2000), {63}}}};
  const scenarios::Json guest = guest_of(samples);
  EXPECT_EQ(guest["memory"], "16 MiB");
  EXPECT_EQ(guest["pages"][0]["class"], "zero");
  EXPECT_EQ(guest["pages"][0]["share"], "25 %");
  EXPECT_EQ(guest["workload"]["kind"], "dirty_curve");
  EXPECT_EQ(guest["workload"]["points"].dump(), R"([["200 ms","40 pages"],["1 s","256 pages"],["2 s","256 pages"]])");
}

}  // namespace
}  // namespace godwit::studies
