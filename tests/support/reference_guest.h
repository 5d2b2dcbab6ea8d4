#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/page_run.h"
#include "workloads/options.h"

/// The write-by-write reference: every single write is an event with an instant and a page, and every page counts its
/// versions. It shares with Godwit the options of a workload and nothing else, and is simple rather than fast.
namespace godwit::test {

struct Write {
  Nanos at{kNever};  ///< In the writer's own time; kNever: there are no more.
  PageIndex page = 0;
};

class Writer {
 public:
  virtual ~Writer() = default;
  /// The next write, in the order of time. A write at t belongs to the interval (from, to] with from < t <= to.
  virtual Write next() = 0;
};

/// A trace as it was recorded: which pages were written in which interval.
struct Recording {
  Nanos interval{0};
  std::vector<std::vector<PageIndex>> written;
};
using Recordings = std::map<std::string, Recording>;  // by the file that options name

/// The writer that `options` describe. `touchable`: where it writes if they name no place.
std::unique_ptr<Writer> make_writer(const workloads::Options& options, PageRange touchable, Bytes page_size,
                                    std::uint64_t seed, const Recordings& recordings = {});

/// Pages of a small guest, one bit each, 64 to a word.
using Bitmap = std::vector<std::uint64_t>;

inline bool has(const Bitmap& pages, PageIndex page) { return (pages[page / 64] >> (page % 64) & 1) != 0; }
inline void put(Bitmap& pages, PageIndex page) { pages[page / 64] |= std::uint64_t{1} << (page % 64); }
inline Bitmap no_pages(std::uint64_t guest_pages) { return Bitmap((guest_pages + 63) / 64, 0); }
inline void put(Bitmap& into, const Bitmap& pages) {
  for (std::size_t i = 0; i < into.size(); ++i) into[i] |= pages[i];
}
std::uint64_t count(const Bitmap& pages);

/// A guest whose pages have versions, with its dirty log and what the migration has read of it: a mark in the log is a
/// version newer than the one that was forgotten, a stale page is one newer than what was read.
class ReferenceGuest {
 public:
  ReferenceGuest(std::uint64_t pages, std::unique_ptr<Writer> writer)
      : version_(pages, 0), forgotten_(pages, 0), gathered_(pages, kNotRead), writer_(std::move(writer)) {
    pending_ = writer_->next();
  }

  std::uint64_t pages() const { return version_.size(); }

  /// Plays the writes up to and including guest time `guest`.
  void run_until(Nanos guest) {
    for (; pending_.at <= guest && pending_.at != kNever; pending_ = writer_->next()) {
      if (pending_.page >= version_.size()) continue;
      if (!marked(pending_.page)) ++faults_;
      ++version_[pending_.page];
    }
  }

  /// Writes so far to pages without a mark.
  std::uint64_t faults() const { return faults_; }

  bool marked(PageIndex page) const { return version_[page] != forgotten_[page]; }
  bool stale(PageIndex page) const { return version_[page] != gathered_[page]; }
  void forget(PageIndex page) { forgotten_[page] = version_[page]; }
  void gather(PageIndex page) { gathered_[page] = version_[page]; }

  Bitmap log(PageRange range) const;
  void forget(PageRange range) {
    for (PageIndex page = range.first; page < range.end(); ++page) forget(page);
  }

 private:
  static constexpr std::uint64_t kNotRead = ~std::uint64_t{0};
  std::vector<std::uint64_t> version_, forgotten_, gathered_;
  std::uint64_t faults_ = 0;
  std::unique_ptr<Writer> writer_;
  Write pending_;
};

}  // namespace godwit::test
