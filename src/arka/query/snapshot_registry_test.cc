#include "arka/query/snapshot_registry.h"

#include <gtest/gtest.h>

#include "arka/testing/matchers.h"
#include "arka/testing/seeded_random.h"
#include "arka/testing/simulated_clock.h"

namespace arka::query {
namespace {

using std::chrono::seconds;

constexpr char kPrincipal[] = "alice";

class SnapshotRegistryTest : public ::testing::Test {
 protected:
  std::vector<std::string> Hold(size_t parts = 1) {
    return registry_.Hold(kPrincipal, std::make_shared<TableSnapshot>(),
                          std::vector<SnapshotPart>(parts));
  }

  SimulatedClock clock_;
  SeededRandom random_{1};
  SnapshotRegistry registry_{clock_, random_, {.lifetime = seconds(10), .max_snapshots = 3}};
};

TEST_F(SnapshotRegistryTest, EveryPartHasATicketOfItsOwn) {
  const auto snapshot = std::make_shared<TableSnapshot>();
  const auto tickets =
      registry_.Hold(kPrincipal, snapshot, {{.fresh = true}, {.first_file = 0, .last_file = 3}});
  ASSERT_EQ(tickets.size(), 2u);
  EXPECT_TRUE(registry_.Find(kPrincipal, tickets[0])->part.fresh);
  EXPECT_EQ(registry_.Find(kPrincipal, tickets[1])->part.last_file, 3u);
  EXPECT_EQ(registry_.Find(kPrincipal, tickets[1])->snapshot, snapshot);
}

TEST_F(SnapshotRegistryTest, ATicketIsGoodForWhomItWasGivenToAndForNobodyElse) {
  const std::string ticket = Hold()[0];
  EXPECT_EQ(CodeOf(registry_.Find("bob", ticket).status()), ErrorCode::kNotFound);
  EXPECT_FALSE(registry_.Forget("bob", ticket));
  EXPECT_THAT(registry_.Find(kPrincipal, ticket), IsOk());
}

TEST_F(SnapshotRegistryTest, AnyOtherTextIsNoTicket) {
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

TEST_F(SnapshotRegistryTest, WhatNobodyAsksForIsForgottenAndWhatIsUsedStays) {
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

TEST_F(SnapshotRegistryTest, WhereTooManyAreHeldTheOldestGoes) {
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

TEST_F(SnapshotRegistryTest, WhatIsForgottenOnPurposeIsGone) {
  const std::string ticket = Hold()[0];
  EXPECT_TRUE(registry_.Forget(kPrincipal, ticket));
  EXPECT_FALSE(registry_.Forget(kPrincipal, ticket));
  EXPECT_EQ(CodeOf(registry_.Find(kPrincipal, ticket).status()), ErrorCode::kNotFound);
}

}  // namespace
}  // namespace arka::query
