// Every operation of every edge fails once, in turn: before its effect, half done and after it, for
// a moment and until it is healed. Then all is well again, and the oracle holds what clients were
// told against what is there.
#include <cerrno>

#include <gtest/gtest.h>
#include <spdlog/spdlog.h>

#include "arka/io/errno_status.h"
#include "arka/simulation/simulation.h"

namespace arka::simulation {
namespace {

using Faults = Simulation::Faults;

class Sweep : public testing::Test {
 protected:
  Sweep() { spdlog::set_level(spdlog::level::off); }

  // Lives the same life again and again, each time with the next operation of `plan` failing.
  static void Fail(FaultPlan World::*plan, const Fault& fault) {
    for (uint64_t seed : {3, 5}) {
      int64_t nth = 1;
      for (bool fired = true; fired && !HasFailure(); ++nth) {
        Simulation life(seed, Faults::kAdded);
        Fault failing = fault;
        failing.nth = nth;
        (life.world().*plan).Add(failing);
        const Outcome outcome = life.Run();
        EXPECT_EQ(outcome.violations, std::vector<std::string>())
            << "seed " << seed << ", operation " << nth;
        fired = (life.world().*plan).fired();
      }
      EXPECT_GT(nth, 4);
    }
  }

  // Before, within and after the effect; once, and until the faults are over.
  static void FailInEveryWay(FaultPlan World::*plan, const Status& error) {
    for (const Effect effect : {Effect::kNone, Effect::kPartial, Effect::kFull}) {
      for (const int64_t times : {int64_t{1}, kForGood}) {
        SCOPED_TRACE(error.message() + ", effect " + std::to_string(static_cast<int>(effect)) +
                     (times == 1 ? ", once" : ", until healed"));
        Fail(plan, {.times = times, .effect = effect, .error = error});
      }
    }
  }
};

TEST_F(Sweep, TheDiskAnswersEio) {
  FailInEveryWay(&World::disk_faults, ErrnoStatus(EIO, "write", "injected"));
}
TEST_F(Sweep, TheDiskIsFull) {
  FailInEveryWay(&World::disk_faults, ErrnoStatus(ENOSPC, "write", "injected"));
}
TEST_F(Sweep, TheProcessHasTooManyFilesOpen) {
  Fail(&World::disk_faults,
       {.matches = OfKind("open"), .error = ErrnoStatus(EMFILE, "open", "injected")});
}
TEST_F(Sweep, TheDiskBecomesReadOnly) {
  Fail(&World::disk_faults, {.times = kForGood, .error = ErrnoStatus(EROFS, "write", "injected")});
}
TEST_F(Sweep, TheObjectStoreOfTheLogFails) {
  FailInEveryWay(&World::object_faults, Error(ErrorCode::kIoFailed, "connection reset"));
}
TEST_F(Sweep, TheWarehouseFails) {
  FailInEveryWay(&World::warehouse_faults, Error(ErrorCode::kUnavailable, "503 slow down"));
}
TEST_F(Sweep, TheCatalogsAnswerIsLost) {
  FailInEveryWay(&World::catalog_faults, Error(ErrorCode::kCommitUnknown, "answer lost"));
}
TEST_F(Sweep, TheCatalogAnswersThatSomebodyElseWasFirst) {
  for (const int64_t times : {int64_t{1}, kForGood}) {
    Fail(&World::catalog_faults, {.times = times,
                                  .effect = Effect::kNone,
                                  .error = Error(ErrorCode::kCommitConflict, "409")});
  }
}

TEST(LocalDisk, IsDiskAtEveryMoment) {
  spdlog::set_level(spdlog::level::off);
  int64_t looks = 0;
  for (uint64_t seed = 1; seed <= 5; ++seed) {
    Simulation life(seed, Faults::kAdded);
    life.WatchDisk([&] {
      ++looks;
      life.oracle().CheckPowerLossNow();
    });
    EXPECT_EQ(life.Run().violations, std::vector<std::string>()) << "seed " << seed;
  }
  EXPECT_GT(looks, 1000);
}

}  // namespace
}  // namespace arka::simulation
