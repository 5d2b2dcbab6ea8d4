// The ranks of an MPI job. A module of its own, which the command loads where mpirun has started it: libmpi takes longer to
// load than the command to start, and is not everywhere.
#define OMPI_SKIP_MPICXX 1
#define MPICH_SKIP_MPICXX 1
#include "studies/ranks.h"

#include <mpi.h>

#include <chrono>
#include <cstdlib>
#include <list>
#include <optional>
#include <string>
#include <thread>
#include <utility>

namespace godwit::mpi {
namespace {

using studies::Ranks;

class MpiRanks : public Ranks {
 public:
  MpiRanks() {
    int rank = 0, size = 0;
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    MPI_Comm_size(MPI_COMM_WORLD, &size);
    rank_ = static_cast<std::uint32_t>(rank);
    size_ = static_cast<std::uint32_t>(size);
  }
  MpiRanks(const MpiRanks&) = delete;
  MpiRanks& operator=(const MpiRanks&) = delete;
  ~MpiRanks() override {
    while (drop_sent(), !outgoing_.empty()) std::this_thread::sleep_for(std::chrono::microseconds(100));
    MPI_Finalize();
  }

  std::uint32_t rank() const override { return rank_; }
  std::uint32_t size() const override { return size_; }

  // Nothing here waits in MPI: that would keep a core busy, and for ever where the other end has died. What fails ends the
  // job, as MPI does unless it is told otherwise.
  void send(std::uint32_t to, std::string_view text) override {
    Passage& passage = outgoing_.emplace_back(Passage{std::string(text)});
    MPI_Isend(passage.text.data(), static_cast<int>(text.size()), MPI_BYTE, static_cast<int>(to), 0, MPI_COMM_WORLD,
              &passage.request);
    drop_sent();
  }

  std::optional<Message> receive() override {
    drop_sent();
    if (!incoming_) begin_receive();
    if (!incoming_ || !done(*incoming_)) return std::nullopt;
    Message message{from_, std::move(incoming_->text)};
    incoming_.reset();
    return message;
  }

  void abandon(int status) override { MPI_Abort(MPI_COMM_WORLD, status); }

 private:
  /// A message on its way.
  struct Passage {
    std::string text;
    MPI_Request request = MPI_REQUEST_NULL;
  };

  static bool done(Passage& passage) {
    int is_done = 0;
    MPI_Test(&passage.request, &is_done, MPI_STATUS_IGNORE);
    return is_done != 0;
  }

  void drop_sent() { outgoing_.remove_if(done); }

  void begin_receive() {
    int there = 0, size = 0;
    MPI_Message message = MPI_MESSAGE_NULL;
    MPI_Status status;
    MPI_Improbe(MPI_ANY_SOURCE, 0, MPI_COMM_WORLD, &there, &message, &status);
    if (there == 0) return;
    MPI_Get_count(&status, MPI_BYTE, &size);
    from_ = static_cast<std::uint32_t>(status.MPI_SOURCE);
    incoming_.emplace(Passage{std::string(static_cast<std::size_t>(size), '\0')});
    MPI_Imrecv(incoming_->text.data(), size, MPI_BYTE, &message, &incoming_->request);
  }

  std::uint32_t rank_ = 0, size_ = 0, from_ = 0;
  std::list<Passage> outgoing_;  // whose texts must stay where they are until they are sent
  std::optional<Passage> incoming_;
};

}  // namespace
}  // namespace godwit::mpi

extern "C" [[gnu::visibility("default")]] godwit::studies::Ranks* godwit_mpi_ranks() {
  // Open MPI reads long messages out of the sender's memory, which ends rank 0 where the sender has died, and which
  // containers forbid; copying them costs nothing that counts.
  ::setenv("OMPI_MCA_btl_vader_single_copy_mechanism", "none", 0);
  int granted = 0;
  MPI_Init_thread(nullptr, nullptr, MPI_THREAD_SERIALIZED, &granted);
  if (granted >= MPI_THREAD_SERIALIZED) return new godwit::mpi::MpiRanks;
  MPI_Finalize();
  return nullptr;
}
