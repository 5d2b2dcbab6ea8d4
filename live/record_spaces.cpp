#include "live/record_spaces.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

namespace godwit::live {
namespace {

const std::uint64_t kPageSize = static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));

/// The whole of a /proc file, from its beginning. Empty when the process is gone.
std::string read_again(const UniqueFd& file) {
  std::string text;
  std::size_t size = 0;
  while (true) {
    text.resize(size + 16384);
    const ssize_t got = ::pread(file.get(), text.data() + size, text.size() - size, static_cast<off_t>(size));
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) break;
    size += static_cast<std::size_t>(got);
  }
  text.resize(size);
  return text;
}

/// True of shared memory that has no disk behind it: what is in it, somebody has written.
bool is_shared_memory(const Mapping& mapping) {
  return mapping.of_deleted_file() || mapping.name.starts_with("/dev/shm/") || mapping.name.starts_with("/memfd:");
}

std::vector<AddressRange> private_ranges(const std::vector<Mapping>& mappings) {
  std::vector<AddressRange> ranges;
  for (const Mapping& mapping : mappings)
    if (!mapping.is_shared()) ranges.push_back(mapping.range);
  return ranges;
}

}  // namespace

AddressSpaces::Space AddressSpaces::add() {
  spaces_.push_back(std::make_shared<AddressSpace>());
  return spaces_.back();
}

AddressSpaces::Space AddressSpaces::fork(AddressSpace& parent) {
  collect(parent);
  Space child = add();
  child->pages = parent.pages.fork(guest_);
  return child;
}

void AddressSpaces::track(AddressSpace& space, pid_t pid, UniqueFd userfaultfd, bool inherited) {
  std::string error;
  space.pid = pid;
  space.maps = UniqueFd(::open(("/proc/" + std::to_string(pid) + "/maps").c_str(), O_RDONLY | O_CLOEXEC));
  space.tracker = WriteTracker::of_process(pid, std::move(userfaultfd), error);
  if (!space.maps.valid() || !space.tracker) {
    unseen_.insert("a process: " + error);
    return;
  }
  ++tracked_;
  if (!inherited) return;
  const std::size_t before = written_.size();
  refresh(space, true);
  written_.resize(before);
  for (const Mapping& mapping : space.watched) space.tracker->collect(mapping.range, mapping.backing, found_);
  found_.clear();
}

void AddressSpaces::remove(const Space& space) {
  space->pages.drop_all(guest_);
  std::erase(spaces_, space);
  forget_dead_files();
}

void AddressSpaces::collect_all() {
  for (const Space& space : spaces_) collect(*space);
}

void AddressSpaces::collect(AddressSpace& space) {
  if (!space.tracker) return;
  refresh(space, false);
  if (collect_watched(space)) return;
  // Something was unmapped and mapped anew in the same place: the kernel does not watch it any more.
  refresh(space, true);
  collect_watched(space);  // may fail again where the program goes on mapping; the next interval finds it
}

bool AddressSpaces::collect_watched(AddressSpace& space) {
  bool complete = true;
  for (const Mapping& mapping : space.watched) {
    found_.clear();
    complete &= space.tracker->collect(mapping.range, mapping.backing, found_);
    mark(space, mapping, found_);
  }
  return complete;
}

void AddressSpaces::refresh(AddressSpace& space, bool rewatch) {
  std::string text = read_again(space.maps);
  if (text.empty() || (text == space.maps_text && !rewatch)) return;
  space.maps_text = std::move(text);
  const std::vector<Mapping> mappings = parse_maps(space.maps_text);
  space.pages.keep_only(private_ranges(mappings), guest_);
  std::vector<Mapping> watched;
  for (const Mapping& mapping : mappings) {
    if (!wanted(space, mapping)) continue;
    const bool known = std::find(space.watched.begin(), space.watched.end(), mapping) != space.watched.end();
    if ((known && !rewatch) || watch(space, mapping)) watched.push_back(mapping);
  }
  space.watched = std::move(watched);
  forget_dead_files();
}

