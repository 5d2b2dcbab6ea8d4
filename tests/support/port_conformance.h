#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <optional>
#include <string>

#include "core/batch.h"
#include "core/ports.h"
#include "tests/support/pages.h"

/// What the core relies on, of every implementation of its ports. A fixture makes one:
///
///     static std::optional<std::string> unsupported();   // why it cannot be tried here
///     explicit Fixture(std::uint64_t pages);              // a guest whose pages are all zero, and a way out of it
///     core::DirtyLog& log();  core::Memory& memory();  core::Link& link();  core::Guest& guest();  core::Control& control();
///     void write(PageIndex);                              // the guest writes the page (to something but zero)
///     std::uint64_t work(Nanos);                          // lets the guest work so long; how often it wrote meanwhile
///     bool arrived(PageIndex);                            // the destination has the page as the guest has it now
///     template <class T> T finish(core::Await<T>);        // waits until an operation is over
namespace godwit::test {

template <class Fixture>
class PortConformance : public testing::Test {
 protected:
  static constexpr std::uint64_t kPages = 512;

  void SetUp() override {
    if (const auto why = Fixture::unsupported()) GTEST_SKIP() << *why;
    ports_.emplace(kPages);
  }
  Fixture& ports() { return *ports_; }

  std::vector<PageIndex> read(PageRange range) {
    Pages into(kPages);
    ports().finish(ports().log().read(range, into.set));
    return pages_of(into.set, into.set.all());
  }
  std::vector<PageIndex> read() { return read({0, kPages}); }
  std::vector<PageIndex> read_and_clear(PageRange range) {
    Pages into(kPages);
    ports().finish(ports().log().read_and_clear(range, into.set));
    return pages_of(into.set, into.set.all());
  }
  void clear(PageRange range, std::initializer_list<PageIndex> mask) {
    Pages pages(kPages);
    for (const PageIndex page : mask) pages.set.add(page);
    ports().finish(ports().log().clear(range, pages.set));
  }
  void write(std::initializer_list<PageIndex> pages) {
    for (const PageIndex page : pages) ports().write(page);
  }
  void start() { ports().finish(ports().log().start()); }

  /// Sends pages as they are now; at most what `limit` lets through.
  core::Sent send(std::vector<PageRun> runs, const core::SendLimit& limit = {}) {
    const core::Record record{
        .type = core::RecordType::kPages, .sequence = sequence_++, .runs = runs, .charge = {.normal_page = {4096}}};
    return ports().finish(ports().link().send(record, limit));
  }

