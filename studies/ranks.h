#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace godwit::studies {

/// The processes of one job, numbered from 0 on, which send each other messages. Several threads may call it, one at a
/// time. Where the other end of a message is gone, the whole job is ended from outside.
class Ranks {
 public:
  struct Message {
    std::uint32_t from = 0;
    std::string text;  ///< Any bytes.
  };

  virtual ~Ranks() = default;
  virtual std::uint32_t rank() const = 0;  ///< This process.
  virtual std::uint32_t size() const = 0;  ///< How many there are.

  /// Messages between two ranks come in the order they were sent. Does not wait for `to`.
  virtual void send(std::uint32_t to, std::string_view text) = 0;
  /// A message that has come; nothing where none has.
  virtual std::optional<Message> receive() = 0;
  /// Ends all processes of the job at once, whatever they do; the job's exit status is `status`.
  virtual void abandon(int status) = 0;
};

/// What the module godwit_mpi defines: the ranks of the job that MPI has started; null where it does not let threads take
/// turns. The destructor waits until every rank has come to its own.
constexpr const char* kRanksFunction = "godwit_mpi_ranks";
using RanksFunction = Ranks*();

}  // namespace godwit::studies