/// Leaves out what cannot be written. A private mapping of a file that was written before it was made read-only
/// (the loader does so) is wanted; program text is not, and is spared the slower faults of watched memory.
bool AddressSpaces::wanted(const AddressSpace& space, const Mapping& mapping) const {
  if (!mapping.holds_memory()) return false;
  if (mapping.writable) return true;
  if (mapping.is_shared()) return false;
  return mapping.backing == Backing::kAnonymous || space.tracker->has_own_pages(mapping.range);
}

bool AddressSpaces::watch(AddressSpace& space, const Mapping& mapping) {
  std::vector<AddressRange> touched;
  if (!space.tracker->watch(mapping.range, mapping.backing, &touched)) {
    // A mapping that is gone again says ENOENT or EINVAL, a process that is gone ESRCH; neither is worth a word.
    if (errno != ENOENT && errno != ESRCH && errno != ENOMEM && errno != EINVAL)
      unseen_.insert((mapping.name.empty() ? "a mapping" : mapping.name) + ": " + std::strerror(errno));
    return false;
  }
  if (mapping.is_shared()) mark_touched(space, mapping, touched);
  return true;
}

/// Of a shared mapping seen for the first time, nobody knows which pages were written and which only read. In
/// memory with no disk behind it, a page that no process had before was written, if only by the kernel with zeros.
/// Where a mapping has merely changed its bounds, what was touched is what was written since the last time.
void AddressSpaces::mark_touched(AddressSpace& space, const Mapping& mapping,
                                 const std::vector<AddressRange>& touched) {
  const bool seen_before = std::any_of(space.watched.begin(), space.watched.end(), [&](const Mapping& old) {
    return old.is_shared() && old.device == mapping.device && old.inode == mapping.inode &&
           old.range.begin < mapping.range.end && mapping.range.begin < old.range.end;
  });
  if (seen_before) return mark(space, mapping, touched);
  if (!is_shared_memory(mapping)) return;
  const auto file = files_.find({mapping.device, mapping.inode});
  for (const AddressRange& range : touched)
    for (std::uint64_t at = range.begin; at < range.end; at += kPageSize)
      if (file == files_.end() || !file->second.pages.has(mapping.file_page(at, kPageSize)))
        mark(space, mapping, {{at, at + kPageSize}});
}

void AddressSpaces::mark(AddressSpace& space, const Mapping& mapping, const std::vector<AddressRange>& ranges) {
  if (ranges.empty()) return;
  if (!mapping.is_shared()) {
    for (const AddressRange& range : ranges)
      for (std::uint64_t page = range.begin / kPageSize; page < range.end / kPageSize; ++page)
        written_.push_back(space.pages.write_private(page, guest_));
    return;
  }
  SharedFile& file = files_[{mapping.device, mapping.inode}];
  file.dies_with_last_mapping = mapping.of_deleted_file();
  for (const AddressRange& range : ranges)
    for (std::uint64_t at = range.begin; at < range.end; at += kPageSize)
      written_.push_back(file.pages.write_shared(mapping.file_page(at, kPageSize), guest_));
}

void AddressSpaces::forget_dead_files() {
  for (auto file = files_.begin(); file != files_.end();) {
    if (!file->second.dies_with_last_mapping || is_mapped(file->first)) {
      ++file;
      continue;
    }
    file->second.pages.drop_all(guest_);
    file = files_.erase(file);
  }
}

bool AddressSpaces::is_mapped(const FileKey& file) const {
  for (const Space& space : spaces_)
    for (const Mapping& mapping : space->watched)
      if (mapping.is_shared() && mapping.device == file.first && mapping.inode == file.second) return true;
  return false;
}

std::vector<GuestPages::Page> AddressSpaces::take_written() {
  std::vector<GuestPages::Page> pages = std::exchange(written_, {});
  std::sort(pages.begin(), pages.end());
  pages.erase(std::unique(pages.begin(), pages.end()), pages.end());
  return pages;
}

}  // namespace godwit::live
