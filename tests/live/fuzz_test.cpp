// The receiver is fed streams that are wrong in every way: raw bytes of a good one changed anywhere, and records that
// are sound one by one and make no sense together. With GODWIT_FUZZ_SECONDS for so long, else some hundreds of each.
#include <sys/socket.h>

#include <random>

#include "core/wire.h"
#include "tests/live/migration.h"

namespace godwit::test {
namespace {

using core::Record;
using core::RecordType;

constexpr std::uint64_t kPages = 24;
constexpr Bytes kMemoryMax{64 * kPageBytes};

/// Keeps what arrives in memory of its own, so that a sanitizer sees whoever writes beside it.
class Room final : public live::Lodging {
 public:
  std::byte* reserve(Pages size) override {
    EXPECT_LE(size.value * kPageBytes, kMemoryMax.value);
    memory_.assign(size.value * kPageBytes, std::byte{0xee});
    return memory_.data();
  }
  void arrived() override { arrived_ = memory_; }
  bool run() override {
    ran_ = arrived_;
    return true;
  }
  void discard() override { memory_.clear(); }
  /// What was there when the guest was started; empty: it was not.
  const std::vector<std::byte>& ran() const { return ran_; }

 private:
  std::vector<std::byte> memory_, arrived_, ran_;
};

class Fuzz : public testing::Test {
 protected:
  using Raw = std::vector<std::byte>;

  std::uint64_t random(std::uint64_t below) { return engine_() % below; }

  /// Whether there is another turn.
  bool goes_on() const {
    if (seconds_ == nullptr) return runs_ < 300;
    return live::monotonic_now() < began_ + std::chrono::milliseconds(500 * std::atoll(seconds_));  // of two tests
  }

  static Raw encoded(const Record& record) {
    Raw bytes(core::encoded_size(record));
    core::encode(record, bytes);
    return bytes;
  }

  /// A migration as it should be, record by record; and the memory that it leads to.
  std::vector<Raw> good_stream(Raw& memory) {
    memory.assign(kPages * kPageBytes, std::byte{0});
    std::vector<Raw> records;
    core::StreamHash hash;
    std::uint64_t sequence = 0;
    const auto add = [&](Record record) {
      record.sequence = sequence++;
      record.payload_crc = core::crc32c(0, record.payload);
      hash.add(record, record.payload_crc);
      records.push_back(encoded(record));
    };
    add({.type = RecordType::kHello, .value = kPages});
    const auto send = [&](std::vector<PageRun> runs, RecordType type) {
      Raw payload;
      for (const PageRun& run : runs) {
        live::for_each_range(run, [&](PageRange range) {
          const auto place = std::span(memory).subspan(range.first * kPageBytes, range.count * kPageBytes);
          const auto fill = run.is_zero() ? std::byte{0} : static_cast<std::byte>(engine_());
          std::fill(place.begin(), place.end(), fill);
          if (!run.is_zero()) place[random(place.size())] = std::byte{7};
          if (!run.is_zero()) payload.insert(payload.end(), place.begin(), place.end());
        });
      }
      add({.type = type, .runs = runs, .payload = payload});
    };
    send({PageRun::solid(0, 16), PageRun::solid(16, 8).as_zero()}, RecordType::kPages);
    send({PageRun::of_word(0, 0x90021), PageRun::of_word(0, 2).as_zero()}, RecordType::kPages);
    send({PageRun::of_word(0, 0x600)}, RecordType::kShadowPages);
    add({.type = RecordType::kDeviceState, .value = 77});
    records.push_back(encoded({.type = RecordType::kEnd, .sequence = sequence++, .value = hash.value()}));
    records.push_back(encoded({.type = RecordType::kCommit, .sequence = sequence++}));
    return records;
  }

  /// Gives the receiver all of `stream`, and then no more.
  void feed(std::span<const std::byte> stream, Room& room) {
    std::array<int, 2> ends{};
    ASSERT_EQ(::socketpair(AF_UNIX, SOCK_STREAM, 0, ends.data()), 0);
    const live::UniqueFd source(ends[0]);
    live::Stream destination{live::UniqueFd(ends[1]), 10s};
    const int room_for_all = 4 << 20;
    ::setsockopt(source.get(), SOL_SOCKET, SO_SNDBUFFORCE, &room_for_all, sizeof room_for_all);
    std::thread sender([&] {
      while (!stream.empty()) {
        const ssize_t sent = ::send(source.get(), stream.data(), stream.size(), MSG_NOSIGNAL);
        if (sent <= 0) break;
        stream = stream.subspan(static_cast<std::size_t>(sent));
      }
      ::shutdown(source.get(), SHUT_WR);
    });
    live::receive(destination, room, kMemoryMax, false);
    ::shutdown(destination.fd(), SHUT_RDWR);
    sender.join();
    ++runs_;
  }

  static Raw joined(const std::vector<Raw>& records) {
    Raw all;
    for (const Raw& record : records) all.insert(all.end(), record.begin(), record.end());
    return all;
  }

