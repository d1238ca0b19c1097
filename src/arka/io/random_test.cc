#include "arka/io/random.h"

#include <set>

#include <gmock/gmock.h>

#include "arka/io/os_random.h"
#include "arka/testing/seeded_random.h"

namespace arka {
namespace {

TEST(MakeUuid, HasTheFormOfAVersion4Uuid) {
  SeededRandom random(1);
  for (int i = 0; i < 100; ++i) {
    const std::string uuid = MakeUuid(random);
    EXPECT_EQ(uuid.size(), 36u);
    EXPECT_THAT(uuid,
                testing::MatchesRegex("[0-9a-f]+-[0-9a-f]+-4[0-9a-f]+-[89ab][0-9a-f]+-[0-9a-f]+"));
    EXPECT_EQ(uuid[8], '-');
    EXPECT_EQ(uuid[13], '-');
    EXPECT_EQ(uuid[18], '-');
    EXPECT_EQ(uuid[23], '-');
  }
}

TEST(MakeUuid, UsesAllOfTheRandomBits) {
  class AllOnes final : public Random {
    uint64_t Next() override { return ~uint64_t{0}; }
  } ones;
  EXPECT_EQ(MakeUuid(ones), "ffffffff-ffff-4fff-bfff-ffffffffffff");
}

TEST(OsRandom, DoesNotRepeatItself) {
  OsRandom random;
  std::set<uint64_t> seen;
  for (int i = 0; i < 1000; ++i) seen.insert(random.Next());
  EXPECT_EQ(seen.size(), 1000u);
}

}  // namespace
}  // namespace arka
