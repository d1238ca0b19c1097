#include "arka/query/as_of.h"

#include <gtest/gtest.h>

#include "arka/testing/matchers.h"

namespace arka::query {
namespace {

constexpr char kNode[] = "n";

class SnapshotThroughTest : public ::testing::Test {
 protected:
  /// A snapshot after the last one, of `node`'s writes first..last (0: of nobody's).
  void Add(int64_t first = 0, int64_t last = 0, const std::string& node = kNode) {
    iceberg::Snapshot snapshot;
    snapshot.snapshot_id = static_cast<int64_t>(table_.snapshots.size()) + 1;
    if (!table_.snapshots.empty()) snapshot.parent_snapshot_id = snapshot.snapshot_id - 1;
    if (first > 0) {
      snapshot.summary = {{"arka.node", node},
                          {"arka.first-lsn", std::to_string(first)},
                          {"arka.last-lsn", std::to_string(last)}};
    }
    table_.current_snapshot_id = snapshot.snapshot_id;
    table_.snapshots.push_back(std::move(snapshot));
  }

  /// The snapshot's id, 0 for the empty table, -1 where it is not known.
  int64_t Of(int64_t lsn) {
    const auto found = SnapshotThrough(table_, kNode, Lsn{lsn});
    if (!found.ok()) {
      EXPECT_EQ(CodeOf(found.status()), ErrorCode::kNotFound);
      return -1;
    }
    return *found == nullptr ? 0 : (*found)->snapshot_id;
  }

  iceberg::TableMetadata table_;
};

TEST_F(SnapshotThroughTest, IsTheLastOneBeforeTheFirstLaterWrite) {
  Add(1000, 1004);
  Add();  // somebody else's
  Add(1010, 1014);
  Add(1000, 2000, "other");  // another server's LSNs are not ours
  Add(1015, 1020);
  EXPECT_EQ(Of(999), 0);
  EXPECT_EQ(Of(1003), -1);
  EXPECT_EQ(Of(1004), 2);
  EXPECT_EQ(Of(1009), 2);
  EXPECT_EQ(Of(1010), -1);
  EXPECT_EQ(Of(1013), -1);
  EXPECT_EQ(Of(1014), 4);
  EXPECT_EQ(Of(1020), 5);
}

TEST_F(SnapshotThroughTest, IsNotKnownWhereItMayHaveExpired) {
  Add(1000, 1004);
  Add(1005, 1009);
  Add();
  Add(1010, 1014);
  table_.snapshots.erase(table_.snapshots.begin());
  EXPECT_EQ(Of(1009), 3);
  EXPECT_EQ(Of(1004), -1);
  table_.snapshots.erase(table_.snapshots.begin());
  EXPECT_EQ(Of(1009), -1);
  EXPECT_EQ(Of(1014), 4);
}

}  // namespace
}  // namespace arka::query
