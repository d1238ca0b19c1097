#include "arka/ingest/table.h"

#include <gtest/gtest.h>

#include "arka/testing/matchers.h"

namespace arka::ingest {
namespace {

Table OrdersWith(Lsn committed_at_open) {
  return Table(TableId{1}, {"sales", "orders"}, "uuid", "data/", nullptr, committed_at_open);
}

TEST(Table, ACommitCoversEveryWriteUpToItsEnd) {
  Table table = OrdersWith(kNoLsn);
  EXPECT_EQ(table.committed_through(), kNoLsn);
  EXPECT_FALSE(table.CommitOf(kFirstLsn).has_value());
  table.AddCommit({Lsn{1010}, 7, 70});
  table.AddCommit({Lsn{1020}, 8, 80});
  EXPECT_EQ(table.committed_through(), Lsn{1020});
  EXPECT_EQ(table.CommitOf(Lsn{1000})->snapshot_id, 7);
  EXPECT_EQ(table.CommitOf(Lsn{1010})->snapshot_id, 7);
  EXPECT_EQ(table.CommitOf(Lsn{1011})->snapshot_id, 8);
  EXPECT_EQ(table.CommitOf(Lsn{1020})->timestamp_us, 80);
  EXPECT_FALSE(table.CommitOf(Lsn{1021}).has_value());
}

TEST(Table, WhatWasCommittedBeforeTheStartIsCommittedInASnapshotUnknown) {
  const Table table = OrdersWith(Lsn{1500});
  EXPECT_EQ(table.committed_through(), Lsn{1500});
  ASSERT_TRUE(table.CommitOf(Lsn{1500}).has_value());
  EXPECT_EQ(table.CommitOf(Lsn{1500})->snapshot_id, 0);
  EXPECT_EQ(table.CommitOf(Lsn{1000})->through, Lsn{1500});
  EXPECT_FALSE(table.CommitOf(Lsn{1501}).has_value());
}

TEST(Table, IsNotGoneByWhatTheCatalogSaidBeforeItWasFound) {
  Table table = OrdersWith(kNoLsn);
  const int64_t before = table.times_found();
  table.NoteFound(table.name(), 1);
  EXPECT_FALSE(table.NoteGone(Error(ErrorCode::kNotFound, "old news"), before));
  EXPECT_THAT(table.CheckThere(), IsOk());
  EXPECT_TRUE(table.NoteGone(Error(ErrorCode::kNotFound, "dropped"), table.times_found()));
  EXPECT_THAT(table.CheckThere(), FailsWith(ErrorCode::kNotFound));
}

TEST(Table, OldCommitsAreForgottenButNotThatTheyWere) {
  Table table = OrdersWith(kNoLsn);
  const auto count = static_cast<int64_t>(Table::kCommitsKept) + 10;
  for (int64_t i = 0; i < count; ++i) table.AddCommit({Lsn{1000 + i}, i + 1, i});
  EXPECT_EQ(table.CommitOf(Lsn{1000})->snapshot_id, 0);
  EXPECT_EQ(table.CommitOf(Lsn{1009})->through, Lsn{1009});
  EXPECT_EQ(table.CommitOf(Lsn{1010})->snapshot_id, 11);
  EXPECT_EQ(table.CommitOf(Lsn{999 + count})->snapshot_id, count);
}

}  // namespace
}  // namespace arka::ingest
