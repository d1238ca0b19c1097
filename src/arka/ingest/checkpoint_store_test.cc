#include "arka/ingest/checkpoint_store.h"

#include <gtest/gtest.h>

#include "arka/testing/fault_plan.h"
#include "arka/testing/faulty_fs.h"
#include "arka/testing/faulty_object_store.h"
#include "arka/testing/matchers.h"
#include "arka/testing/memory_fs.h"
#include "arka/testing/memory_object_store.h"

namespace arka::ingest {
namespace {

ProducerCheckpoint CheckpointOf(int64_t lsn, int64_t producers = 1) {
  ProducerCheckpoint checkpoint;
  checkpoint.lsn = Lsn{lsn};
  checkpoint.lost = {{Lsn{lsn - 5}, Lsn{lsn - 3}}};
  for (int64_t i = 0; i < producers; ++i) {
    checkpoint.producers.push_back(
        {"p" + std::to_string(i), "uuid", RunningTime(lsn), 3, Lsn{1000}, {{4, Lsn{lsn - 1}, 2}}});
  }
  return checkpoint;
}

struct Fixture {
  MemoryFs disk;
  MemoryObjectStore memory;
  FaultPlan disk_faults, object_faults;
  FaultyFs fs{disk, disk_faults};
  FaultyObjectStore objects{memory, object_faults};

