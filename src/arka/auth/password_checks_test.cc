#include "arka/auth/password_checks.h"

#include <future>

#include <gtest/gtest.h>

#include "arka/auth/credentials_fixture_test.h"
#include "arka/testing/simulated_clock.h"

namespace arka::auth {
namespace {

using std::chrono::seconds;

class PasswordChecksTest : public ::testing::Test {
 protected:
  ErrorCode Check(PasswordChecks& checks, const std::string& user, const std::string& password,
                  const std::string& peer = "10.0.0.1:1") {
    std::optional<PasswordHash> hash;
    if (user == "alice") hash = alice_;
    std::promise<Status> answer;
    checks.Check(user, password, hash, peer, [&](const Status& done) { answer.set_value(done); });
    const Status status = answer.get_future().get();
    return status.ok() ? ErrorCode::kInternal : CodeOf(status);
  }
  static constexpr ErrorCode kGood = ErrorCode::kInternal;

  SimulatedClock clock_;
  const PasswordHash alice_ = PasswordHash::Parse(kPasswordHash).ValueOrDie();
};

TEST_F(PasswordChecksTest, TheRightPasswordIsGoodAndAnyOtherIsNot) {
  PasswordChecks checks(clock_);
  EXPECT_EQ(Check(checks, "alice", kPassword), kGood);
  EXPECT_EQ(Check(checks, "alice", "open"), ErrorCode::kUnauthenticated);
  EXPECT_EQ(Check(checks, "alice", ""), ErrorCode::kUnauthenticated);
  EXPECT_EQ(Check(checks, "bob", kPassword), ErrorCode::kUnauthenticated);
}

TEST_F(PasswordChecksTest, AGoodOneIsKnownAgainForAWhileOnTheCallersThread) {
  PasswordChecks checks(clock_);
  ASSERT_EQ(Check(checks, "alice", kPassword), kGood);
  const auto answers_at_once = [&] {
    bool answered = false;
    std::promise<void> done;
    checks.Check("alice", kPassword, alice_, "10.0.0.1:1", [&](const Status& status) {
      EXPECT_THAT(status, IsOk());
      answered = true;
      done.set_value();
    });
    const bool at_once = answered;
    done.get_future().wait();
    return at_once;
  };
  EXPECT_TRUE(answers_at_once());
  clock_.Advance(seconds(301));
  answers_at_once();  // either way it is checked anew, and is good
}

TEST_F(PasswordChecksTest, AChangedHashForgetsWhatWasGood) {
  PasswordChecks checks(clock_);
  ASSERT_EQ(Check(checks, "alice", kPassword), kGood);
  std::promise<Status> answer;
  checks.Check("alice", kPassword, PasswordHash::Of("another").ValueOrDie(), "10.0.0.1:1",
               [&](const Status& done) { answer.set_value(done); });
  EXPECT_EQ(CodeOf(answer.get_future().get()), ErrorCode::kUnauthenticated);
}

TEST_F(PasswordChecksTest, WhoFailsOftenHasToWaitButNotOnesWhoAreKnown) {
  PasswordChecks checks(clock_, {.failures = {.at_once = 3, .one_every = seconds(6)}});
  ASSERT_EQ(Check(checks, "alice", kPassword), kGood);
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(Check(checks, "alice", "guess" + std::to_string(i)), ErrorCode::kUnauthenticated);
  }
  EXPECT_EQ(Check(checks, "alice", "guess4"), ErrorCode::kBackpressure);
  EXPECT_EQ(Check(checks, "alice", kPassword), kGood) << "known";
  EXPECT_EQ(Check(checks, "alice", "guess4", "10.0.0.2:1"), ErrorCode::kUnauthenticated);
  clock_.Advance(seconds(6));
  EXPECT_EQ(Check(checks, "alice", "guess4"), ErrorCode::kUnauthenticated);
  EXPECT_EQ(Check(checks, "alice", "guess5"), ErrorCode::kBackpressure);
}

TEST(FailureLimit, OneNetworkOfIpv6IsOneAddress) {
  SimulatedClock clock;
  FailureLimit limit(clock, {.at_once = 2, .one_every = seconds(6)});
  limit.Add("[2001:db8:1:2::1]:5");
  limit.Add("[2001:db8:1:2:ffff::9]:6");
  EXPECT_TRUE(limit.IsReached("[2001:db8:1:2:3::4]:7"));
  EXPECT_FALSE(limit.IsReached("[2001:db8:1:3::1]:7"));
}

TEST(FailureLimit, ForgetsWhatItHasNoRoomFor) {
  SimulatedClock clock;
  FailureLimit limit(clock, {.at_once = 1, .one_every = seconds(6), .max_addresses = 2});
  for (const char* peer : {"10.0.0.1:1", "10.0.0.2:1", "10.0.0.3:1"}) {
    limit.Add(peer);
    clock.Advance(std::chrono::milliseconds(1));
  }
  EXPECT_FALSE(limit.IsReached("10.0.0.1:1"));
  EXPECT_TRUE(limit.IsReached("10.0.0.3:1"));
}

}  // namespace
}  // namespace arka::auth
