#include "arka/auth/authenticator.h"

#include <future>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "arka/auth/credentials_fixture_test.h"
#include "arka/base/base64.h"
#include "arka/testing/simulated_clock.h"

namespace arka::auth {
namespace {

using std::chrono::hours;
using std::chrono::minutes;
using testing::HasSubstr;
using testing::Not;

class AuthenticatorTest : public ::testing::Test {
 protected:
  Result<Login> Identify(const std::optional<std::string>& authorization) {
    std::promise<Result<Login>> answer;
    Presented presented;
    if (authorization) presented.authorization = *authorization;
    presented.peer = "10.0.0.1:1";
    authenticator_.Identify(presented,
                            [&](Result<Login> login) { answer.set_value(std::move(login)); });
    return answer.get_future().get();
  }
  static std::string Basic(const std::string& user, const std::string& password) {
    return "Basic " + EncodeBase64(user + ":" + password);
  }
  void Change(const std::string& credentials) {
    fixture_.Write(credentials);
    ASSERT_THAT(file_->Refresh(), IsOk());
  }

  CredentialsFixture fixture_;
  SimulatedClock clock_;
  const std::unique_ptr<CredentialsFile> file_ = fixture_.Open();
  Authenticator authenticator_{*file_, clock_};
};

TEST_F(AuthenticatorTest, AStaticTokenIsItsUser) {
  const auto login = Identify(std::string("Bearer ") + kToken);
  ASSERT_THAT(login, IsOk());
  EXPECT_EQ(login->identity.principal, "ingest");
  EXPECT_EQ(login->bearer, "");
  EXPECT_THAT(authenticator_.StillHolds(login->identity), IsOk());
  EXPECT_TRUE(authenticator_.CallerOf(login->identity)->May(Right::kWrite, "sales.orders"));
  EXPECT_FALSE(authenticator_.CallerOf(login->identity)->May(Right::kRead, "sales.orders"));
}

TEST_F(AuthenticatorTest, APasswordIsAnsweredWithATokenThatIsGoodUntilItsEnd) {
  const auto login = Identify(Basic("alice", kPassword));
  ASSERT_THAT(login, IsOk());
  EXPECT_EQ(login->identity.principal, "alice");
  const auto again = Identify("bearer " + login->bearer);
  ASSERT_THAT(again, IsOk());
  EXPECT_EQ(again->identity.principal, "alice");
  clock_.Advance(minutes(59));
  EXPECT_THAT(authenticator_.StillHolds(again->identity), IsOk());
  clock_.Advance(minutes(2));
  EXPECT_EQ(CodeOf(authenticator_.StillHolds(again->identity)), ErrorCode::kUnauthenticated);
  EXPECT_THAT(Identify("Bearer " + login->bearer).status().message(), HasSubstr("has expired"));
}

TEST_F(AuthenticatorTest, AnythingElseIsNobodyAndIsNotRepeated) {
  const std::string token = Identify(Basic("alice", kPassword))->bearer;
  std::string tampered = token;
  tampered[tampered.size() - 8] = tampered[tampered.size() - 8] == 'A' ? 'B' : 'A';
  for (const std::string& presented :
       {std::string(), std::string("Bearer"), std::string("Bearer "), std::string("Bearer x"),
        "Bearer " + tampered, "Bearer " + token + "A", std::string("Bearer arka_"),
        std::string("Basic"), std::string("Basic hunter2"), Basic("alice", "hunter2"),
        Basic("hunter2", ""), "Basic " + EncodeBase64("hunter2"), std::string("Negotiate hunter2"),
        std::string("Bearer ") + TokenHashOf(kToken), std::string("Bearer ") + kPasswordHash,
        Basic("alice", kPasswordHash)}) {
    const auto login = Identify(presented);
    ASSERT_EQ(CodeOf(login.status()), ErrorCode::kUnauthenticated) << presented;
    EXPECT_THAT(login.status().message(), Not(HasSubstr("hunter2")));
  }
  EXPECT_EQ(CodeOf(Identify(std::nullopt).status()), ErrorCode::kUnauthenticated);
}

TEST_F(AuthenticatorTest, WhoIsTakenOutOfTheFileIsNobodyAtOnce) {
  const Identity token = Identify(std::string("Bearer ") + kToken)->identity;
  const auto login = Identify(Basic("alice", kPassword)).ValueOrDie();
  Change("users: {}\n");
  for (const Identity& identity : {token, login.identity}) {
    EXPECT_THAT(authenticator_.StillHolds(identity).message(), HasSubstr("was revoked"));
  }
  for (const std::string& presented :
       {std::string("Bearer ") + kToken, "Bearer " + login.bearer, Basic("alice", kPassword)}) {
    EXPECT_EQ(CodeOf(Identify(presented).status()), ErrorCode::kUnauthenticated);
  }
}

TEST_F(AuthenticatorTest, AChangedPasswordEndsTheTokensOfTheOldOne) {
  const auto login = Identify(Basic("alice", kPassword)).ValueOrDie();
  Change("users:\n  alice: {password: " + PasswordHash::Of("new").ValueOrDie().ToString() + "}\n");
  EXPECT_EQ(CodeOf(authenticator_.StillHolds(login.identity)), ErrorCode::kUnauthenticated);
  EXPECT_EQ(CodeOf(Identify("Bearer " + login.bearer).status()), ErrorCode::kUnauthenticated);
  EXPECT_EQ(CodeOf(Identify(Basic("alice", kPassword)).status()), ErrorCode::kUnauthenticated);
  EXPECT_THAT(Identify(Basic("alice", "new")), IsOk());
}

TEST_F(AuthenticatorTest, ATokenOfWhichOneCharacterIsChangedIsNotKnown) {
  const std::string token = Identify(Basic("alice", kPassword))->bearer;
  for (size_t i = 0; i < token.size(); ++i) {
    std::string tampered = token;
    tampered[i] = tampered[i] == 'A' ? 'B' : 'A';
    EXPECT_THAT(Identify("Bearer " + tampered).status().message(), HasSubstr("is not known")) << i;
  }
}

TEST_F(AuthenticatorTest, ATokenOfAnotherServerIsNotKnown) {
  Authenticator other(*file_, clock_);
  std::promise<std::string> bearer;
  const std::string basic = Basic("alice", kPassword);
  other.Identify({.authorization = basic, .peer = "10.0.0.1:1"},
                 [&](const Result<Login>& login) { bearer.set_value(login->bearer); });
  EXPECT_EQ(CodeOf(Identify("Bearer " + bearer.get_future().get()).status()),
            ErrorCode::kUnauthenticated);
}

}  // namespace
}  // namespace arka::auth
