// FileObjectStore on a file system that fails and loses power: a Put that returned OK is durable
// and whole, one that did not has left the old object or the new one.

#include "arka/io/file_object_store.h"

#include <set>

#include <gmock/gmock.h>

#include "arka/testing/fault_plan.h"
#include "arka/testing/faulty_fs.h"
#include "arka/testing/matchers.h"
#include "arka/testing/memory_fs.h"
#include "arka/testing/seeded_random.h"

namespace arka {
namespace {

constexpr PowerLoss kAllModes[] = {PowerLoss::kDropUnsynced, PowerLoss::kKeepPrefix,
                                   PowerLoss::kTearSectors, PowerLoss::kTearPages};

const std::string kOld(700, 'o');
const std::string kNew(1900, 'n');

Status PutText(ObjectStore& store, std::string_view key, const std::string& text) {
  const std::vector parts = {arrow::Buffer::FromString(text.substr(0, 300)),
                             arrow::Buffer::FromString(text.substr(300))};
  return store.Put(key, parts);
}

class FileObjectStoreFaults : public testing::Test {
 protected:
  Result<std::unique_ptr<FileObjectStore>> Open(Fs& fs) {
    return FileObjectStore::Make(fs, random_, "/root");
  }

  /// The object that a restart on `fs` finds, or the error's text.
  std::string Reread(Fs& fs, std::string_view key) {
    const auto object = Open(fs).ValueOrDie()->Get(key);
    return object.ok() ? (*object)->ToString() : object.status().ToString();
  }

  SeededRandom random_{1};
};

TEST_F(FileObjectStoreFaults, AnAnsweredPutSurvivesAPowerLossOfAnyKind) {
  for (const PowerLoss mode : kAllModes) {
    for (uint64_t seed = 0; seed < 20; ++seed) {
      MemoryFs fs;
      ASSERT_THAT(PutText(*Open(fs).ValueOrDie(), "deep/down/object", kNew), IsOk());
      fs.LosePower(seed, mode);
      EXPECT_EQ(Reread(fs, "deep/down/object"), kNew);
    }
  }
}

TEST_F(FileObjectStoreFaults, AtEveryMomentOfAReplacingPutAPowerLossLeavesOneWholeObject) {
  MemoryFs memory;
  FaultPlan plan;
  FaultyFs fs(memory, plan);
  const auto store = Open(fs).ValueOrDie();
  ASSERT_THAT(PutText(*store, "d/object", kOld), IsOk());
  std::set<std::string> seen;
  int images = 0;
  plan.Observe([&](FaultPlan::Moment, const Operation&) {
    for (const PowerLoss mode : kAllModes) {
      for (uint64_t seed = 0; seed < 10; ++seed) {
        const auto image = memory.Clone();
        image->LosePower(seed, mode);
        seen.insert(Reread(*image, "d/object"));
        ++images;
      }
    }
  });
  ASSERT_THAT(PutText(*store, "d/object", kNew), IsOk());
  EXPECT_THAT(seen, testing::ElementsAre(kNew, kOld));
  EXPECT_GE(images, 400);  // open, write, sync, rename, sync_dir; before and after
}

TEST_F(FileObjectStoreFaults, WhicheverOperationFailsThePutIsWholeOrNotThere) {
  for (const Effect effect : {Effect::kNone, Effect::kPartial, Effect::kFull}) {
    for (int64_t nth = 1;; ++nth) {
      MemoryFs memory;
      FaultPlan plan;
      FaultyFs fs(memory, plan);
      const auto store = Open(fs).ValueOrDie();
      ASSERT_THAT(PutText(*store, "d/object", kOld), IsOk());
      plan.Add({.nth = nth, .effect = effect});
      const Status put = PutText(*store, "d/object", kNew);
      EXPECT_EQ(put.ok(), !plan.fired());
      memory.Crash();
      const std::string text = Reread(memory, "d/object");
      EXPECT_TRUE(text == kNew || (!put.ok() && text == kOld));
      if (!plan.fired()) break;
    }
  }
}

TEST_F(FileObjectStoreFaults, AFullDiskIsBackpressureAndLeavesNothing) {
  MemoryFs fs;
  const auto store = Open(fs).ValueOrDie();
  fs.SetCapacity(4 * 4096);
  EXPECT_THAT(PutText(*store, "object", std::string(5 * 4096, 'x')),
              FailsWith(ErrorCode::kBackpressure));
  EXPECT_EQ(fs.FreeBytes("/root").ValueOrDie(), 4 * 4096);
  EXPECT_THAT(PutText(*store, "object", std::string(4 * 4096, 'x')), IsOk());
}

TEST_F(FileObjectStoreFaults, WhatADeadProcessStagedIsRemovedAtTheNextStart) {
  MemoryFs memory;
  FaultPlan plan;
  FaultyFs fs(memory, plan);
  const auto store = Open(fs).ValueOrDie();
  plan.Add({.matches = OfKind("rename"), .times = kForGood});
  plan.Add({.matches = OfKind("remove"), .times = kForGood});
  ASSERT_FALSE(PutText(*store, "object", kNew).ok());
  ASSERT_EQ(memory.Paths().size(), 2u);  // the lock and the staged file
  const auto second = Open(memory).ValueOrDie();
  EXPECT_EQ(memory.Paths().size(), 2u);  // the first store still holds the lock
  memory.Crash();
  EXPECT_THAT(Open(memory), IsOk());
  EXPECT_THAT(memory.Paths(), testing::ElementsAre("/root/.staging/lock"));
}

TEST_F(FileObjectStoreFaults, StagedFilesAreNoObjects) {
  MemoryFs fs;
  const auto store = Open(fs).ValueOrDie();
  EXPECT_THAT(store->List("").ValueOrDie(), testing::IsEmpty());
  EXPECT_THAT(PutText(*store, ".staging/x", kNew), FailsWith(ErrorCode::kInvalidRequest));
  EXPECT_THAT(store->Get(".staging/lock"), FailsWith(ErrorCode::kInvalidRequest));
}

}  // namespace
}  // namespace arka
