#include "arka/wal/log.h"

#include <thread>

#include "arka/wal/log_harness_test.h"
#include "arka/wal/log_object.h"

namespace arka::wal {
namespace {

class LogTest : public ::testing::Test, protected LogHarness {};

TEST_F(LogTest, OpensAnEmptyDirectoryAtTheFirstLsn) {
  Open();
  EXPECT_EQ(Found(), "");
  EXPECT_EQ(log->last_lsn(), kNoLsn);
  EXPECT_EQ(log->disk_lsn(), kNoLsn);
  EXPECT_EQ(Append("a"), kFirstLsn);
}

TEST_F(LogTest, FindsWhatWasSyncedAfterACrash) {
  Open();
  AppendSynced({"a", "b"});
  Append("c");
  Append("d");
  Sync();
  Crash();
  Open();
  EXPECT_EQ(Found(), "1000:a 1001:b 1002:c 1003:d");
  EXPECT_EQ(log->disk_lsn(), Lsn{1003});
}

TEST_F(LogTest, GoesOnInTheNextSegment) {
  Open();
  std::string expected;
  for (int64_t lsn = 1000; lsn < 1050; ++lsn) {
    const std::string body(static_cast<size_t>(lsn - 900), 'x');
    AppendSynced({body});
    expected += (expected.empty() ? "" : " ") + std::to_string(lsn) + ":" + body;
  }
  EXPECT_GT(Segments().size(), 3u);
  Crash();
  Open();
  EXPECT_EQ(Found(), expected);
}

TEST_F(LogTest, GivesALargeRecordASegmentOfItsOwnSize) {
  Open();
  const std::string large(100'000, 'L');
  AppendSynced({"a", large, "b"});
  Crash();
  Open();
  EXPECT_EQ(Found(), "1000:a 1001:" + large + " 1002:b");
}

TEST_F(LogTest, NeverGivesAnLsnAgainAfterACrash) {
  Open();
  AppendSynced({"a"});
  const Lsn lost = Append("never synced");
  Crash();
  Open();
  EXPECT_EQ(Found(), "1000:a");
  const Lsn next = Append("b");
  EXPECT_GT(next, lost);
  Sync();
  Crash();
  Open();
  EXPECT_EQ(Found(), "1000:a " + std::to_string(next.value) + ":b");
}

TEST_F(LogTest, LeavesNoGapAfterACleanClose) {
  Open();
  AppendSynced({"a"});
  Append("b");
  Close();
  Open();
  EXPECT_EQ(Found(), "1000:a 1001:b");
  EXPECT_EQ(Append("c"), Lsn{1002});
}

TEST_F(LogTest, ReportsDurabilityOnItsOwnThread) {
  Open();
  Start();
  for (int i = 0; i < 100; ++i) Append("x");
  Sync();
  EXPECT_EQ(heard->durable(), Lsn{1099});
  EXPECT_EQ(log->pending_bytes(), 0);
  Close();
  EXPECT_THAT(log->Append(RecordNamed("late")), FailsWith(ErrorCode::kShuttingDown));
}

TEST_F(LogTest, ReadsObjectsOfWhatIsDurable) {
  Open();
  AppendSynced({"a", "b"});
  Append("c");
  Result<LogObject> object = log->ReadObject(kNoLsn, 1 << 20);
  ASSERT_THAT(object, IsOk());
  FoundRecords read;
  ASSERT_THAT(ReadLogObject(object->parts, read), IsOk());
  EXPECT_EQ(read.text(), "1000:a 1001:b");
  object = log->ReadObject(object->last_lsn, 1 << 20);
  ASSERT_THAT(object, IsOk());
  EXPECT_TRUE(object->parts.empty());
}

}  // namespace
}  // namespace arka::wal
