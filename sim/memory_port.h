#pragma once

#include "core/ports.h"
#include "sim/context.h"

namespace godwit::sim {

/// The guest's memory at the source.
class MemoryPort final : public core::Memory {
 public:
  explicit MemoryPort(MigrationContext& context) : c_(context) {}

  Pages size() const override { return c_.memory().size(); }
  Bytes page_size() const override { return c_.memory().page_size(); }
  std::size_t classify(PageRun& head, std::span<PageRun> out) override;
  std::uint64_t changed(std::uint64_t word, std::uint64_t mask) override;
  Bytes delta_size() const override;
  core::Await<core::Done> free_pages(core::FreeBy by, PageSet& into) override;
  core::Await<core::Done> copy_to_shadow(PageSet& pages) override;
  Pages sender_pages() const override { return c_.self() ? c_.sender.pages() : Pages{0}; }

 private:
  void hints(bool again, PageSet& into);
  void drop_page_cache(PageSet& into);

  MigrationContext& c_;
  Nanos hints_from_{0};         // when the guest began to tell,
  std::uint64_t hints_at_ = 0;  // up to which block it has,
  std::int64_t hinted_ = 0;     // and how many blocks those were
};

}  // namespace godwit::sim
