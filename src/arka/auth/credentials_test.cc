#include "arka/auth/credentials.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "arka/auth/credentials_fixture_test.h"

namespace arka::auth {
namespace {

using testing::HasSubstr;
using testing::Not;

std::string ErrorOf(const std::string& yaml) {
  const auto parsed = ParseCredentials(yaml, "c.yaml");
  EXPECT_EQ(CodeOf(parsed.status()), ErrorCode::kInvalidRequest) << yaml;
  return parsed.status().message();
}

TEST(Credentials, AreUsersAndGrants) {
  const auto credentials = ParseCredentials(SampleCredentials(), "c.yaml").ValueOrDie();
  EXPECT_EQ(credentials.passwords.at("alice").ToString(), kPasswordHash);
  EXPECT_EQ(credentials.token_users.at(TokenHashOf(kToken)), "ingest");
  EXPECT_TRUE(credentials.grants->Allow("alice", Right::kWrite, "sales.orders"));
  EXPECT_FALSE(credentials.grants->Allow("bob", Right::kWrite, "sales.orders"));
}

TEST(Credentials, NeedNoUsersWhereTheyComeByTokensOfOthers) {
  const auto credentials = ParseCredentials(
      "grants:\n  - {principals: ['*'], tables: ['*'], rights: [read]}\n", "c.yaml");
  ASSERT_THAT(credentials, IsOk());
  EXPECT_TRUE(credentials->grants->Allow("anybody", Right::kRead, "a.t"));
}

TEST(Credentials, AnErrorNamesTheFileTheLineAndWhatWasExpected) {
  EXPECT_EQ(ErrorOf("users:\n  alice:\n    pasword: x\n"),
            "c.yaml:3: user 'alice' has an unknown key; expected 'password', 'tokens'");
  EXPECT_THAT(ErrorOf(""), HasSubstr("c.yaml:1: the file is no map"));
  EXPECT_THAT(ErrorOf("users: [alice]"), HasSubstr("c.yaml:1: 'users' is no map"));
  EXPECT_THAT(ErrorOf("users:\n  alice: {}\n"), HasSubstr("c.yaml:2: user 'alice' has neither"));
  EXPECT_THAT(ErrorOf("users:\n  a: {tokens: []}\n  a: {tokens: []}\n"),
              HasSubstr("c.yaml:3: user 'a' is there twice"));
  EXPECT_THAT(ErrorOf("users:\n  'a:b': {password: x}\n"), HasSubstr("a name with ':'"));
  EXPECT_THAT(ErrorOf("grants:\n  - {principals: [a], tables: [t], rights: [own]}\n"),
              HasSubstr("c.yaml:2: a grant's right is 'own'; expected read, write or admin"));
  EXPECT_THAT(ErrorOf("grants:\n  - {principals: [], tables: [t], rights: [read]}\n"),
              HasSubstr("c.yaml:2: a grant's 'principals' is no list of at least one text"));
  EXPECT_THAT(ErrorOf("grants:\n  - {principals: [a], rights: [read]}\n"), HasSubstr("'tables'"));
  EXPECT_THAT(ErrorOf("users: {"), HasSubstr("c.yaml:"));
}

TEST(Credentials, AnErrorRepeatsNoSecret) {
  EXPECT_THAT(ErrorOf("users:\n  alice: {password: hunter2}\n"), Not(HasSubstr("hunter2")));
  EXPECT_THAT(ErrorOf("users:\n  alice: {tokens: [hunter2]}\n"), Not(HasSubstr("hunter2")));
}

TEST(Credentials, ATokenIsOfOneUser) {
  const std::string hash = TokenHashOf(kToken);
  EXPECT_THAT(ErrorOf("users:\n  a: {tokens: [" + hash + "]}\n  b: {tokens: [" + hash + "]}\n"),
              HasSubstr("'a' has the same token"));
}

TEST(CredentialsFile, IsReadAgainWhenItChangesAndOnlyThen) {
  CredentialsFixture fixture;
  const auto file = fixture.Open();
  const int64_t generation = file->generation();
  EXPECT_THAT(file->Refresh(), IsOk());
  EXPECT_EQ(file->generation(), generation);
  fixture.Write("users:\n  bob: {tokens: []}\n");
  EXPECT_THAT(file->Refresh(), IsOk());
  EXPECT_GT(file->generation(), generation);
  EXPECT_TRUE(file->current()->passwords.empty());
}

TEST(CredentialsFile, OneThatDoesNotParseChangesNothingAndIsSaidOnce) {
  CredentialsFixture fixture;
  const auto file = fixture.Open();
  const int64_t generation = file->generation();
  fixture.Write("users: [");
  EXPECT_EQ(CodeOf(file->Refresh()), ErrorCode::kInvalidRequest);
  EXPECT_THAT(file->Refresh(), IsOk()) << "said before";
  EXPECT_THAT(fixture.fs.Remove("/credentials"), IsOk());
  EXPECT_EQ(CodeOf(file->Refresh()), ErrorCode::kNotFound);
  EXPECT_EQ(file->generation(), generation);
  EXPECT_TRUE(file->current()->passwords.contains("alice"));
}

TEST(CredentialsFile, OneThatIsNotThereAtTheStartStopsIt) {
  MemoryFs fs;
  EXPECT_THAT(CredentialsFile::Open(fs, "/missing").status().message(),
              HasSubstr("auth.credentials: "));
}

}  // namespace
}  // namespace arka::auth
