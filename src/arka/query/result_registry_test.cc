#include "arka/query/result_registry.h"

#include <gtest/gtest.h>

#include "arka/query/batch_result.h"
#include "arka/testing/matchers.h"
#include "arka/testing/seeded_random.h"
#include "arka/testing/simulated_clock.h"

namespace arka::query {
namespace {

using std::chrono::seconds;

constexpr char kPrincipal[] = "alice";

class ResultRegistryTest : public ::testing::Test {
 protected:
  std::vector<std::string> Hold(size_t parts = 1) {
    return registry_.Hold(kPrincipal, std::make_shared<BatchResult>(nullptr), parts);
  }

  SimulatedClock clock_;
  SeededRandom random_{1};
  ResultRegistry registry_{clock_, random_, {.lifetime = seconds(10), .max_results = 3}};
};

TEST_F(ResultRegistryTest, EveryPartHasATicketOfItsOwn) {
  const auto result = std::make_shared<BatchResult>(nullptr);
  const auto tickets = registry_.Hold(kPrincipal, result, 2);
  ASSERT_EQ(tickets.size(), 2u);
  EXPECT_EQ(registry_.Find(kPrincipal, tickets[0])->part, 0u);
  EXPECT_EQ(registry_.Find(kPrincipal, tickets[1])->part, 1u);
  EXPECT_EQ(registry_.Find(kPrincipal, tickets[1])->result, result);
}

TEST_F(ResultRegistryTest, ATicketIsGoodForWhomItWasGivenToAndForNobodyElse) {
  const std::string ticket = Hold()[0];
  EXPECT_EQ(CodeOf(registry_.Find("bob", ticket).status()), ErrorCode::kNotFound);
  EXPECT_FALSE(registry_.Cancel("bob", ticket));
  EXPECT_THAT(registry_.Find(kPrincipal, ticket), IsOk());
}

TEST_F(ResultRegistryTest, AnyOtherTextIsNoTicket) {
  const std::string ticket = Hold(2)[0];
  const std::string name = ticket.substr(0, ticket.size() - 2);
  for (const std::string& text :
       {std::string(), name, name + "/", name + "/2", name + "/-1", name + "/0x", name + "/ 0",
        name + "0", name + "//0", "x" + ticket, ticket + "1111111111111111111111",
        std::string(36, '0') + "/0", std::string(1 << 20, '/')}) {
    EXPECT_EQ(CodeOf(registry_.Find(kPrincipal, text).status()), ErrorCode::kNotFound)
        << text.substr(0, 60);
  }
}

TEST_F(ResultRegistryTest, WhatNobodyAsksForIsForgottenAndWhatIsUsedStays) {
  const std::string used = Hold()[0];
  const std::string unused = Hold()[0];
  clock_.Advance(seconds(9));
  EXPECT_THAT(registry_.Find(kPrincipal, used), IsOk());
  clock_.Advance(seconds(2));
  registry_.Sweep();
  EXPECT_THAT(registry_.Find(kPrincipal, used), IsOk());
  EXPECT_EQ(CodeOf(registry_.Find(kPrincipal, unused).status()), ErrorCode::kNotFound);
  EXPECT_EQ(registry_.size(), 1u);
}

TEST_F(ResultRegistryTest, WhereTooManyAreHeldTheOldestGoes) {
  const std::string first = Hold()[0];
  clock_.Advance(seconds(1));
  const std::string second = Hold()[0];
  const std::string third = Hold()[0];
  clock_.Advance(seconds(1));
  ASSERT_THAT(registry_.Find(kPrincipal, first), IsOk());
  clock_.Advance(seconds(1));
  const std::string fourth = Hold()[0];
  EXPECT_EQ(registry_.size(), 3u);
  EXPECT_THAT(registry_.Find(kPrincipal, first), IsOk());
  EXPECT_THAT(registry_.Find(kPrincipal, fourth), IsOk());
  EXPECT_EQ(registry_.Find(kPrincipal, second).ok() + registry_.Find(kPrincipal, third).ok(), 1);
}

TEST_F(ResultRegistryTest, WhatIsCancelledIsGoneAndItsReadersAreTold) {
  const std::string ticket = Hold()[0];
  const auto result = registry_.Find(kPrincipal, ticket)->result;
  EXPECT_FALSE(result->is_cancelled());
  EXPECT_TRUE(registry_.Cancel(kPrincipal, ticket));
  EXPECT_TRUE(result->is_cancelled());
  EXPECT_FALSE(registry_.Cancel(kPrincipal, ticket));
  EXPECT_EQ(CodeOf(registry_.Find(kPrincipal, ticket).status()), ErrorCode::kNotFound);
}

}  // namespace
}  // namespace arka::query
