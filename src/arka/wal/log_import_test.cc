#include "arka/wal/log_import.h"

#include "arka/wal/control_file.h"
#include "arka/wal/log_harness_test.h"

namespace arka::wal {
namespace {

class LogImportTest : public ::testing::Test, protected LogHarness {
 protected:
  /// The log from after `after` on as objects of about `max_bytes`, each in one buffer.
  std::vector<std::shared_ptr<arrow::Buffer>> Objects(Lsn after, int64_t max_bytes) {
    std::vector<std::shared_ptr<arrow::Buffer>> objects;
    for (;;) {
      const LogObject object = log->ReadObject(after, max_bytes).ValueOrDie();
      if (object.parts.empty()) return objects;
      objects.push_back(arrow::ConcatenateBuffers(object.parts).ValueOrDie());
      after = object.last_lsn;
    }
  }

  /// Another machine: an empty disk.
  void Move() {
    log.reset();
    fs = std::make_unique<MemoryFs>();
    plan = std::make_unique<FaultPlan>();
    faulty = std::make_unique<FaultyFs>(*fs, *plan);
  }

  Status Import(const std::vector<std::shared_ptr<arrow::Buffer>>& objects, Lsn reserved,
                Lsn committed = kNoLsn) {
    ARROW_ASSIGN_OR_RAISE(const auto import, LogImport::Begin(*faulty, clock, options));
    for (const auto& object : objects) ARROW_RETURN_NOT_OK(import->Add(object));
    return import->Finish(committed, reserved);
  }

  /// Writes over three runs of the server, so with gaps between their LSNs.
  void WriteThreeRuns() {
    for (int run = 0; run < 3; ++run) {
      Open();
      ASSERT_THAT(log->Define(DefinitionNamed(2)), IsOk());
      for (int i = 0; i < 20; ++i) {
        Append("r" + std::to_string(run) + "-" + std::to_string(i),
               static_cast<uint32_t>(i % 2 + 1));
        if (i % 7 == 0) Sync();
      }
      Sync();
      if (run < 2) Crash();
    }
  }
};

TEST_F(LogImportTest, KeepsEveryWriteAndItsLsnAcrossGapsAndOverlaps) {
  WriteThreeRuns();
  std::vector<std::vector<std::shared_ptr<arrow::Buffer>>> cuts;
  for (const int64_t max_bytes : {1, 900, 3000}) cuts.push_back(Objects(kNoLsn, max_bytes));
  Crash();
  Open();
  const std::string written = Found();
  const Lsn last = found.last_lsn();
  for (auto& objects : cuts) {
    // One that was put, its answer lost, and put again with more in it.
    objects.insert(objects.begin() + 1, objects[0]);
    Move();
    ASSERT_THAT(Import(objects, Lsn{last.value + 5000}), IsOk());
    EXPECT_TRUE(LogImport::HoldsLog(*faulty, options.directory).ValueOrDie());
    Open();
    EXPECT_EQ(Found(), written);
    const Lsn next{last.value + 5001};
    EXPECT_EQ(Append("new"), next);
    Sync();
    Crash();
    Open();
    EXPECT_EQ(Found(), written + " " + std::to_string(next.value) + ":new");
  }
}

TEST_F(LogImportTest, WithoutObjectsReservesWhatWasGivenBefore) {
  ASSERT_THAT(Import({}, Lsn{7000}, /*committed=*/Lsn{5000}), IsOk());
  Open();
  EXPECT_EQ(Found(), "");
  EXPECT_EQ(log->last_lsn(), Lsn{5000});
  EXPECT_EQ(Append("new"), Lsn{7001});
  Sync();
}

TEST_F(LogImportTest, BeginsAgainWhereverItWasCutShort) {
  WriteThreeRuns();
  const auto objects = Objects(kNoLsn, 900);
  Crash();
  Open();
  const std::string written = Found();
  const Lsn last = found.last_lsn();
  int64_t cuts = 0;
  for (int64_t nth = 1;; ++nth) {
    Move();
    plan->Add({.nth = nth, .times = kForGood, .effect = Effect::kFull});
    const Status first = Import(objects, last);
    if (first.ok()) break;
    ++cuts;
    fs->LosePower(static_cast<uint64_t>(nth), PowerLoss::kDropUnsynced);
    plan->Clear();
    const bool holds = LogImport::HoldsLog(*faulty, options.directory).ValueOrDie();
    if (!holds) {
      ASSERT_THAT(Import(objects, last), IsOk()) << nth;
    }
    Open();
    ASSERT_EQ(Found(), written) << nth;
  }
  EXPECT_GT(cuts, 20);
}

TEST_F(LogImportTest, RefusesAMissingObjectADamagedOneAndAnotherNodes) {
  Open();
  for (int i = 0; i < 10; ++i) AppendSynced({"x" + std::to_string(i)});
  auto objects = Objects(kNoLsn, 1);
  ASSERT_GT(objects.size(), 5u);
  Move();
  auto missing = objects;
  missing.erase(missing.begin() + 3);
  const Status status = Import(missing, kNoLsn);
  EXPECT_THAT(status, FailsWith(ErrorCode::kCorruption));
  EXPECT_THAT(status.message(), ::testing::HasSubstr("LSN 1003 to 1003 are missing"));
  EXPECT_FALSE(LogImport::HoldsLog(*faulty, options.directory).ValueOrDie());

  auto damaged = objects;
  std::string bytes = damaged[2]->ToString();
  bytes[600] = static_cast<char>(bytes[600] ^ 1);
  damaged[2] = arrow::Buffer::FromString(bytes);
  EXPECT_THAT(Import(damaged, kNoLsn), FailsWith(ErrorCode::kCorruption));

  options.node = "another";
  EXPECT_THAT(Import(objects, kNoLsn), FailsWith(ErrorCode::kCorruption));
}

TEST_F(LogImportTest, NeverTouchesALogThatIsThere) {
  Open();
  AppendSynced({"a"});
  Crash();
  EXPECT_TRUE(LogImport::HoldsLog(*faulty, options.directory).ValueOrDie());
  EXPECT_THAT(Import({}, kNoLsn), FailsWith(ErrorCode::kCorruption));
  Open();
  EXPECT_EQ(Found(), "1000:a");
}

}  // namespace
}  // namespace arka::wal
