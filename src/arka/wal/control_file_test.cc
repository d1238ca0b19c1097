#include "arka/wal/control_file.h"

#include <gtest/gtest.h>

#include "arka/testing/matchers.h"
#include "arka/testing/memory_fs.h"

namespace arka::wal {
namespace {

const LogState kState{.epoch = 3,
                      .reserved_through = Lsn{5000},
                      .first_segment = 2,
                      .clean = true,
                      .tail = {.segment = 4, .offset = 640, .last_lsn = Lsn{4321}, .crc = 99}};

class ControlFileTest : public ::testing::Test {
 protected:
  void SetUp() override { ASSERT_THAT(fs_.CreateDirs("/log"), IsOk()); }

  Status Write(const LogState& state) {
    ControlFile file(fs_, "/log");
    ARROW_RETURN_NOT_OK(file.Read().status());
    return file.Update([&](LogState& to) { to = state; });
  }

  MemoryFs fs_;
};

TEST_F(ControlFileTest, IsNotThereAtFirst) {
  const auto state = ControlFile(fs_, "/log").Read();
  ASSERT_THAT(state, IsOk());
  EXPECT_FALSE(state->has_value());
}

TEST_F(ControlFileTest, ComesBackAsItWasWritten) {
  ASSERT_THAT(Write(LogState{}), IsOk());
  ASSERT_THAT(Write(kState), IsOk());
  fs_.LosePower(1, PowerLoss::kDropUnsynced);
  EXPECT_EQ(*ControlFile(fs_, "/log").Read(), kState);
}

TEST_F(ControlFileTest, SurvivesAnyFlippedBit) {
  ASSERT_THAT(Write(LogState{}), IsOk());
  ASSERT_THAT(Write(kState), IsOk());
  const auto size = static_cast<int64_t>(fs_.Contents("/log/control")->size());
  for (int64_t offset = 0; offset < size; ++offset) {
    ASSERT_THAT(fs_.Corrupt("/log/control", offset, std::byte{4}), IsOk());
    const auto state = ControlFile(fs_, "/log").Read();
    ASSERT_THAT(state, IsOk()) << offset;
    EXPECT_EQ(*state, kState) << offset;
    ASSERT_THAT(fs_.Corrupt("/log/control", offset, std::byte{4}), IsOk());
  }
}

TEST_F(ControlFileTest, WithBothCopiesDamagedIsRefused) {
  ASSERT_THAT(Write(kState), IsOk());
  ASSERT_THAT(fs_.Corrupt("/log/control", 20, std::byte{1}), IsOk());
  ASSERT_THAT(fs_.Corrupt("/log/control", 4096 + 20, std::byte{1}), IsOk());
  EXPECT_THAT(ControlFile(fs_, "/log").Read(), FailsWith(ErrorCode::kCorruption));
}

TEST_F(ControlFileTest, RepairsADamagedCopyAtTheNextUpdate) {
  ASSERT_THAT(Write(kState), IsOk());
  ASSERT_THAT(fs_.Corrupt("/log/control", 20, std::byte{1}), IsOk());
  ASSERT_THAT(Write(kState), IsOk());
  ASSERT_THAT(fs_.Corrupt("/log/control", 4096 + 20, std::byte{1}), IsOk());
  EXPECT_EQ(*ControlFile(fs_, "/log").Read(), kState);
}

}  // namespace
}  // namespace arka::wal
