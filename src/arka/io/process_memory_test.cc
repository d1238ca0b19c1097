#include "arka/io/process_memory.h"

#include <cstring>
#include <vector>

#include <gtest/gtest.h>

#include "arka/testing/matchers.h"

namespace arka {
namespace {

TEST(OwnMemory, SeesWhatIsTouched) {
  OwnMemory memory;
  const int64_t before = memory.ResidentBytes().ValueOrDie();
  EXPECT_GT(before, 1 << 20);
  constexpr int64_t kBytes = 64 << 20;
  std::vector<char> touched(kBytes, 'x');
  EXPECT_GE(memory.ResidentBytes().ValueOrDie(), before + kBytes / 2) << touched[7];
  memory.Purge();  // whatever is linked, it may be called
}

TEST(AvailableMemory, IsMoreThanThisProcessHas) {
  const auto available = AvailableMemoryBytes();
  ASSERT_THAT(available, IsOk());
  EXPECT_GT(*available, OwnMemory().ResidentBytes().ValueOrDie());
}

}  // namespace
}  // namespace arka
