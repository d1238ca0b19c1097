#include "arka/flight/client_sessions.h"

#include <gtest/gtest.h>

#include "arka/testing/matchers.h"
#include "arka/testing/seeded_random.h"
#include "arka/testing/simulated_clock.h"

namespace arka::flight {
namespace {

using std::chrono::seconds;

const std::string kAlice = "alice";

transport::Metadata Cookie(const std::string& text) { return {{"cookie", text}}; }
transport::Metadata SessionCookie(const std::string& name) {
  return Cookie(std::string(kSessionCookie) + "=" + name);
}

class ClientSessionsTest : public ::testing::Test {
 protected:
  SimulatedClock clock_;
  SeededRandom random_{1};
  ClientSessions sessions_{clock_, random_, {.lifetime = seconds(10), .sessions = 2}};
};

TEST(CookieOf, FindsTheCookieAmongOthers) {
  EXPECT_EQ(CookieOf(Cookie("a=1; b=\"2\" ;c=3"), "b"), "2");
  EXPECT_EQ(CookieOf({{"cookie", "a=1"}, {"cookie", "b=2"}}, "b"), "2");
  for (const char* text : {"", ";", "b", "xb=2", "=b", "a=b=2; bb=3"}) {
    EXPECT_EQ(CookieOf(Cookie(text), "b"), std::nullopt) << text;
  }
  EXPECT_EQ(CookieOf({{"set-cookie", "b=2"}}, "b"), std::nullopt);
}

TEST(CheckSessionOption, KnowsNamesAndValues) {
  const query::TableNaming naming{"lake", "arka"};
  EXPECT_THAT(CheckSessionOption(naming, "schema", "sales"), IsOk());
  EXPECT_THAT(CheckSessionOption(naming, "schema", "eu.sales"), IsOk());
  EXPECT_THAT(CheckSessionOption(naming, "schema", "a/b"), FailsWith(ErrorCode::kInvalidRequest));
  EXPECT_THAT(CheckSessionOption(naming, "catalog", "lake"), IsOk());
  EXPECT_THAT(CheckSessionOption(naming, "catalog", "sea"), FailsWith(ErrorCode::kInvalidRequest));
  EXPECT_THAT(CheckSessionOption(naming, "colour", "red"), FailsWith(ErrorCode::kNotFound));
}

TEST_F(ClientSessionsTest, OptionsBelongToTheSessionThatTheCookieNames) {
  const auto first = sessions_.Set(kAlice, {}, {{"schema", "sales"}});
  const auto second = sessions_.Set(kAlice, {}, {{"schema", "eu"}});
  ASSERT_TRUE(first && second);
  EXPECT_NE(*first, *second);
  EXPECT_EQ(sessions_.Set(kAlice, SessionCookie(*first), {{"catalog", "lake"}}), std::nullopt);
  EXPECT_EQ(sessions_.OptionsOf(kAlice, SessionCookie(*first)),
            (SessionOptions{{"catalog", "lake"}, {"schema", "sales"}}));
  EXPECT_EQ(sessions_.OptionsOf(kAlice, SessionCookie(*second)),
            (SessionOptions{{"schema", "eu"}}));
  EXPECT_TRUE(sessions_.OptionsOf("bob", SessionCookie(*first)).empty());
  EXPECT_FALSE(sessions_.Close("bob", SessionCookie(*first)));
  EXPECT_TRUE(sessions_.OptionsOf(kAlice, {}).empty());
  EXPECT_TRUE(sessions_.OptionsOf(kAlice, SessionCookie("made up")).empty());
  sessions_.Set(kAlice, SessionCookie(*first), {{"schema", ""}});
  EXPECT_EQ(sessions_.OptionsOf(kAlice, SessionCookie(*first)),
            (SessionOptions{{"catalog", "lake"}}));
  EXPECT_TRUE(sessions_.Close(kAlice, SessionCookie(*first)));
  EXPECT_FALSE(sessions_.Close(kAlice, SessionCookie(*first)));
  EXPECT_TRUE(sessions_.OptionsOf(kAlice, SessionCookie(*first)).empty());
}

TEST_F(ClientSessionsTest, WhatIsNotUsedIsForgottenAndTheOldestWhereThereAreTooMany) {
  const auto old = SessionCookie(*sessions_.Set(kAlice, {}, {{"schema", "a"}}));
  clock_.Advance(seconds(6));
  const auto used = SessionCookie(*sessions_.Set(kAlice, {}, {{"schema", "b"}}));
  clock_.Advance(seconds(6));
  ASSERT_FALSE(sessions_.OptionsOf(kAlice, used).empty());
  sessions_.Sweep();
  EXPECT_TRUE(sessions_.OptionsOf(kAlice, old).empty());
  const auto third = SessionCookie(*sessions_.Set(kAlice, {}, {{"schema", "c"}}));
  clock_.Advance(seconds(1));
  ASSERT_FALSE(sessions_.OptionsOf(kAlice, third).empty());
  const auto fourth = SessionCookie(*sessions_.Set(kAlice, {}, {{"schema", "d"}}));
  EXPECT_TRUE(sessions_.OptionsOf(kAlice, used).empty());
  EXPECT_FALSE(sessions_.OptionsOf(kAlice, third).empty());
  EXPECT_FALSE(sessions_.OptionsOf(kAlice, fourth).empty());
}

}  // namespace
}  // namespace arka::flight