  std::optional<Fixture> ports_;
  std::uint64_t sequence_ = 1;
};

using Indices = std::vector<PageIndex>;

TYPED_TEST_SUITE_P(PortConformance);

TYPED_TEST_P(PortConformance, LogStartsWithNothingMarked) {
  this->write({1, 2, 300});
  this->start();
  EXPECT_EQ(this->read(), Indices{});
}

TYPED_TEST_P(PortConformance, LogReadLeavesTheMarks) {
  this->start();
  this->write({0, 63, 64, 511});
  EXPECT_EQ(this->read(), (Indices{0, 63, 64, 511}));
  EXPECT_EQ(this->read(), (Indices{0, 63, 64, 511}));
}

TYPED_TEST_P(PortConformance, LogReadAndClearForgetsAndAWriteMarksAnew) {
  this->start();
  this->write({5, 6, 7});
  EXPECT_EQ(this->read_and_clear({0, 512}), (Indices{5, 6, 7}));
  EXPECT_EQ(this->read(), Indices{});
  this->write({6});
  EXPECT_EQ(this->read_and_clear({0, 512}), (Indices{6}));
}

TYPED_TEST_P(PortConformance, LogLooksAtItsRangeAlone) {
  this->start();
  this->write({10, 20, 30});
  EXPECT_EQ(this->read({11, 10}), (Indices{20}));
  EXPECT_EQ(this->read_and_clear({20, 10}), (Indices{20}));
  EXPECT_EQ(this->read(), (Indices{10, 30}));
}

TYPED_TEST_P(PortConformance, LogAddsToWhatIsThere) {
  this->start();
  this->write({4});
  Pages into(512);
  into.set.add(PageIndex{9});
  this->ports().finish(this->ports().log().read_and_clear({0, 512}, into.set));
  EXPECT_EQ(pages_of(into.set, into.set.all()), (Indices{4, 9}));
}

TYPED_TEST_P(PortConformance, LogClearForgetsTheMaskAndNothingElse) {
  this->start();
  this->write({1, 2, 3, 100});
  this->clear({0, 512}, {2, 50});
  EXPECT_EQ(this->read(), (Indices{1, 3, 100}));
  this->clear({0, 64}, {1, 100});  // 100 lies outside the range
  EXPECT_EQ(this->read(), (Indices{3, 100}));
}

// What was written after the read was not reported, so it is not in the mask: KVM's clear loses no write so.
TYPED_TEST_P(PortConformance, LogKeepsWhatWasWrittenBetweenReadAndClear) {
  this->start();
  this->write({8});
  EXPECT_EQ(this->read(), (Indices{8}));
  this->write({9});
  this->clear({0, 512}, {8});
  EXPECT_EQ(this->read(), (Indices{9}));
}

TYPED_TEST_P(PortConformance, LogPeeksAtTheRunsAloneAndLeavesTheMarks) {
  this->start();
  this->write({3, 5, 64, 65, 200});
  const std::vector<PageRun> runs{PageRun::of_word(0, 1u << 3 | 1u << 4), PageRun::solid(65, 100)};
  Pages into(512);
  this->ports().finish(this->ports().log().peek(runs, into.set));
  EXPECT_EQ(pages_of(into.set, into.set.all()), (Indices{3, 65}));
  EXPECT_EQ(this->read(), (Indices{3, 5, 64, 65, 200}));
}

TYPED_TEST_P(PortConformance, MemoryTellsZeroPages) {
  this->write({1, 2, 70});
  std::vector<PageRun> out(64);
  PageRun head = PageRun::solid(0, 128);
  std::vector<PageIndex> zero, normal;
  while (head.count() > 0) {
    const std::size_t runs = this->ports().memory().classify(head, out);
    ASSERT_GT(runs, 0u);
    for (std::size_t i = 0; i < runs; ++i) {
      for (const PageIndex page : pages_of(std::span(out).subspan(i, 1)))
        (out[i].is_zero() ? zero : normal).push_back(page);
    }
  }
  std::ranges::sort(zero);
  EXPECT_EQ(normal, (Indices{1, 2, 70}));
  EXPECT_EQ(zero.size(), 125u);
  EXPECT_EQ(std::ranges::adjacent_find(zero), zero.end());
}

TYPED_TEST_P(PortConformance, MemoryClassifiesNoMoreThanThereIsRoomFor) {
  this->write({1, 3, 5, 7, 64, 66});
  for (PageRun head : {PageRun::solid(0, 512), PageRun::of_word(0, 0xffff)}) {
    const std::uint64_t whole = head.count();
    std::vector<PageRun> out(4);
    std::uint64_t seen = 0;
    for (int turns = 0; head.count() > 0 && turns < 1000; ++turns) {
      const std::size_t runs = this->ports().memory().classify(head, out);
      ASSERT_LE(runs, out.size());
      for (std::size_t i = 0; i < runs; ++i) seen += out[i].count();
    }
    EXPECT_EQ(seen, whole);
  }
}

TYPED_TEST_P(PortConformance, LinkCarriesPagesAsTheyAreWhenTheyAreSent) {
  this->write({0, 1, 2, 3, 130, 131});
  const core::Sent sent = this->send({PageRun::solid(0, 3), PageRun::of_word(2, 0b1100)});
  EXPECT_EQ(sent.stop, core::SendStop::kDone);
  EXPECT_EQ(sent.pages.value, 5u);
  EXPECT_GE(sent.bytes, Bytes{5 * 4096});
  for (const PageIndex page : {0, 1, 2, 130, 131}) EXPECT_TRUE(this->ports().arrived(page)) << page;
  EXPECT_FALSE(this->ports().arrived(3));
  this->write({1});
  EXPECT_FALSE(this->ports().arrived(1));
  EXPECT_EQ(this->send({PageRun::solid(1, 1)}).pages.value, 1u);
  EXPECT_TRUE(this->ports().arrived(1));
}

TYPED_TEST_P(PortConformance, LinkGoesNoFasterThanTheLimit) {
  this->write({0, 1, 2, 3});
  const Nanos began = this->ports().control().now();
  const core::Sent sent = this->send({PageRun::solid(0, 100)}, {.rate = {100'000'000}});
  // 100 pages at 100 Mbit/s are 32.8 ms, less what an implementation may make up for: 2 ms.
  EXPECT_GE(this->ports().control().now() - began, Nanos{30'000'000});
  EXPECT_EQ(sent.pages.value, 100u);
}

TYPED_TEST_P(PortConformance, LinkStopsAfterItsInstantAtAMultipleOfTheGranule) {
  const Nanos now = this->ports().control().now();
  const core::Sent sent = this->send({PageRun::solid(0, 500)},
                                     {.rate = {100'000'000}, .not_after = now + Nanos{5'000'000}, .granule = {8}});
  EXPECT_EQ(sent.stop, core::SendStop::kLimit);
  EXPECT_GE(sent.pages.value, 8u);
  EXPECT_LE(sent.pages.value, 24u);  // 5 ms at 100 Mbit/s are 15.3 pages
  EXPECT_EQ(sent.pages.value % 8, 0u);
  EXPECT_EQ(this->send({PageRun::solid(0, 500)}, {.not_after = now, .granule = {8}}).pages.value, 8u);
}

TYPED_TEST_P(PortConformance, GuestStandsWhilePausedAndGoesOnAfter) {
  constexpr Nanos kWhile{20'000'000};
  EXPECT_GT(this->ports().work(kWhile), 0u);
  this->ports().finish(this->ports().guest().pause());
  this->start();
  EXPECT_EQ(this->ports().work(kWhile), 0u);
  EXPECT_EQ(this->read(), Indices{});
  this->ports().finish(this->ports().guest().resume());
  EXPECT_GT(this->ports().work(kWhile), 0u);
  EXPECT_FALSE(this->read().empty());
  this->ports().finish(this->ports().guest().freeze());
  EXPECT_EQ(this->ports().work(kWhile), 0u);
  this->ports().finish(this->ports().guest().resume());
}

TYPED_TEST_P(PortConformance, TimeGoesForward) {
  core::Control& control = this->ports().control();
  const Nanos before = control.now();
  this->ports().finish(control.sleep_until(before + Nanos{1'000'000}));
  EXPECT_GE(control.now(), before + Nanos{1'000'000});
  this->ports().finish(control.sleep_until(before));
  EXPECT_EQ(control.poll(), core::Command::kNone);
}

REGISTER_TYPED_TEST_SUITE_P(PortConformance, LogStartsWithNothingMarked, LogReadLeavesTheMarks,
                            LogReadAndClearForgetsAndAWriteMarksAnew, LogLooksAtItsRangeAlone, LogAddsToWhatIsThere,
                            LogClearForgetsTheMaskAndNothingElse, LogKeepsWhatWasWrittenBetweenReadAndClear,
                            LogPeeksAtTheRunsAloneAndLeavesTheMarks, MemoryTellsZeroPages,
                            MemoryClassifiesNoMoreThanThereIsRoomFor, LinkCarriesPagesAsTheyAreWhenTheyAreSent,
                            LinkGoesNoFasterThanTheLimit, LinkStopsAfterItsInstantAtAMultipleOfTheGranule,
                            GuestStandsWhilePausedAndGoesOnAfter, TimeGoesForward);

}  // namespace godwit::test
