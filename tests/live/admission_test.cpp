// Someone who is not invited cannot feed the receiver.
#include "live/admission.h"

#include <gtest/gtest.h>
#include <sys/socket.h>

#include <thread>

#include "tests/live/migration.h"

namespace godwit::test {
namespace {

TEST(Token, ReadsWhatItWrites) {
  const live::Token token = live::Token::random();
  EXPECT_EQ(token.text().size(), 64u);
  EXPECT_TRUE(*live::Token::parse(token.text()) == token);
  EXPECT_FALSE(live::Token::random() == token);
  EXPECT_FALSE(live::Token::parse("").has_value());
  EXPECT_FALSE(live::Token::parse(std::string(64, 'g')).has_value());
  EXPECT_FALSE(live::Token::parse(token.text() + "0").has_value());
}

TEST(Token, DiffersInEveryBit) {
  const std::string text(64, '0');
  for (std::size_t i = 0; i < 64; ++i) {
    for (const char digit : {'1', '2', '4', '8'}) {
      std::string other = text;
      other[i] = digit;
      EXPECT_FALSE(*live::Token::parse(text) == *live::Token::parse(other)) << other;
    }
  }
}

TEST(Address, IsOnThisHostUnlessToldOtherwise) {
  EXPECT_EQ(live::Address::parse("7000")->host, "127.0.0.1");
  EXPECT_EQ(live::Address::parse("10.0.0.2:7000")->host, "10.0.0.2");
  EXPECT_EQ(live::Address::parse("[::1]:7000")->host, "::1");
  EXPECT_EQ(live::Address::parse("unix:/tmp/x")->text(), "unix:/tmp/x");
  for (const char* wrong : {"", ":", "host:", ":7000", "host:x", "host:70000", "::1:7000", "unix:"})
    EXPECT_FALSE(live::Address::parse(wrong).has_value()) << wrong;
}

class Admission : public testing::Test {
 protected:
  Admission() : address_(somewhere()) {
    std::string error;
    listener_ = live::listen_at(address_, error);
    EXPECT_TRUE(listener_.valid()) << error;
  }
  ~Admission() override { ::unlink(address_.port.c_str()); }

  live::UniqueFd connect() {
    std::string error;
    return live::connect_to(address_, 60s, error);
  }
  std::optional<std::string> ask(const live::Request& request) {
    live::Stream stream{connect(), 60s};
    return live::ask_in(stream, request);
  }

  live::Address address_;
  live::UniqueFd listener_;
  live::Token token_ = live::Token::random();
};

TEST_F(Admission, LetsInWhoKnowsTheTokenAndNobodyElse) {
  live::Gate gate(listener_.get(), {.token = token_, .program = 5});
  live::UniqueFd admitted;
  std::thread door([&] {
    admitted = gate.admit(60s).socket;
    live::Gate::answer(admitted.get(), live::Welcome::kComeIn);
  });
  EXPECT_TRUE(ask({.token = live::Token::random(), .program = 5}).has_value());
  EXPECT_TRUE(ask({}).has_value());
  const auto other = ask({.token = token_, .program = 6});
  EXPECT_NE(other.value_or("").find("another build"), std::string::npos);
  live::Stream invited{connect(), 60s};
  EXPECT_EQ(live::ask_in(invited, {.token = token_, .program = 5}), std::nullopt);
  door.join();
  EXPECT_TRUE(admitted.valid());
  EXPECT_EQ(gate.turned_away(), 3u);
}

TEST_F(Admission, AnswersAStrangerWithNothing) {
  live::Gate gate(listener_.get(), {.token = token_});
  std::thread door([&] { gate.admit(60s); });
  live::Stream stranger{connect(), 60s};
  const auto bytes = live::Request{.token = live::Token::random()}.encode();
  stranger.write(std::span<const std::byte>(bytes));
  std::array<std::byte, 1> answer{};
  EXPECT_FALSE(stranger.read(std::span<std::byte>(answer)));
  EXPECT_EQ(stranger.trouble(), live::Trouble::kClosed);
  const auto invited = live::Request{.token = token_}.encode();  // so that it ends
  live::Stream last{connect(), 60s};
  last.write(std::span<const std::byte>(invited));
  door.join();
  EXPECT_EQ(gate.turned_away(), 1u);
}

TEST_F(Admission, WhoSaysNothingKeepsNobodyOut) {
  live::Gate gate(listener_.get(), {.token = token_});
  live::UniqueFd admitted;
  std::thread door([&] {
    admitted = gate.admit(60s).socket;
    live::Gate::answer(admitted.get(), live::Welcome::kComeIn);
  });
  std::vector<live::UniqueFd> silent;
  for (int i = 0; i < 40; ++i) silent.push_back(connect());
  EXPECT_EQ(ask({.token = token_}), std::nullopt);
  door.join();
  EXPECT_TRUE(admitted.valid());
}

}  // namespace
}  // namespace godwit::test