  /// Damages bytes of a stream: bits, bytes, numbers that are at an edge, stretches left out, doubled or put elsewhere.
  void damage(Raw& stream) {
    for (std::uint64_t n = 1 + random(4); n > 0 && stream.size() > 8; --n) {
      const std::size_t at =
          random(2) == 0 ? random(stream.size() - 8) : random(std::min<std::size_t>(400, stream.size() - 8));
      const std::size_t length = std::min<std::size_t>(1 + random(random(2) == 0 ? 8 : 6000), stream.size() - at);
      const auto begin = stream.begin() + static_cast<std::ptrdiff_t>(at);
      static constexpr std::array<std::uint64_t, 8> kEdges = {0,  1,          kPages,     kPages - 1,
                                                              64, UINT64_MAX, 1ull << 32, (1ull << 63) | 5};
      const std::uint64_t edge = kEdges[random(kEdges.size())];
      switch (random(6)) {
        case 0: stream[at] ^= std::byte{1} << random(8); break;
        case 1: stream[at] = static_cast<std::byte>(engine_()); break;
        case 2: std::memcpy(&stream[at], &edge, random(2) == 0 ? 8 : 4); break;
        case 3: stream.erase(begin, begin + static_cast<std::ptrdiff_t>(length)); break;
        case 4: {
          const Raw copy(begin, begin + static_cast<std::ptrdiff_t>(length));
          stream.insert(stream.begin() + static_cast<std::ptrdiff_t>(random(stream.size())), copy.begin(), copy.end());
          break;
        }
        case 5: stream.resize(at); break;
      }
    }
  }

  std::mt19937_64 engine_{20260101};
  const char* seconds_ = std::getenv("GODWIT_FUZZ_SECONDS");
  Nanos began_ = live::monotonic_now();
  std::uint64_t runs_ = 0;
};

TEST_F(Fuzz, AGoodStreamRuns) {
  Raw memory;
  const Raw stream = joined(good_stream(memory));
  Room room;
  feed(stream, room);
  EXPECT_EQ(room.ran(), memory);
}

TEST_F(Fuzz, AStreamThatIsDamagedAnywhereNeverRunsWithOtherContents) {
  while (goes_on()) {
    Raw memory;
    Raw stream = joined(good_stream(memory));
    damage(stream);
    Room room;
    feed(stream, room);
    if (!room.ran().empty()) {
      ASSERT_EQ(room.ran(), memory);
    }
  }
  std::printf("%llu streams\n", static_cast<unsigned long long>(runs_));
}

// Each record has a right checksum, so that what it says is believed as far as it goes.
TEST_F(Fuzz, RecordsThatMakeNoSenseTogetherDoNoHarm) {
  while (goes_on()) {
    Raw memory;
    std::vector<Raw> records = good_stream(memory);
    for (std::uint64_t n = 1 + random(3); n > 0; --n) {
      const std::size_t at = random(records.size());
      std::vector<PageRun> runs;
      for (std::uint64_t i = random(5); i > 0; --i) {
        const PageRun run = random(2) == 0 ? PageRun::solid(random(kPages + 2), 1 + random(kPages))
                                           : PageRun::of_word(random(2), engine_() | 1);
        runs.push_back(random(3) == 0 ? run.as_zero() : run);
      }
      std::uint64_t pages = 0;
      for (const PageRun& run : runs) pages += run.is_zero() ? 0 : run.count();
      const Raw payload(random(8) == 0 ? random(9000) : pages * kPageBytes, std::byte{0x55});
      const Record record{.type = static_cast<RecordType>(1 + random(10)),
                          .sequence = random(4) == 0 ? random(9) : at,
                          .value = random(2) == 0 ? random(100) : engine_(),
                          .runs = runs,
                          .payload = payload};
      switch (random(4)) {
        case 0: records[at] = encoded(record); break;
        case 1: records.insert(records.begin() + static_cast<std::ptrdiff_t>(at), encoded(record)); break;
        case 2: std::swap(records[at], records[random(records.size())]); break;
        case 3: records.erase(records.begin() + static_cast<std::ptrdiff_t>(at)); break;
      }
      if (records.empty()) break;
    }
    Room room;
    feed(joined(records), room);
    if (!room.ran().empty()) {
      ASSERT_EQ(room.ran(), memory);
    }
  }
  std::printf("%llu streams\n", static_cast<unsigned long long>(runs_));
}

TEST_F(Fuzz, TheDoorStaysShutToAnyBytes) {
  std::string error;
  live::Address address = somewhere();
  const live::UniqueFd listener = live::listen_at(address, error);
  const live::Token token = live::Token::random();
  live::Gate gate(listener.get(), {.token = token});
  live::UniqueFd admitted;
  std::thread door([&] { admitted = gate.admit(60s).socket; });
  const auto knock = [&](std::span<const std::byte> bytes) {
    live::UniqueFd socket = live::connect_to(address, 60s, error);
    ::send(socket.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
    return socket;
  };
  for (int i = 0; i < 200; ++i) {
    const auto good = live::Request{.token = live::Token::random()}.encode();
    Raw bytes(good.begin(), good.end());
    damage(bytes);
    knock(bytes);
  }
  live::Stream invited{knock(live::Request{.token = token}.encode()), 60s};
  door.join();
  // It was the last who came in, and no other.
  ASSERT_TRUE(admitted.valid());
  live::Gate::answer(admitted.get(), live::Welcome::kComeIn);
  std::array<std::byte, 1> answer{};
  EXPECT_TRUE(invited.read(std::span<std::byte>(answer)));
  ::unlink(address.port.c_str());
}

}  // namespace
}  // namespace godwit::test
