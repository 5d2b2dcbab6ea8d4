#pragma once

#include <algorithm>
#include <cstdint>
#include <string>
#include <vector>

#include "scenarios/fields.h"

/// Entries of a file that stand for many: "count" of them, called NAME-0, NAME-1 ..., with lists of quantities in turn.
namespace godwit::scenarios {

/// The most of one kind that the entries of a file stand for in all.
inline constexpr std::uint32_t kManyMax = kListMost;

/// The most values that the versions of one entry have in all.
inline constexpr std::size_t kVersionsMax = 2'000'000;

/// The name of the `index`-th of those that `name` stands for.
inline std::string name_of_one(const std::string& name, std::uint32_t index) {
  return name + "-" + std::to_string(index);
}

/// An entry, in as many versions as its lists make: the i-th of many is versions[i % versions.size()].
template <class T>
struct Many {
  std::vector<T> versions;

  const T& first() const { return versions.front(); }
  T& first() { return versions.front(); }
  const T& of(std::uint32_t index) const { return versions[index % versions.size()]; }
};

/// Adds the field `count`, kept in a std::optional member. It must come before every quantity.
template <class T>
void add_count(Table<T>& table, const char* doc) {
  auto& field = table.maybe("count", &T::count, count(1, kManyMax), doc);
  field.read = [inner = field.read](const Node& node, T& owner, Issues& issues) {
    const bool ok = inner(node, owner, issues);
    if (ok && issues.turn() != nullptr) issues.turn()->count = *owner.count;
    return ok;
  };
}

/// The values of one field in all versions, as a file would say it: itself where all are alike, else the list.
Json in_turn(const std::vector<Json>& versions);

/// Whether `versions` of what `node` says are few enough. Says so where they are not.
bool versions_fit(const Node& node, std::uint32_t versions, Issues& issues);

/// Reads every version that the lists of an entry make, and writes them as one entry again.
template <class T>
Codec<Many<T>> many(Codec<T> one) {
  Codec<Many<T>> codec;
  codec.read = [=](const Node& node, Many<T>& entry, Issues& issues) {
    bool ok = true;
    Turn turn;
    issues.set_turn(&turn);
    entry.versions.clear();
    for (turn.index = 0; ok && turn.index < turn.period; ++turn.index) {
      ok = one.read(node, entry.versions.emplace_back(), issues);
      if (ok && turn.index == 0) ok = versions_fit(node, turn.period, issues);
    }
    issues.set_turn(nullptr);
    return ok;
  };
  codec.write = [=](const Many<T>& entry) {
    std::vector<Json> versions;
    for (const T& version : entry.versions) versions.push_back(one.write(version));
    return in_turn(versions);
  };
  codec.schema = one.schema;
  codec.kind = one.kind;
  return codec;
}

}  // namespace godwit::scenarios
