#include "studies/crew.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <exception>
#include <optional>
#include <set>
#include <stdexcept>
#include <thread>
#include <type_traits>
#include <utility>
#include <variant>

#include "base/check.h"
#include "studies/collector.h"
#include "studies/sweep.h"

// Messages are MessagePack. Rank 0 hears {"rows": [...]}, {"asks": how many points at least}, {"over": null} and {"failed":
// why}, and says {"version", "sweep", "points": [...]} to who has asked, or null: it is over. A rank that is told so, or is
// interrupted, sends the rows that it has, and says "over".
namespace godwit::studies {
namespace {

using scenarios::Json;
using Clock = std::chrono::steady_clock;

constexpr auto kPause = std::chrono::milliseconds(1);  // between looks for a message
/// mpirun passes an interrupt on as SIGTERM, and kills after a second what is still there.
constexpr auto kGrace = std::chrono::milliseconds(400);

// Open MPI sends up to 64 KiB at once. What is longer waits for an answer of the receiver, whom it ends where the sender
// has died meanwhile; and rank 0 has something to say then.
constexpr std::size_t kRowsMost = 100;      // of some 300 bytes
constexpr std::size_t kPointsMost = 5'000;  // of 5 bytes

Json json_of(const SqlValue& value) {
  return std::visit(
      [](const auto& held) -> Json {
        if constexpr (std::is_same_v<std::decay_t<decltype(held)>, std::monostate>)
          return nullptr;
        else
          return held;
      },
      value);
}

SqlValue value_in(const Json& json) {
  if (json.is_null()) return std::monostate{};
  if (json.is_string()) return json.get<std::string>();
  if (json.is_number_float()) return json.get<double>();
  return json.get<std::int64_t>();
}

Row row_in(const Json& json) {
  Row row;
  row.reserve(json.size());
  for (const Json& each : json) row.push_back(value_in(each));
  return row;
}

void send(Ranks& ranks, std::uint32_t to, const Json& json) {
  std::string text;
  Json::to_msgpack(json, text);
  ranks.send(to, text);
}

Json read(const Ranks::Message& message) { return Json::from_msgpack(message.text); }

/// Waits for a message; null where `go_on` ends it.
Json next(Ranks& ranks, const std::function<bool()>& go_on) {
  while (go_on()) {
    if (const auto message = ranks.receive()) return read(*message);
    std::this_thread::sleep_for(kPause);
  }
  return nullptr;
}

/// What is wrong, and at which machine.
std::string here(const std::string& what) {
  std::array<char, 256> name{};
  return ::gethostname(name.data(), name.size() - 1) == 0 ? fmt::format("{}: {}", name.data(), what) : what;
}

/// Rows on their way to rank 0, and whether it has said meanwhile that it is over.
class Parcel {
 public:
  explicit Parcel(Ranks& ranks) : ranks_(ranks) {}

  void add(const Row& row) {
    Json values = Json::array();
    for (const SqlValue& each : row) values.push_back(json_of(each));
    rows_.push_back(std::move(values));
    if (rows_.size() == kRowsMost) flush();
  }

  void commit() {
    flush();
    if (ranks_.receive()) over_ = true;  // who has not asked is told nothing else
  }

  bool over() const { return over_; }

 private:
  void flush() {
    if (!rows_.empty()) send(ranks_, 0, {{"rows", std::exchange(rows_, Json::array())}});
  }

  Ranks& ranks_;
  Json rows_ = Json::array();
  std::atomic<bool> over_{false};
};

/// Runs what rank 0 has dealt out. Returns whether it has said that it is over.
bool run_dealt(Ranks& ranks, const Sweep& sweep, const SweepRows& rows, const Json& dealt, std::uint32_t jobs,
               const std::function<bool()>& go_on) {
  if (dealt["sweep"] != sweep.hash() || dealt["version"] != GODWIT_VERSION)
    throw std::runtime_error("the sweep's file, or godwit, is another than that of rank 0");
  const auto points = dealt["points"].get<std::vector<std::uint64_t>>();
  Parcel parcel(ranks);
  Collector collector(parcel);
  for_each_number(
      points.size(), jobs, [&](std::size_t i) { collector.add(run_point(sweep, rows, points[i])); },
      [&](std::size_t, std::size_t) { return !parcel.over() && go_on(); });
  if (!parcel.over()) collector.finish();
  return parcel.over();
}

}  // namespace

struct Crew::Work {
  Work(const Sweep& sweep, const std::vector<std::uint64_t>& all, SweepStore& store)
      : hash(sweep.hash()), points(all), collector(store) {}