  Fixture() { EXPECT_THAT(disk.CreateDirs("log"), IsOk()); }
  CheckpointStore Open() { return {fs, objects, "log", "n"}; }
};

TEST(CheckpointStore, FindsNothingWhereNoneWasMade) {
  Fixture fixture;
  auto store = fixture.Open();
  EXPECT_EQ(store.Find(Lsn{1500}).ValueOrDie(),
            (ProducerCheckpoint{Lsn{1500}, {}, {}, RunningTime(0), kNoLsn}));
  EXPECT_FALSE(store.exists());
}

TEST(CheckpointStore, FindsTheNewestAndKeepsOneObject) {
  Fixture fixture;
  auto store = fixture.Open();
  for (int64_t lsn = 2000; lsn < 2005; ++lsn) {
    ASSERT_THAT(store.Publish(CheckpointOf(lsn)), IsOk());
    EXPECT_EQ(store.published(), Lsn{lsn});
    auto again = fixture.Open();
    EXPECT_EQ(again.Find(Lsn{lsn}).ValueOrDie(), CheckpointOf(lsn));
    EXPECT_TRUE(again.exists());
    const auto objects = fixture.memory.List("").ValueOrDie();
    ASSERT_EQ(objects.size(), 1u);
    EXPECT_EQ(CheckpointStore::LsnOfKey(objects[0].key), Lsn{lsn});
  }
}

TEST(CheckpointStore, TakesTheObjectOnAnEmptyDisk) {
  Fixture fixture;
  auto store = fixture.Open();
  ASSERT_THAT(store.Publish(CheckpointOf(2000)), IsOk());
  MemoryFs other;
  CheckpointStore machine(other, fixture.objects, "log", "n");
  EXPECT_EQ(machine.Find(Lsn{1999}).ValueOrDie(), CheckpointOf(2000));
  EXPECT_EQ(CheckpointStore::NewestObject(fixture.objects, "n").ValueOrDie(), Lsn{2000});
}

TEST(CheckpointStore, ADamagedFileIsMadeUpForByTheOtherOnlyWhereTheLogStillHoldsTheRest) {
  Fixture fixture;
  auto store = fixture.Open();
  ASSERT_THAT(store.Publish(CheckpointOf(2000)), IsOk());
  ASSERT_THAT(store.Publish(CheckpointOf(2010)), IsOk());
  ASSERT_THAT(fixture.disk.Corrupt("log/producers.1", 530, std::byte{4}), IsOk());
  EXPECT_EQ(fixture.Open().Find(Lsn{1990})->lsn, Lsn{2000});
  EXPECT_EQ(fixture.Open().Find(Lsn{2005})->lsn, Lsn{2010});  // the object
  ASSERT_THAT(fixture.memory.Delete(fixture.memory.List("").ValueOrDie()[0].key), IsOk());
  const auto refused = fixture.Open().Find(Lsn{2005});
  EXPECT_THAT(refused, FailsWith(ErrorCode::kCorruption));
  EXPECT_NE(refused.status().message().find("log/producers.1"), std::string::npos);
  EXPECT_NE(refused.status().message().find("LSN 2005"), std::string::npos);
  EXPECT_EQ(fixture.Open().Find(kNoLsn)->lsn, Lsn{2000});
  // And the damaged one is the next to be written.
  auto next = fixture.Open();
  ASSERT_THAT(next.Find(Lsn{2000}), IsOk());
  ASSERT_THAT(next.Publish(CheckpointOf(2020)), IsOk());
  ASSERT_THAT(fixture.disk.Corrupt("log/producers.1", 530, std::byte{4}), IsOk());
  EXPECT_EQ(fixture.Open().Find(Lsn{2000})->lsn, Lsn{2000});
}

TEST(CheckpointStore, NeedsNoRoomOnTheDiskOnceItsFilesAreThere) {
  Fixture fixture;
  auto store = fixture.Open();
  ASSERT_THAT(store.Publish(CheckpointOf(2000, 10)), IsOk());
  ASSERT_THAT(store.Publish(CheckpointOf(2001, 10)), IsOk());
  fixture.disk.SetCapacity(0);
  for (int64_t lsn = 2002; lsn < 2010; ++lsn) {
    ASSERT_THAT(store.Publish(CheckpointOf(lsn, 20)), IsOk());
  }
  EXPECT_EQ(fixture.Open().Find(Lsn{2009}).ValueOrDie(), CheckpointOf(2009, 20));
}

TEST(CheckpointStore, GrowsItsFiles) {
  Fixture fixture;
  auto store = fixture.Open();
  for (int64_t lsn = 2000; lsn < 2012; ++lsn) {
    ASSERT_THAT(store.Publish(CheckpointOf(lsn, int64_t{1} << (lsn - 2000))), IsOk());
    EXPECT_EQ(fixture.Open().Find(Lsn{lsn})->producers.size(), size_t{1} << (lsn - 2000));
  }
}

// Writes are given up without an LSN being given: the next checkpoint may be of the same LSN.
TEST(CheckpointStore, OfTwoOfOneLsnItFindsTheLaterOneWhateverHappensToTheNext) {
  for (int64_t first = 0; first < 2; ++first) {
    for (int64_t nth = 1; nth < 50; ++nth) {
      SCOPED_TRACE(testing::Message() << first << ", operation " << nth);
      Fixture fixture;
      ProducerCheckpoint given_up = CheckpointOf(2010);
      given_up.lost.push_back({Lsn{2012}, Lsn{2012}});
      {
        auto store = fixture.Open();
        for (int64_t i = 0; i <= first; ++i) {
          ASSERT_THAT(store.Publish(CheckpointOf(2000 + i)), IsOk());
        }
        ASSERT_THAT(store.Publish(CheckpointOf(2010)), IsOk());
      }
      auto store = fixture.Open();
      ASSERT_THAT(store.Find(Lsn{2000}), IsOk());
      ASSERT_THAT(store.Publish(given_up), IsOk());
      ASSERT_EQ(fixture.Open().Find(Lsn{2000}).ValueOrDie(), given_up);
      fixture.disk_faults.Add({.nth = nth, .times = kForGood, .effect = Effect::kPartial});
      const bool published = store.Publish(CheckpointOf(2020)).ok();
      const bool fired = fixture.disk_faults.fired();
      fixture.disk_faults.Clear();
      fixture.disk.LosePower(nth, PowerLoss::kTearSectors);
      const auto found = fixture.Open().Find(Lsn{2000}).ValueOrDie();
      ASSERT_TRUE(found == given_up || found.lsn == Lsn{2020});
      ASSERT_TRUE(!published || found.lsn == Lsn{2020});
      if (!fired) break;
    }
  }
}

// What was published last survives whatever happens to the next one.
TEST(CheckpointStore, SurvivesAnyFailureAndAPowerLossAfterAnyOperation) {
  for (const Effect effect : {Effect::kNone, Effect::kPartial, Effect::kFull}) {
    for (const bool of_disk : {true, false}) {
      for (int64_t nth = 1; nth < 200; ++nth) {
        for (const bool power_loss : {false, true}) {
          SCOPED_TRACE(testing::Message() << "operation " << nth << " of disk " << of_disk);
          Fixture fixture;
          FaultPlan& plan = of_disk ? fixture.disk_faults : fixture.object_faults;
          Lsn published = kNoLsn;
          {
            auto store = fixture.Open();
            ASSERT_THAT(store.Find(Lsn{1500}), IsOk());
            plan.Add({.nth = nth, .effect = effect});
            if (power_loss) plan.Add({.nth = nth + 1, .times = kForGood});
            for (int64_t lsn = 2000; lsn < 2005; ++lsn) {
              const int64_t producers = lsn == 2003 ? 2000 : 1;  // one that does not fit
              Status done = store.Publish(CheckpointOf(lsn, producers));
              if (!done.ok() && !power_loss) done = store.Publish(CheckpointOf(lsn, producers));
              if (!power_loss) {
                ASSERT_THAT(done, IsOk());
              }
              if (done.ok()) published = Lsn{lsn};
              ASSERT_EQ(store.published(), published);
            }
          }
          const bool fired = plan.fired();
          plan.Clear();
          fixture.disk.LosePower(nth, PowerLoss::kTearSectors);
          auto store = fixture.Open();
          const auto found = store.Find(std::max(published, Lsn{1500}));
          ASSERT_THAT(found, IsOk());
          ASSERT_GE(found->lsn, published);
          MemoryFs empty_disk;  // in the object store too: its log objects may be deleted now
          CheckpointStore new_machine(empty_disk, fixture.objects, "log", "n");
          ASSERT_GE(new_machine.Find(kNoLsn)->lsn, published);
          ASSERT_THAT(store.Publish(CheckpointOf(3000)), IsOk());
          ASSERT_EQ(fixture.Open().Find(Lsn{3000})->lsn, Lsn{3000});
          ASSERT_EQ(fixture.memory.List("").ValueOrDie().size(), 1u);
          if (!fired) nth = 1000;
        }
      }
    }
  }
}

}  // namespace
}  // namespace arka::ingest
