#include "arka/ingest/sequencer.h"

#include <gtest/gtest.h>

#include "arka/testing/matchers.h"
#include "arka/testing/memory_fs.h"
#include "arka/testing/simulated_clock.h"

namespace arka::ingest {
namespace {

class NothingToReplay : public wal::ReplayVisitor {
 public:
  Status OnDefinition(const wal::Definition&) override { return Status::OK(); }
  Status OnWrite(wal::WriteRecord) override { return Status::OK(); }
};

DecodedWrite SomeWrite() {
  DecodedWrite write;
  write.header = arrow::Buffer::FromString("header");
  write.body = arrow::Buffer::FromString("body");
  return write;
}

/// A sequencer before an empty log, and one table.
class SequencerTest : public ::testing::Test {
 protected:
  void SetUp() override {
    NothingToReplay nothing;
    log = wal::Log::Open(fs, clock, {.directory = "log"}, nothing).ValueOrDie();
    ASSERT_THAT(log->Define({definition, arrow::Buffer::FromString("orders")}), IsOk());
    sequencer.Begin(*log, kNoLsn);
  }

  SimulatedClock clock;
  MemoryFs fs;
  std::unique_ptr<wal::Log> log;
  const wal::DefinitionId definition{1};
  MemoryBudget budget{1 << 20};
  Sequencer sequencer{clock, budget};
  Table table{TableId{1}, {"sales", "orders"}, "uuid", "data/", nullptr, kNoLsn};
};

TEST_F(SequencerTest, LooksAtASeqAndAppendsItAsOneStep) {
  const auto producer = sequencer.OpenProducer("p", table.uuid, 0).ValueOrDie();

  // Both streams have looked before, and seen that seq 1 is new.
  for (int stream = 0; stream < 2; ++stream) {
    DecodedWrite write = SomeWrite();
    const auto admission = sequencer.SequenceOnce(table, definition, write, 4, *producer, 1, 0);
    ASSERT_THAT(admission, IsOk());
    EXPECT_EQ(admission->lsn, kFirstLsn);
    EXPECT_EQ(admission->is_retry, stream == 1);
  }
  EXPECT_EQ(sequencer.progress().watermarks.last_lsn, kFirstLsn);
}

TEST_F(SequencerTest, WhatIsInTheObjectStoreIsOnDiskAlsoBeforeTheLogSaysSo) {
  DecodedWrite write = SomeWrite();
  const Lsn lsn = sequencer.Sequence(table, definition, write, 4).ValueOrDie();
  ASSERT_LT(log->disk_lsn(), lsn);  // as between the log's sync and its saying so
  sequencer.OnObjectStorage(lsn);
  EXPECT_EQ(sequencer.progress().watermarks.disk_lsn, lsn);
  EXPECT_EQ(sequencer.progress().watermarks.s3_lsn, lsn);
}

}  // namespace
}  // namespace arka::ingest