  /// The fewer are left, the fewer at a time (guided self-scheduling), so that all come to the end together.
  std::vector<std::uint64_t> next(std::size_t least, std::size_t ranks) {
    const std::size_t left = points.size() - dealt;
    const std::size_t count = std::min(left, std::max(least, std::min<std::size_t>(left / (8 * ranks), kPointsMost)));
    const auto first = points.begin() + static_cast<std::ptrdiff_t>(dealt);
    dealt += count;
    return {first, first + static_cast<std::ptrdiff_t>(count)};
  }

  void add(const Json& rows) {
    try {
      for (const Json& each : rows) {
        if (failure) return;
        collector.add(row_in(each));
        ++done;
      }
    } catch (const StoreError&) {
      failure = std::current_exception();
    }
  }

  void fail(const std::string& what) {
    if (!failure) failure = std::make_exception_ptr(std::runtime_error(what));
  }

  const std::string hash;
  const std::vector<std::uint64_t>& points;
  Collector<SweepStore> collector;
  std::size_t dealt = 0, done = 0;
  std::set<std::uint32_t> waiting;         // ranks that have asked when nothing was left
  std::optional<Clock::time_point> until;  // after an interrupt: how long the others may take
  std::exception_ptr failure;
};

Crew::Crew(Ranks& ranks) : ranks_(ranks), over_(ranks.size()), left_(ranks.size() - 1) {
  GODWIT_CHECK(ranks.rank() == 0 && ranks.size() > 1);
  over_[0] = true;
}

Crew::~Crew() {
  if (!lost_) wait_for_end();
}

void Crew::run_points(const Sweep& sweep, const std::vector<std::uint64_t>& points, SweepStore& store,
                      const Progress& progress) {
  Work work(sweep, points, store);
  while (left_ > 0 && !lost_) {
    if (!work.until && !progress(work.done, points.size())) {
      work.until = Clock::now() + kGrace;
      work.collector.keep();
    }
    if (const auto message = ranks_.receive())
      take(work, *message);
    else
      std::this_thread::sleep_for(kPause);
    lost_ = work.until && left_ > 0 && Clock::now() > *work.until;
  }
  if (work.failure) {
    work.collector.keep();
    std::rethrow_exception(work.failure);
  }
  store.commit();
}

void Crew::take(Work& work, const Ranks::Message& message) {
  const Json said = read(message);
  if (said.contains("rows")) work.add(said["rows"]);
  if (said.contains("asks")) deal(work, message.from, said["asks"].get<std::size_t>());
  if (said.contains("failed")) work.fail(fmt::format("rank {}, {}", message.from, said["failed"].get<std::string>()));
  if (said.contains("over") || said.contains("failed")) {
    over_[message.from] = true;
    work.waiting.erase(message.from);
    --left_;
  }
  // All are told at once, so that none waits in the MPI library, which would keep a core busy. An interrupt they have
  // had themselves, and may have died of it: Open MPI ends who sends to the dead.
  if (!work.until && (work.failure || work.waiting.size() == left_)) tell_end();
}

void Crew::deal(Work& work, std::uint32_t to, std::size_t least) {
  if (told_end_) return;
  const std::vector<std::uint64_t> points = work.until ? std::vector<std::uint64_t>{} : work.next(least, left_);
  if (points.empty())
    work.waiting.insert(to);
  else
    send(ranks_, to, {{"version", GODWIT_VERSION}, {"sweep", work.hash}, {"points", points}});
}

void Crew::tell_end() {
  if (told_end_) return;
  told_end_ = true;
  for (std::uint32_t rank = 0; rank < ranks_.size(); ++rank)
    if (!over_[rank]) send(ranks_, rank, nullptr);
}

void Crew::wait_for_end() {
  tell_end();
  while (left_ > 0) {
    const Json said = next(ranks_, [] { return true; });
    if (said.contains("over") || said.contains("failed")) --left_;
  }
}

void serve(Ranks& ranks, const Sweep& sweep, std::uint32_t jobs, const std::function<bool()>& go_on) {
  try {
    const SweepRows rows(sweep);
    bool over = false;
    while (!over && go_on()) {
      send(ranks, 0, {{"asks", jobs}});
      const Json dealt = next(ranks, go_on);
      over = dealt.is_null() || run_dealt(ranks, sweep, rows, dealt, jobs, go_on);
    }
    send(ranks, 0, {{"over", nullptr}});
  } catch (const std::exception& error) {
    serve_not(ranks, error.what());
  }
}

void serve_not(Ranks& ranks, const std::string& why) { send(ranks, 0, {{"failed", here(why)}}); }

}  // namespace godwit::studies
