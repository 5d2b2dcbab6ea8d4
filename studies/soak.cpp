#include "studies/soak.h"

#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <deque>
#include <memory>
#include <optional>

#include "base/check.h"
#include "scenarios/strategy.h"
#include "studies/child.h"
#include "studies/soak_record.h"

namespace godwit::studies {
namespace {

constexpr std::uint64_t kChunk = 64;
constexpr std::chrono::seconds kSeedCpuMost{60};  // for one seed, which takes milliseconds

/// Consecutive seeds, and what became of those that were run: a record, or what went wrong.
struct Chunk {
  Chunk(std::uint64_t first_seed, std::uint64_t seeds) : first(first_seed), count(seeds) {}

  std::uint64_t first, count;
  struct Seed {
    std::optional<SoakRecord> record;
    std::string failure;
  };
  std::vector<Seed> done;

  bool over() const { return done.size() == count; }
};

/// A child that works through the rest of a chunk.
class Worker {
 public:
  Worker(std::shared_ptr<Chunk> chunk, const std::filesystem::path& folder)
      : chunk_(std::move(chunk)), child_([this, &folder](int output) { work(*chunk_, folder, output); }) {}

  int output() const { return child_.output(); }

  /// Takes what the child has written. False where it has ended.
  bool read() {
    char piece[sizeof(SoakRecord) * 16];
    const ssize_t got = ::read(child_.output(), piece, sizeof piece);
    if (got < 0) return true;  // nothing yet
    pending_.append(piece, static_cast<std::size_t>(got));
    while (pending_.size() >= sizeof(SoakRecord)) {
      SoakRecord record;
      std::memcpy(&record, pending_.data(), sizeof record);
      pending_.erase(0, sizeof record);
      chunk_->done.push_back({record, {}});
    }
    return got > 0;
  }

  /// After the child has ended: where it left seeds over, the first of them is why.
  std::shared_ptr<Chunk> finish() {
    std::string why = child_.end();
    if (!chunk_->over()) chunk_->done.push_back({{}, why.empty() ? "it ended without a word" : std::move(why)});
    return chunk_;
  }

 private:
  static void work(const Chunk& chunk, const std::filesystem::path& folder, int output) {
    for (std::uint64_t i = chunk.done.size(); i < chunk.count; ++i) {
      limit_cpu(kSeedCpuMost);
      const SoakRecord record = soak_seed(chunk.first + i, folder);
      if (::write(output, &record, sizeof record) != sizeof record) return;
    }
  }

  std::shared_ptr<Chunk> chunk_;
  Child child_;
  std::string pending_;
};

/// Hands chunks to workers, and adds up what comes back in the order of the seeds.
class Soak {
 public:
  Soak(const SoakOptions& options, const Progress& progress) : options_(options), progress_(progress) {
    summary_.first = options.first;
  }

  SoakSummary run() {
    scenarios::strategies();  // read once here, not in every child
    while (!ended()) {
      while (workers_.size() < options_.jobs && next_ < options_.seeds) start_next();
      if (workers_.empty()) break;
      wait();
      add_up();
      if (progress_ && !progress_(done_, options_.seeds)) break;
    }
    workers_.clear();
    return std::move(summary_);
  }

 private:
  bool ended() const { return summary_.failures.size() >= options_.failures_max; }

  void start_next() {
    const std::uint64_t count = std::min(kChunk, options_.seeds - next_);
    start(chunks_.emplace_back(std::make_shared<Chunk>(options_.first + next_, count)));
    next_ += count;
  }

  void start(std::shared_ptr<Chunk> chunk) {
    workers_.push_back(std::make_unique<Worker>(std::move(chunk), options_.folder));
  }

  void wait() {
    std::vector<pollfd> outputs;
    for (const auto& each : workers_) outputs.push_back({each->output(), POLLIN, 0});
    constexpr int kMilliseconds = 200;  // then the progress is told again
    if (::poll(outputs.data(), outputs.size(), kMilliseconds) <= 0) return;
    for (std::size_t i = 0; i < outputs.size(); ++i) {
      if (outputs[i].revents == 0 || workers_[i]->read()) continue;
      std::shared_ptr<Chunk> chunk = workers_[i]->finish();
      workers_[i].reset();
      if (!chunk->over()) start(std::move(chunk));
    }
    std::erase(workers_, nullptr);
  }

  void add_up() {
    while (!chunks_.empty()) {
      const Chunk& chunk = *chunks_.front();
      for (; added_ < chunk.done.size() && !ended(); ++added_) add_seed(chunk.first + added_, chunk.done[added_]);
      if (!chunk.over() || ended()) break;
      chunks_.pop_front();
      added_ = 0;
    }
    done_ = summary_.seeds;
  }

  void add_seed(std::uint64_t seed, const Chunk::Seed& done) {
    if (done.record) return add(summary_, *done.record);
    ++summary_.seeds;
    summary_.failures.push_back({seed, done.failure});
  }

  const SoakOptions& options_;
  const Progress& progress_;
  SoakSummary summary_;
  std::deque<std::shared_ptr<Chunk>> chunks_;  // that are not added up yet, in order
  std::vector<std::unique_ptr<Worker>> workers_;
  std::uint64_t next_ = 0;   // seed to be handed out
  std::uint64_t added_ = 0;  // seeds of the first chunk that are added up
  std::uint64_t done_ = 0;
};

}  // namespace

SoakSummary soak(const SoakOptions& options, const Progress& progress) {
  GODWIT_CHECK(options.seeds > 0 && options.jobs > 0 && options.failures_max > 0);
  return Soak(options, progress).run();
}

}  // namespace godwit::studies
