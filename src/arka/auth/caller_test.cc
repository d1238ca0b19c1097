#include "arka/auth/caller.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "arka/testing/matchers.h"

namespace arka::auth {
namespace {

using testing::HasSubstr;

std::shared_ptr<const Grants> Given(std::vector<Grant> grants) {
  return std::make_shared<const Grants>(std::move(grants));
}

TEST(Caller, AnyoneMayDoEverything) {
  const auto caller = Caller::Anyone();
  EXPECT_EQ(caller->principal(), "anonymous");
  for (const Right right : kRights) {
    EXPECT_THAT(caller->Require(right, "sales.orders"), IsOk());
    EXPECT_THAT(caller->RequireOnAll(right), IsOk());
  }
}

TEST(Caller, MayDoWhatAGrantSaysAndNothingElse) {
  Caller caller("alice", Given({{{"alice"}, {"sales.*"}, {Right::kRead, Right::kWrite}},
                                {{"bob"}, {"*"}, {Right::kAdmin}}}));
  EXPECT_THAT(caller.Require(Right::kRead, "sales.orders"), IsOk());
  EXPECT_THAT(caller.Require(Right::kWrite, "sales.orders"), IsOk());
  EXPECT_EQ(CodeOf(caller.Require(Right::kAdmin, "sales.orders")), ErrorCode::kPermissionDenied);
  EXPECT_EQ(CodeOf(caller.Require(Right::kRead, "hr.salaries")), ErrorCode::kPermissionDenied);
  EXPECT_EQ(CodeOf(caller.RequireOnAll(Right::kRead)), ErrorCode::kPermissionDenied);
  EXPECT_TRUE(caller.May(Right::kRead, "sales.orders"));
  EXPECT_FALSE(caller.May(Right::kRead, "hr.salaries"));
}

TEST(Caller, OneRightContainsNoOther) {
  Caller admin("root", Given({{{"root"}, {"*"}, {Right::kAdmin}}}));
  EXPECT_THAT(admin.RequireOnAll(Right::kAdmin), IsOk());
  EXPECT_FALSE(admin.May(Right::kRead, "sales.orders"));
}

TEST(Caller, APatternOfPrincipalsIsForAllOfThem) {
  Caller caller("svc-7", Given({{{"svc-*"}, {"logs.*"}, {Right::kWrite}}}));
  EXPECT_TRUE(caller.May(Right::kWrite, "logs.web"));
}

TEST(Caller, ARefusalNamesPrincipalRightAndTable) {
  Caller caller("alice", Given({}));
  const Status refused = caller.Require(Right::kWrite, "sales.orders");
  EXPECT_THAT(refused.message(), HasSubstr("'alice' has no 'write' right on table 'sales.orders'"));
}

TEST(Caller, WhatWasAllowedIsAskedAgainWhenGrantsChange) {
  Caller caller("alice", Given({{{"alice"}, {"*"}, {Right::kRead, Right::kWrite}}}));
  ASSERT_THAT(caller.Require(Right::kWrite, "sales.orders"), IsOk());
  EXPECT_THAT(caller.Renew(Given({{{"alice"}, {"sales.*"}, {Right::kWrite}}})), IsOk());
  EXPECT_FALSE(caller.May(Right::kRead, "sales.orders"));
  EXPECT_EQ(CodeOf(caller.Renew(Given({{{"alice"}, {"sales.*"}, {Right::kRead}}}))),
            ErrorCode::kPermissionDenied);
}

}  // namespace
}  // namespace arka::auth
