#pragma once

#include <sys/types.h>

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "live/record_maps.h"
#include "live/record_pages.h"
#include "live/write_tracker.h"

namespace godwit::live {

/// An address space of the program under record: what is mapped where, and the guest pages behind it.
struct AddressSpace {
  pid_t pid = 0;                        // the process it began with
  std::optional<WriteTracker> tracker;  // nothing: its writes are not seen
  UniqueFd maps;
  std::string maps_text;
  std::vector<Mapping> watched;
  PageTable pages;
};

/// All address spaces of the program, the files they share, and the guest they make up.
class AddressSpaces {
 public:
  using Space = std::shared_ptr<AddressSpace>;

  /// An address space that has just been made by exec.
  Space add();
  /// The copy that a fork makes of `parent`. Collects what `parent` has written so far.
  Space fork(AddressSpace& parent);
  /// Starts to track `space`, in which process `pid` runs, stopped. What it inherited is not counted as written.
  void track(AddressSpace& space, pid_t pid, UniqueFd userfaultfd, bool inherited);
  /// Gives back the guest pages of `space`: nobody runs in it any more.
  void remove(const Space& space);

  /// Finds what was written in `space`, or in all, since it was last asked.
  void collect(AddressSpace& space);
  void collect_all();

  /// The guest pages written since the last call, ascending, each once.
  std::vector<GuestPages::Page> take_written();

  std::uint64_t guest_pages() const { return guest_.size(); }
  std::uint64_t tracked() const { return tracked_; }
  std::set<std::string>& unseen() { return unseen_; }

 private:
  using FileKey = std::pair<std::string, std::uint64_t>;  // device and inode
  struct SharedFile {
    PageTable pages;
    bool dies_with_last_mapping = false;
  };

  /// Reads the memory map again, and watches what is new in it; everything, if `rewatch`.
  void refresh(AddressSpace& space, bool rewatch);
  bool wanted(const AddressSpace& space, const Mapping& mapping) const;
  bool watch(AddressSpace& space, const Mapping& mapping);
  bool collect_watched(AddressSpace& space);
  void mark(AddressSpace& space, const Mapping& mapping, const std::vector<AddressRange>& ranges);
  void mark_touched(AddressSpace& space, const Mapping& mapping, const std::vector<AddressRange>& touched);
  void forget_dead_files();
  bool is_mapped(const FileKey& file) const;

  GuestPages guest_;
  std::vector<Space> spaces_;
  std::map<FileKey, SharedFile> files_;
  std::vector<GuestPages::Page> written_;
  std::vector<AddressRange> found_;  // scratch
  std::uint64_t tracked_ = 0;
  std::set<std::string> unseen_;
};

}  // namespace godwit::live
