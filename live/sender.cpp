#include "live/sender.h"

#include <algorithm>

namespace godwit::live {
namespace {

constexpr std::uint64_t kBatchPages = 256;
constexpr std::size_t kRuns = 2 * kBatchPages;  // zero pages among the others may double them
constexpr std::size_t kFrames = 8192;
constexpr std::size_t kBufferBytes = 64 * kPageBytes;

/// Hands out parts of a memory, one after the other.
class Carver {
 public:
  explicit Carver(std::byte* at) : at_(at) {}
  template <class T>
  std::span<T> take(std::size_t count) {
    constexpr std::size_t kAlign = 64;  // a cache line
    used_ = (used_ + kAlign - 1) / kAlign * kAlign;
    std::byte* const begin = at_ == nullptr ? nullptr : at_ + used_;
    used_ += count * sizeof(T);
    return {reinterpret_cast<T*>(begin), at_ == nullptr ? 0 : count};
  }
  std::size_t used() const { return used_; }

 private:
  std::byte* at_;
  std::size_t used_ = 0;
};

/// Carves everything; with an empty carver just to know how large it is.
void lay_out(Carver& from, Pages pages, core::SourceSpace& core, Link::Space& link) {
  link.buffer = from.take<std::byte>(kBufferBytes);
  link.head = from.take<std::byte>(core::head_size(kRuns));
  link.cut = from.take<PageRun>(kRuns);
  core.frames = from.take<std::byte>(kFrames);
  core.picked = from.take<PageRun>(kRuns);
  core.batch = from.take<PageRun>(kRuns);
  for (PageSet* set : {&core.pending, &core.reported, &core.aside}) {
    const auto blocks = from.take<PageBlock>(PageSet::blocks_for(pages));
    const auto words = from.take<std::uint64_t>(PageSet::words_for(pages));
    if (!blocks.empty()) *set = PageSet(pages, blocks, words);
  }
}

}  // namespace

std::size_t SenderSpace::size_for(Pages pages) {
  Carver none(nullptr);
  core::SourceSpace core;
  Link::Space link;
  lay_out(none, pages, core, link);
  return none.used();
}

Pages SenderSpace::written_by_sending(Pages pages, BitsPerSecond rate) {
  // The stack is written as deep as a look at the page tables goes, which has an array of 12 KiB there.
  constexpr std::uint64_t kStackPages = 6;
  const std::uint64_t others = (size_for(pages) - kBufferBytes + kPageBytes - 1) / kPageBytes;
  return {others + Link::pages_at_once(kBufferBytes, rate) + kStackPages};
}

SenderSpace::SenderSpace(std::span<std::byte> memory, Pages pages) {
  GODWIT_CHECK(memory.size() >= size_for(pages));
  Carver all(memory.data());
  lay_out(all, pages, core_, link_);
}

core::Plan in_batches(core::Plan plan) {
  GODWIT_CHECK(plan.switch_over != core::Switch::kPostCopy);  // pages cannot be asked for here
  plan.batch = {plan.batch.value == 0 ? kBatchPages : std::min(plan.batch.value, kBatchPages)};
  return plan;
}

core::Outcome migrate(const core::Plan& plan, const core::SourcePorts& ports, const SenderSpace& space) {
  core::Source source(plan, ports, space.core());
  const auto task = source.run();
  GODWIT_CHECK(task.done());
  return task.value();
}

}  // namespace godwit::live
