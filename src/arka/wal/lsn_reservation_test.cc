#include "arka/wal/lsn_reservation.h"

#include <gtest/gtest.h>

#include "arka/testing/faulty_fs.h"
#include "arka/testing/matchers.h"
#include "arka/testing/memory_fs.h"

namespace arka::wal {
namespace {

class LsnReservationTest : public ::testing::Test {
 protected:
  void SetUp() override { ASSERT_THAT(fs_.CreateDirs("/log"), IsOk()); }

  MemoryFs fs_;
  FaultPlan plan_;
  FaultyFs faulty_{fs_, plan_};
  ControlFile control_{faulty_, "/log"};
};

TEST_F(LsnReservationTest, GivesNoLsnThatIsNotReservedOnDiskFirst) {
  LsnReservation reservation(control_, 10);
  for (int64_t lsn = kFirstLsn.value; lsn < kFirstLsn.value + 35; ++lsn) {
    ASSERT_EQ(*reservation.Take(), Lsn{lsn});
    EXPECT_GE((**ControlFile(fs_, "/log").Read()).reserved_through, Lsn{lsn});
  }
}

TEST_F(LsnReservationTest, ReservesAheadOnceHalfABlockIsUsed) {
  LsnReservation reservation(control_, 10);
  for (int i = 0; i < 4; ++i) ASSERT_THAT(reservation.Take(), IsOk());
  const Lsn reserved = control_.state().reserved_through;
  ASSERT_THAT(reservation.ExtendIfLow(), IsOk());
  EXPECT_EQ(control_.state().reserved_through, reserved);
  ASSERT_THAT(reservation.Take(), IsOk());
  ASSERT_THAT(reservation.ExtendIfLow(), IsOk());
  EXPECT_EQ(control_.state().reserved_through, Lsn{reserved.value + 10});
}

TEST_F(LsnReservationTest, GivesNothingWhereReservingFailsAndGoesOnLater) {
  LsnReservation reservation(control_, 2);
  ASSERT_EQ(*reservation.Take(), Lsn{1000});
  ASSERT_EQ(*reservation.Take(), Lsn{1001});
  plan_.Add({.matches = OfKind("sync")});
  EXPECT_THAT(reservation.Take(), FailsWith(ErrorCode::kIoFailed));
  EXPECT_EQ(*reservation.Take(), Lsn{1002});
}

TEST_F(LsnReservationTest, BeginsAboveEverythingReservedBefore) {
  ASSERT_THAT(LsnReservation(control_, 10).Take(), IsOk());
  ControlFile again(fs_, "/log");
  ASSERT_THAT(again.Read(), IsOk());
  EXPECT_EQ(*LsnReservation(again, 10).Take(), Lsn{1010});
}

}  // namespace
}  // namespace arka::wal
