#include "sim/arena.h"

#include "sim/page_kernels.h"

namespace godwit::sim {

Arena::Arena()
    : pages_([](void* owner, std::size_t bytes) -> void* { return static_cast<Arena*>(owner)->more(bytes); }, this,
             page_kernels().back()) {}

/// Left as the system gives it: what is never touched takes no memory.
std::byte* Arena::more(std::size_t bytes) {
  slabs_.push_back(std::make_unique_for_overwrite<Line[]>((bytes + sizeof(Line) - 1) / sizeof(Line)));
  return slabs_.back()[0].bytes;
}

std::byte* Arena::take_space() {
  if (spaces_.empty()) return more(kSpaceBytes);
  std::byte* space = spaces_.back();
  spaces_.pop_back();
  return space;
}

}  // namespace godwit::sim
