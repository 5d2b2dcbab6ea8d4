#include "core/source.h"

#include <algorithm>
#include <bit>
#include <utility>

namespace godwit::core {
namespace {

/// Pages are tested for zeroes this little before they are sent: what is written in between goes as it was tested.
constexpr Pages kTestedAhead{4096};
constexpr std::uint64_t kPushedLeast = 64;  // pages picked at least, of what is pushed

/// What says the hash of all before it is not in it.
constexpr bool closes(RecordType type) {
  return type == RecordType::kEnd || type == RecordType::kCommit || type == RecordType::kAllSent;
}

}  // namespace

Source::Source(const Plan& plan, const SourcePorts& ports, const SourceSpace& space)
    : plan_(plan),
      downtime_planned_(plan.stop.downtime_max),
      log_(ports.log),
      memory_(ports.memory),
      link_(ports.link),
      guest_(ports.guest),
      control_(ports.control),
      observer_(ports.observer),
      frames_(space.frames),
      picked_(space.picked),
      batch_(space.batch),
      pending_(space.pending),
      reported_(space.reported),
      aside_(space.aside),
      walk_(plan.order, ports.memory.size()),
      cache_(space.delta_cache) {
  GODWIT_CHECK(cache_.on() == plan.deltas);
  GODWIT_CHECK(pending_.size() == memory_.size());
  GODWIT_CHECK(picked_.size() >= 64 && batch_.size() >= 64);
}

Task<Outcome> Source::run() {
  observer_.enter(Phase::kSetup);
  const Record hello{.type = RecordType::kHello, .value = memory_.size().value};
  co_await send_record(hello, {});
  pending_.fill();

  if (plan_.live) co_await pre_copy();
  if (!failed()) {
    if (plan_.switch_over == Switch::kSelfCheckpoint) {
      co_await self_checkpoint();
    } else {
      co_await stop_and_copy();
    }
  }
  if (!failed()) co_await hand_over();  // from its end on the guest is the destination's
  if (failed() && outcome_ != Outcome::kInDoubt) {
    co_await roll_back();
  } else if (!failed() && ends_by_postcopy() && !pending_.empty()) {
    co_await push();
  }
  co_return outcome_;
}

/// Sends memory while the guest runs, until a rule says that the rest is to be sent with the guest stopped.
Task<Done> Source::pre_copy() {
  if (plan_.postcopy.after > Nanos{0}) postcopy_from_ = later(control_.now(), plan_.postcopy.after);
  co_await log_.start();
  if (plan_.read_at_start) co_await log_.read(pending_.all(), pending_);
  if (plan_.clear == ClearRule::kPerChunk) reported_.fill();
  if (plan_.rate == RateLaw::kFixed || plan_.rate == RateLaw::kWindowed) rate_ = plan_.rate_max;
  if (plan_.rate == RateLaw::kAdaptive) rate_ = plan_.rate_start;
  if (plan_.page_cache == PageCache::kDropped) co_await leave_out_free_pages(FreeBy::kDrop);
  if (plan_.free_pages == FreePages::kBallooned) co_await leave_out_free_pages(FreeBy::kBalloon);
  observer_.enter(Phase::kPreCopy);
  rounds_began_ = window_began_ = throttle_.began = allowance_used_until_ = control_.now();
  throttle_.tick = later(rounds_began_, plan_.throttle.read_every);

  for (Decision next = Decision::kContinue; next == Decision::kContinue;) {
    begin_round(false);
    co_await send_round();
    if (failed()) co_return Done{};
    round_.took = control_.now() - round_.began;
    if (!rounds_cut_short()) co_await harvest(false);
    regulate_guest();
    end_round();
    heed_commands();
    if (failed() || rounds_cut_short()) co_return Done{};
    next = decision();
    if (next == Decision::kAbort) fail(Outcome::kNoConvergence);
    if (plan_.rate == RateLaw::kAdaptive) {
      rate_ = adapted_rate(plan_, rate_, memory_.page_size() * round_.new_dirty.value, round_.took);
    }
    sent_before_ = round_.sent;
  }
  co_return Done{};
}

/// Stops the guest from outside and sends what is left.
Task<Done> Source::stop_and_copy() {
  observer_.enter(Phase::kStop);
  co_await guest_.pause();
  stopped_ = true;
  begin_round(true);
  if (plan_.live) {
    observer_.enter(Phase::kHarvest);
    co_await harvest(true);
  }
  observer_.enter(Phase::kCopy);
  if (ends_by_postcopy()) {
    if (plan_.free_pages == FreePages::kSkipped) co_await leave_out_free_pages(FreeBy::kScan);
    co_await announce_missing();
  } else {
    co_await send_round();
  }
  round_.took = control_.now() - round_.began;
  end_round();
  co_return Done{};
}

/// Tells the destination what it has not got, or has got and is stale by now.
Task<Done> Source::announce_missing() {
  aside_.clear();
  aside_.add(pending_, pending_.all());
  Walk walk(PageOrder::kAscending, memory_.size());
  while (!aside_.empty() && !failed()) {
    const std::size_t runs = walk.take(aside_, memory_.size(), 0, batch_);
    const Bytes size = plan_.framing.missing_run * runs;
    const Record record{.type = RecordType::kMissing, .runs = batch_.first(runs), .charge = {.fixed = size}};
    co_await send_record(record, {});
  }
  co_return Done{};
}

/// The guest's own checkpoint of itself. Where what the sending dirties does not fit the shadow, the guest works on for
/// another round, and it is tried again.
Task<Done> Source::self_checkpoint() {
  std::uint32_t tries = 0;
  while (true) {
    co_await freeze_and_scan();
    if (failed()) co_return Done{};
    if (memory_.page_size() * aside_.count().value <= plan_.shadow_max) break;
    co_await thaw();
    if (++tries >= plan_.shadow_tries) fail(Outcome::kShadowFull);
    if (!failed()) co_await another_round();
    if (failed()) co_return Done{};
  }
  co_await memory_.copy_to_shadow(aside_);
  co_await send_shadow();
  co_return Done{};
}

/// Freezes the guest but for the path that sends, scans and sends what is dirty, and finds what that sending dirtied.
/// The snapshot instant of a page is its reading in this scan, or its copy into the shadow.
Task<Done> Source::freeze_and_scan() {
  observer_.enter(Phase::kStop);
  co_await guest_.freeze();
  stopped_ = true;
  begin_round(true);
  observer_.enter(Phase::kHarvest);
  if (plan_.live) co_await harvest(false);
  if (!plan_.live) co_await log_.start();
  observer_.enter(Phase::kCopy);
  co_await send_round();
  if (failed()) co_return Done{};
  observer_.enter(Phase::kHarvest);
  aside_.clear();
  co_await log_.read(aside_.all(), aside_);
  observer_.enter(Phase::kShadow);
  co_return Done{};
}

Task<Done> Source::thaw() {
  round_.took = control_.now() - round_.began;
  end_round();
  stopped_ = false;
  co_await guest_.resume();
  observer_.enter(Phase::kPreCopy);
  co_return Done{};
}

Task<Done> Source::another_round() {
  begin_round(false);
  co_await harvest(false);
  co_await send_round();
  if (failed()) co_return Done{};
  round_.took = control_.now() - round_.began;
  end_round();
  co_return Done{};
}

/// Sends the copy, which nobody writes to. A guest that goes on here does so first.
Task<Done> Source::send_shadow() {
  if (plan_.goes_on) {
    observer_.enter(Phase::kResume);
    co_await guest_.resume();
    stopped_ = false;
    observer_.enter(Phase::kRunning);
  } else {
    observer_.enter(Phase::kCopy);
  }
  while (!aside_.empty() && !failed()) {
    // The shadow is not tested for zeroes: it is small, and was written a moment ago.
    Walk walk(PageOrder::kAscending, memory_.size());
    const std::size_t runs = walk.take(aside_, memory_.size(), 0, batch_);
    const Record record{.type = RecordType::kShadowPages, .runs = batch_.first(runs), .charge = charge()};
    co_await send_record(record, {.rate = rate_limit()});
  }
  round_.took = control_.now() - round_.began;
  end_round();
  co_return Done{};
}

/// Two-step commit: the destination says READY, the source fences itself and says COMMIT. A guest that goes on here has
/// no need of a fence: what has arrived may be started at any time, as another guest.
Task<Done> Source::hand_over() {
  const Bytes state = guest_.device_state();
  if (state.value > 0) {
    if (!plan_.goes_on) observer_.enter(Phase::kDeviceState);
    const Record record{.type = RecordType::kDeviceState, .value = state.value, .charge = {.fixed = state}};
    co_await send_record(record, {.rate = rate_for(record)});
    if (failed()) co_return Done{};
  }
  const std::uint64_t said = hash_.value();
  const Record end{.type = RecordType::kEnd, .value = said};
  co_await send_record(end, {});
  if (failed()) co_return Done{};

  const Message answer = co_await link_.receive();
  if (answer.kind == Message::Kind::kBroken) fail(Outcome::kLinkBroken);
  if (answer.kind == Message::Kind::kRefused) fail(Outcome::kRefused);
  if (answer.kind == Message::Kind::kReady && answer.value != said) fail(Outcome::kRefused);
  heed_commands();
  if (failed()) co_return Done{};

  if (!plan_.goes_on) guest_.fence();
  const Record commit{.type = RecordType::kCommit};
  co_await send_record(commit, {});
  if (failed() && !plan_.goes_on) outcome_ = Outcome::kInDoubt;  // whether it arrived cannot be known from here
  co_return Done{};
}

/// The guest runs at the destination, without all of its memory. Sends it the rest, first what it waits for, and goes on from there. Where the
/// connection breaks, nothing is lost: what has arrived is there, and the rest is here.
Task<Done> Source::push() {
  observer_.enter(Phase::kPostCopy);
  handed_over_ = true;
  begin_round(false);
  round_.post_copy = true;
  bool all_sent = false;
  // What was picked and could not go because a page was asked for is put back. So twice of what went the last time is
  // picked: as much as there is where nobody asks, little where every page is asked for.
  Pages most{kPushedLeast};
  while (!all_sent) {
    const PageIndex wanted = link_.next_request();
    if (wanted != kNoPage) {
      co_await send_requested(wanted);
    } else if (!pending_.empty()) {
      const Pages before = round_.sent;
      co_await send_batch(most, {UINT64_MAX}, kNever);
      most = std::max(Pages{kPushedLeast}, Pages{2 * (round_.sent - before).value});
    } else {
      const Record end{.type = RecordType::kAllSent, .value = hash_.value()};
      co_await send_record(end, {});
      if (!failed()) {
        const Message answer = co_await link_.receive();
        all_sent = answer.kind == Message::Kind::kReady;
        if (!all_sent) fail(Outcome::kLinkBroken);
      }
    }
    if (!failed()) continue;
    const bool again = outcome_ == Outcome::kLinkBroken && co_await link_.reconnect(pending_);
    if (!again) outcome_ = Outcome::kStranded;
    if (!again) co_return Done{};
    outcome_ = Outcome::kCompleted;
    hash_ = {};
  }
  round_.took = control_.now() - round_.began;
  end_round();
  co_return Done{};
}

/// A page that the guest waits for, at once and without limit; those beside it are sent next.
Task<Done> Source::send_requested(PageIndex page) {
  walk_.pivot(page);
  if (!pending_.contains(page)) co_return Done{};  // it is on its way already
  picked_[0] = PageRun::solid(page, 1);
  pending_.remove(page);
  const std::size_t runs = plan_.detect_zero ? classify(1) : 1;
  if (!plan_.detect_zero) batch_[0] = picked_[0];
  const Record record{.type = RecordType::kPages, .runs = batch_.first(runs), .charge = charge()};
  co_await send_record(record, {});
  co_return Done{};
}

/// The guest lives on where it was.
Task<Done> Source::roll_back() {
  if (throttle_.share > 0) guest_.throttle(0);
  if (throttle_.dirtying_limited) guest_.limit_dirtying({0}, plan_.dirty_limit.period);
  if (stopped_) co_await guest_.resume();
  stopped_ = false;
  observer_.enter(Phase::kFailed);
  const Record abort{.type = RecordType::kAbort, .sequence = sequence_};
  co_await link_.send(abort, {});
  co_return Done{};
}

void Source::begin_round(bool stopped) {
  const Pages free = round_.index == 0 ? round_.free : Pages{0};  // what was left out before there was a round
  round_ = {.index = round_.index + 1, .began = control_.now(), .free = free, .rate_limit = rate_, .stopped = stopped};
  framed_ = false;
  const bool scans = plan_.round_rule == RoundRule::kAllSent;  // all that is pending, from the start
  if (scans) walk_.rewind();
  if (scans && round_.index > 1) scanned_ = true;
  if (scans || stopped || round_.index == 1) sync_channels();
}

void Source::end_round() {
  round_.pending_after = pending_.count();
  if (plan_.estimate == Estimate::kLastRound && round_.bytes.value > 0 && round_.took > Nanos{0}) {
    learn_bandwidth(round_.bytes, round_.took);
  }
  total_sent_ += memory_.page_size() * round_.sent.value;
  observer_.round(round_);
}

void Source::learn_bandwidth(Bytes sent, Nanos took) {
  bandwidth_ = plan_.stop.bandwidth.value > 0 ? plan_.stop.bandwidth : rate_of(sent, took);
}

bool Source::ends_by_postcopy() const {
  return plan_.switch_over == Switch::kPostCopy && (postcopy_asked_ || !plan_.postcopy.on_request());
}

Decision Source::decision() {
  return decide(plan_, {.last = round_,
                        .sent_before = sent_before_,
                        .at_rate_max = plan_.rate == RateLaw::kUnlimited || rate_ == plan_.rate_max,
                        .pending = pending_.count(),
                        .sender = memory_.sender_pages(),
                        .page = counted_page(),
                        .total_sent = total_sent_,
                        .memory = memory_.page_size() * memory_.size().value,
                        .bandwidth = bandwidth_,
                        .elapsed = control_.now() - rounds_began_});
}

/// Reads the log into what is pending. `keep_log`: the guest is stopped, nothing needs to be cleared any more.
Task<Done> Source::harvest(bool keep_log) {
  const Pages before = pending_.count();
  if (keep_log) {
    co_await log_.read(pending_.all(), pending_);
  } else if (plan_.clear == ClearRule::kAtRead) {
    co_await log_.read_and_clear(pending_.all(), pending_);
  } else {
    co_await log_.read(pending_.all(), reported_);
    pending_.add(reported_, reported_.all());
  }
  round_.new_dirty = pending_.count() - before;
  hints_begin_ = true;
  co_return Done{};
}

/// Takes what nobody uses out of what is pending. `aside_` is free at the times when this is called.
Task<Done> Source::leave_out_free_pages(FreeBy by) {
  aside_.clear();
  co_await memory_.free_pages(by, aside_);
  const Pages before = pending_.count();
  pending_.remove(aside_, aside_.all());
  // Nobody has written them, so that the log has no mark of them to clear: it is enough not to be told of them again.
  if (plan_.clear == ClearRule::kPerChunk) reported_.remove(aside_, aside_.all());
  round_.free += before - pending_.count();
  aside_.clear();
  co_return Done{};
}

/// Sends what is pending: all of it, or until the round rule is content.
Task<Done> Source::send_round() {
  if (plan_.free_pages == FreePages::kSkipped) co_await leave_out_free_pages(FreeBy::kScan);
  if (plan_.round_rule == RoundRule::kBelowThreshold && !stopped_) {
    co_await send_windowed();
    co_return Done{};
  }
  while (!pending_.empty() && !failed() && (stopped_ || !rounds_cut_short())) {
    co_await send_batch(pending_.size(), {UINT64_MAX}, kNever);
  }
  co_return Done{};
}

/// Sends one record of at most `pages_max` pages and about `bytes_max` bytes; what did not go is pending again.
Task<Done> Source::send_batch(Pages pages_max, Bytes bytes_max, Nanos not_after) {
  if (plan_.batch.value > 0) pages_max = std::min(pages_max, plan_.batch);
  if (plan_.detect_zero) pages_max = std::min(pages_max, kTestedAhead);
  if (plan_.free_pages == FreePages::kHinted && !stopped_ && plan_.switch_over != Switch::kPostCopy)
    co_await leave_out_free_pages(std::exchange(hints_begin_, false) ? FreeBy::kHints : FreeBy::kMoreHints);
  const std::size_t picked = co_await pick(pages_max);
  std::size_t runs = plan_.detect_zero ? classify(picked) : picked;
  if (!plan_.detect_zero) std::copy_n(picked_.begin(), picked, batch_.begin());

  if (!remembers()) {
    co_await send_runs(runs, charge(), bytes_max, not_after);
    co_return Done{};
  }
  runs = split_deltas(runs);
  const Bytes before = window_bytes_;
  co_await send_runs(runs, charge(), bytes_max, not_after);
  const Bytes went = window_bytes_ - before;
  if (!failed() && went <= bytes_max && control_.now() < not_after) {
    co_await send_deltas(bytes_max - went, not_after);
  }
  give_back_deltas();
  co_return Done{};
}

/// Sends the first `runs` of batch_ as one record.
Task<Done> Source::send_runs(std::size_t runs, Charge charge, Bytes bytes_max, Nanos not_after) {
  const bool bounded = bytes_max.value < UINT64_MAX;
  const BatchSize whole = bounded ? size_of(batch_.first(runs), charge) : BatchSize{};
  if (whole.bytes > bytes_max) {
    Pages lump = plan_.channels > 0 ? plan_.framing.packet_pages : plan_.window_granule;
    if (charge.delta) lump = {1};
    const Pages fitting = pages_beyond(batch_.first(runs), charge, bytes_max, lump);
    PageRun rest;
    const std::size_t kept = keep_first(batch_.first(runs), fitting, rest);
    put_back(pending_, batch_.subspan(kept, runs - kept), rest);
    runs = kept;
  }
  if (runs == 0) co_return Done{};
  const Record record{.type = RecordType::kPages, .runs = batch_.first(runs), .charge = charge};
  const SendLimit limit{.rate = rate_for(record), .not_after = not_after, .granule = plan_.slice_granule};
  co_await send_record(record, limit);
  co_return Done{};
}

/// Takes the next pages out of what is pending, into picked_, ready to be sent: cleared and peeked at as the plan says.
Task<std::size_t> Source::pick(Pages pages_max) {
  const bool chunked = plan_.clear == ClearRule::kPerChunk && !stopped_;
  const std::span<PageRun> room = picked_.first(std::min(picked_.size(), batch_.size()));
  std::size_t runs = walk_.take(pending_, pages_max, chunked ? plan_.clear_chunk.value : 0, room);
  if (walk_.wrapped()) {
    sync_channels();
    scanned_ = true;
  }
  if (chunked) co_await clear_chunks(runs);
  if (plan_.skip == SkipRule::kPeek && !stopped_ && runs > 0) {
    aside_.clear();
    co_await log_.peek(picked_.first(runs), aside_);
    runs = drop_peeked(runs);
  }
  co_return runs;
}

/// Forgets in the log what it has reported of the chunks that the first `runs` of picked_ lie in. In ascending order that
/// is one chunk.
Task<Done> Source::clear_chunks(std::size_t runs) {
  const std::uint64_t size = plan_.clear_chunk.value;
  PageIndex next = 0;  // chunks of neighbouring runs are the same most of the time
  for (std::size_t i = 0; i < runs; ++i) {
    const PageRun& run = picked_[i];
    const PageIndex end = run.is_mask() ? run.word() * 64 + 64 : run.first() + run.count();
    for (PageIndex chunk = run.first() / size * size; chunk < end; chunk += size) {
      if (chunk + size == next) continue;
      next = chunk + size;
      const PageRange range = intersect({chunk, size}, pending_.all());
      if (reported_.count_in(range) == 0) continue;
      co_await log_.clear(range, reported_);
      reported_.remove(range);
    }
  }
  co_return Done{};
}

/// Takes the pages that were peeked at as dirty out of picked_: they wait for the next round.
std::size_t Source::drop_peeked(std::size_t picked) {
  if (aside_.empty()) return picked;
  round_.skipped += aside_.count();
  std::size_t kept = 0;
  PageSet::Reader dirty(aside_);
  const std::span<PageRun> out = batch_;
  const auto keep = [&](std::uint64_t word, std::uint64_t clean) {
    if (clean == 0) return;
    if (kept < out.size())
      out[kept++] = PageRun::of_word(word, clean);
    else
      pending_.add_word(word, clean);  // no room in this record: the next one takes it
  };
  for (const PageRun& run : picked_.first(picked)) {
    if (run.is_mask())
      keep(run.word(), run.mask() & ~dirty.word(run.word()));
    else
      for_each_word(run, [&](std::uint64_t word, std::uint64_t mask) { keep(word, mask & ~dirty.word(word)); });
  }
  std::copy_n(batch_.begin(), kept, picked_.begin());
  return kept;
}

/// Marks the zero pages of picked_, into batch_; what found no room is pending again. Returns the runs of batch_.
std::size_t Source::classify(std::size_t picked) {
  std::size_t runs = 0;
  for (std::size_t i = 0; i < picked; ++i) {
    PageRun head = picked_[i];
    runs += memory_.classify(head, batch_.subspan(runs));
    if (head.count() > 0) pending_.add(head);
  }
  return runs;
}

/// Sends `record`, counts what went, and puts back what did not.
Task<Done> Source::send_record(Record record, SendLimit limit) {
  record.sequence = sequence_++;
  if (carries_pages(record.type)) {
    const bool once = plan_.round_rule == RoundRule::kBelowThreshold && framed_;
    record.charge.fixed = (once ? Bytes{0} : plan_.framing.record_fixed) + std::exchange(sync_bytes_, {});
    framed_ = true;
  }
  const Sent sent = co_await link_.send(record, limit);
  use_allowance(sent.bytes);

  if (carries_pages(record.type)) {
    PageRun rest;
    const std::span<PageRun> mine = batch_.first(record.runs.size());
    const std::size_t kept = sent.stop == SendStop::kDone ? mine.size() : keep_first(mine, sent.pages, rest);
    put_back(record.type == RecordType::kShadowPages ? aside_ : pending_, mine.subspan(kept), rest);
    record.runs = mine.first(kept);
    round_.sent += sent.pages;
    const Pages zero = plan_.detect_zero ? size_of(record.runs, record.charge).zero : Pages{0};
    round_.zero += zero;
    round_.bytes += sent.bytes;
    window_bytes_ += sent.bytes;
    const Pages packed = record.charge.zero_in_packet ? sent.pages : sent.pages - zero;
    in_packet_ = {(in_packet_ + packed).value % plan_.framing.packet_pages.value};
    remember(record);
  }
  if (sent.stop != SendStop::kBroken && !closes(record.type)) hash_.add(record, sent.payload_crc);
  if (sent.stop == SendStop::kBroken) fail(Outcome::kLinkBroken);
  if (sent.stop == SendStop::kRefused) fail(Outcome::kRefused);
  if (carries_pages(record.type)) heed_commands();
  co_return Done{};
}

/// Once the guest runs at the destination there is nothing left to call off.
void Source::heed_commands() {
  const Command command = control_.poll();
  if (command == Command::kCancel && !handed_over_) fail(Outcome::kCancelled);
  if (command == Command::kFinish) finish_asked_ = true;
  if (command == Command::kPostCopy && plan_.switch_over == Switch::kPostCopy) postcopy_asked_ = true;
  plan_.stop.downtime_max = control_.downtime_max(downtime_planned_);
}

/// `before`, where it has pages, and then `runs` are in the set again that they were taken from. Of what is pending they are
/// what comes next.
void Source::put_back(PageSet& into, std::span<const PageRun> runs, const PageRun& before) {
  into.add(runs);
  if (before.count() > 0) into.add(before);
  if (&into != &pending_ || (runs.empty() && before.count() == 0)) return;
  walk_.back_to(before.count() > 0 ? before.first() : runs.front().first());
}

/// All channels wait for each other: the packets under way go as they are, then one that says so goes on each.
void Source::sync_channels() {
  if (plan_.channels == 0) return;
  sync_bytes_ += plan_.framing.packet * plan_.channels + plan_.framing.flush;
  in_packet_ = {};
}

Charge Source::charge() const {
  if (plan_.channels > 0 && !handed_over_) {
    return {.normal_page = memory_.page_size(),
            .zero_page = plan_.zero_in_packets ? Bytes{0} : plan_.framing.zero_page,
            .packet = plan_.framing.packet,
            .packet_pages = plan_.framing.packet_pages,
            .in_packet = in_packet_,
            .zero_in_packet = plan_.zero_in_packets};
  }
  return {.normal_page = memory_.page_size() + plan_.framing.page_header, .zero_page = plan_.framing.zero_page};
}

/// What the downtime estimate counts for a pending page: its wire bytes; QEMU counts the page alone.
Bytes Source::counted_page() const {
  return plan_.estimate == Estimate::kLastWindow ? memory_.page_size() : charge().normal_page;
}

}  // namespace godwit::core
