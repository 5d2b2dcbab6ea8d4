#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "studies/parallel.h"
#include "studies/ranks.h"
#include "studies/sweep_file.h"
#include "studies/sweep_store.h"

/// A sweep spread over processes: rank 0 has the store and deals out points, the others run them.
namespace godwit::studies {

/// Rank 0's view of the others. It runs no points, and sleeps while there is nothing to do.
class Crew {
 public:
  explicit Crew(Ranks& ranks);
  /// Tells the others that it is over, if they have not been told.
  ~Crew();
  Crew(const Crew&) = delete;
  Crew& operator=(const Crew&) = delete;

  /// Runs `points` of `sweep` on the others and commits their rows as they come; to be called once. What `progress` ends
  /// early, or another rank or an exception does, keeps what was done. Throws StoreError, or what has gone wrong at another
  /// rank.
  void run_points(const Sweep& sweep, const std::vector<std::uint64_t>& points, SweepStore& store,
                  const Progress& progress);

  /// Whether some have not said, within the time there is after `progress` has ended it, that they are at their end: they
  /// are dead, busy with a long point, or not interrupted. Then only Ranks::abandon ends the job.
  bool lost() const { return lost_; }

 private:
  struct Work;
  void take(Work& work, const Ranks::Message& message);
  void deal(Work& work, std::uint32_t to, std::size_t least);
  void tell_end();
  void wait_for_end();

  Ranks& ranks_;
  std::vector<bool> over_;  // of each rank, whether it is at its end
  std::size_t left_;        // of the others, those that are not
  bool told_end_ = false, lost_ = false;
};

/// What every other rank does until it is told that it is over, or `go_on`, which several threads may call, is false: runs
/// points, `jobs` at a time.
void serve(Ranks& ranks, const Sweep& sweep, std::uint32_t jobs, const std::function<bool()>& go_on);

/// Says to rank 0 instead why this rank cannot.
void serve_not(Ranks& ranks, const std::string& why);

}  // namespace godwit::studies
