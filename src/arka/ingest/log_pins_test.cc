#include "arka/ingest/log_pins.h"

#include <gtest/gtest.h>

namespace arka::ingest {
namespace {

TEST(LogPins, WithoutPinsWhatIsNotNeededMayGo) {
  LogPins pins;
  EXPECT_EQ(pins.Release(Lsn{1005}, false), Lsn{1005});
  EXPECT_EQ(pins.Release(Lsn{1003}, false), Lsn{1005});  // it is gone already
}

TEST(LogPins, APinKeepsWhatWasThereWhenItWasTaken) {
  LogPins pins;
  pins.Release(Lsn{1005}, false);
  auto first = pins.Take();
  EXPECT_EQ(pins.Release(Lsn{1010}, false), Lsn{1005});
  auto second = pins.Take();
  first.reset();
  EXPECT_EQ(pins.Release(Lsn{1010}, false), Lsn{1005});  // the second one was taken before it went
  EXPECT_TRUE(second->holds());
  second.reset();
  EXPECT_EQ(pins.Release(Lsn{1010}, false), Lsn{1010});
}

TEST(LogPins, WhereTheLogNeedsTheRoomPinsAreBrokenAndSaySo) {
  LogPins pins;
  const auto broken = pins.Take();
  EXPECT_EQ(pins.Release(Lsn{1010}, true), Lsn{1010});
  EXPECT_FALSE(broken->holds());
  const auto later = pins.Take();
  EXPECT_TRUE(later->holds());
  EXPECT_EQ(pins.Release(Lsn{1020}, false), Lsn{1010});
}

TEST(LogPins, APinMayOutliveThem) {
  std::shared_ptr<const LogPins::Pin> pin;
  {
    LogPins pins;
    pin = pins.Take();
  }
  EXPECT_TRUE(pin->holds());
}

}  // namespace
}  // namespace arka::ingest
