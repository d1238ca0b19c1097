#include "arka/lake/table_committer.h"

#include <set>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "arka/iceberg/fast_append.h"
#include "arka/iceberg/manifest.h"
#include "arka/iceberg/manifest_list.h"
#include "arka/lake/scripted_catalog_testing.h"
#include "arka/testing/matchers.h"
#include "arka/testing/memory_object_store.h"
#include "arka/testing/seeded_random.h"
#include "arka/testing/simulated_clock.h"

namespace arka::lake {
namespace {

constexpr Lsn kNewest{1'000'000};  // that the node has given

using testing::ElementsAre;
using testing::HasSubstr;

class TableCommitterTest : public testing::Test {
 protected:
  static StagedFile Staged(int64_t first, int64_t last) {
    StagedFile staged{{}, Lsn{first}, Lsn{last}};
    staged.file.file_path =
        "memory://objects/arka/t/data/" + std::to_string(first) + "-" + std::to_string(last);
    staged.file.record_count = last - first + 1;
    staged.file.file_size_in_bytes = 100;
    return staged;
  }

  /// One call; the snapshot's id.
  Result<int64_t> Commit(const std::vector<StagedFile>& files) {
    ARROW_ASSIGN_OR_RAISE(const auto outcome, committer_.Commit(kTable, ScriptedCatalog::kUuid,
                                                                files, kNewest, stop_.get_token()));
    EXPECT_EQ(outcome.through, files.back().last_lsn);
    return outcome.snapshot_id;
  }

  /// Calls until the outcome is known, as the committer does.
  Result<int64_t> CommitUntilKnown(const std::vector<StagedFile>& files) {
    for (int call = 0; call < 100; ++call) {
      const auto id = Commit(files);
      if (id.ok() || CodeOf(id.status()) != ErrorCode::kCommitUnknown) return id;
    }
    return Error(ErrorCode::kInternal, "not after 100 calls");
  }

  /// Another writer's append of a file of its own.
  void ForeignCommit() {
    iceberg::AppendRequest request;
    request.files = {Staged(1, 1).file};
    request.files[0].file_path =
        "memory://objects/arka/t/data/foreign-" + std::to_string(++foreign_commits_);
    const iceberg::Table base{kTable, "",
                              std::make_shared<iceberg::TableMetadata>(catalog_.metadata())};
    const auto append = *iceberg::PrepareAppend(base, warehouse_, random_, clock_, request);
    catalog_.mutable_metadata() =
        *iceberg::Apply(catalog_.metadata(), append.requirements, append.updates, WallTime{});
  }

  /// Every data file that the current snapshot names, as often as it names it.
  std::vector<std::string> Files() {
    std::vector<std::string> files;
    const auto* snapshot = catalog_.metadata().current_snapshot();
    if (snapshot == nullptr) return files;
    const auto list = *warehouse_.Get(*warehouse_.KeyOf(snapshot->manifest_list));
    const auto manifests = iceberg::ReadManifestList(std::string_view(*list));
    EXPECT_THAT(manifests, IsOk());
    for (const auto& manifest : *manifests) {
      const auto bytes = *warehouse_.Get(*warehouse_.KeyOf(manifest.manifest_path));
      const auto read = iceberg::ReadManifest(std::string_view(*bytes), manifest);
      EXPECT_THAT(read, IsOk());
      for (const auto& entry : *read) {
        const std::string& path = entry.data_file.file_path;
        if (path.find("foreign") == std::string::npos) {
          files.push_back(path.substr(path.rfind('/') + 1));
        }
      }
    }
    std::ranges::sort(files);
    return files;
  }

  int64_t CurrentSnapshot() const { return catalog_.metadata().current_snapshot_id; }
  Lsn Committed() const { return *CommittedLsnOf(catalog_.metadata(), "n1"); }

  const iceberg::TableIdentifier kTable{"arka", "t"};
  MemoryObjectStore warehouse_;
  ScriptedCatalog catalog_{"memory://objects/arka/t"};
  SimulatedClock clock_;
  SeededRandom random_{7};
  std::stop_source stop_;
  TableCommitter committer_{catalog_, warehouse_, clock_, random_, "n1"};
  int foreign_commits_ = 0;
};

TEST_F(TableCommitterTest, WritesPropertyAndSummaryWithTheSnapshot) {
  const auto id = Commit({Staged(1000, 1004), Staged(1005, 1009)});
  ASSERT_THAT(id, IsOk());
  EXPECT_EQ(*id, CurrentSnapshot());
  EXPECT_EQ(catalog_.metadata().properties.at("arka.committed-lsn.n1"), "1009");
  const auto& summary = catalog_.metadata().current_snapshot()->summary;
  EXPECT_EQ(summary.at("arka.first-lsn"), "1000");
  EXPECT_EQ(summary.at("arka.last-lsn"), "1009");
  EXPECT_EQ(summary.at("arka.node"), "n1");
  EXPECT_THAT(Files(), ElementsAre("1000-1004", "1005-1009"));
}

TEST_F(TableCommitterTest, WhatHasLandedIsNotCommittedAgain) {
  const auto first = Commit({Staged(1000, 1004)});
  ASSERT_THAT(first, IsOk());
  ASSERT_THAT(Commit({Staged(1005, 1009)}), IsOk());
  // A restart that knows nothing offers the same writes again.
  TableCommitter restarted(catalog_, warehouse_, clock_, random_, "n1");
  const auto again =
      restarted.Commit(kTable, ScriptedCatalog::kUuid, {Staged(1000, 1004)}, kNewest, {});
  ASSERT_THAT(again, IsOk());
  EXPECT_EQ(again->snapshot_id, *first);
  EXPECT_THAT(Files(), ElementsAre("1000-1004", "1005-1009"));
  EXPECT_EQ(catalog_.commits, 2);
}

TEST_F(TableCommitterTest, TheProgressSurvivesTheExpiryOfItsSnapshot) {
  ASSERT_THAT(Commit({Staged(1000, 1004)}), IsOk());
  ForeignCommit();
  std::erase_if(catalog_.mutable_metadata().snapshots,
                [&](const auto& snapshot) { return snapshot.snapshot_id != CurrentSnapshot(); });
  EXPECT_EQ(Commit({Staged(1000, 1004)}), 0);
  EXPECT_EQ(catalog_.commits, 1);
}

TEST_F(TableCommitterTest, OnlyTheFilesThatHaveNotLandedAreCommitted) {
  ASSERT_THAT(Commit({Staged(1000, 1004)}), IsOk());
  const auto id = Commit({Staged(1000, 1004), Staged(1005, 1009)});
  ASSERT_THAT(id, IsOk());
  EXPECT_EQ(*id, CurrentSnapshot());
  EXPECT_EQ(catalog_.metadata().current_snapshot()->summary.at("arka.first-lsn"), "1005");
  EXPECT_THAT(Files(), ElementsAre("1000-1004", "1005-1009"));
}

TEST_F(TableCommitterTest, ALostAnswerToACommitThatLandedIsFoundInTheTable) {
  catalog_.script = {Answer::kLandsLost};
  const auto id = Commit({Staged(1000, 1004)});
  ASSERT_THAT(id, IsOk());
  EXPECT_EQ(*id, CurrentSnapshot());
  EXPECT_EQ(catalog_.commits, 1);
  EXPECT_THAT(Files(), ElementsAre("1000-1004"));
}

TEST_F(TableCommitterTest, AnOutcomeThatTheTableDoesNotShowIsUnknownAndTheNextCallFindsOut) {
  catalog_.script = {Answer::kLost, Answer::kLost, Answer::kLost};
  for (int call = 1; call <= 3; ++call) {
    EXPECT_THAT(Commit({Staged(1000, 1004)}), FailsWith(ErrorCode::kCommitUnknown));
    EXPECT_EQ(catalog_.commits, call);
  }
  ASSERT_THAT(Commit({Staged(1000, 1004)}), IsOk());
  EXPECT_THAT(Files(), ElementsAre("1000-1004"));
}

TEST_F(TableCommitterTest, ALateCommitLandsOnceWheneverItComes) {
  // Before the load that follows, before the second attempt, after it.
  for (int moment = 0; moment < 3; ++moment) {
    SCOPED_TRACE(moment);
    const int64_t first = 1000 + moment * 10;
    catalog_.script = {Answer::kComesLate};
    catalog_.before_load = [&, calls = 0]() mutable {
      if (moment == 0 && ++calls == 2) {
        EXPECT_TRUE(catalog_.LandLate());
      }
      return Status::OK();
    };
    catalog_.before_commit = [&, calls = 0]() mutable {
      if (moment == 1 && ++calls == 2) {
        EXPECT_TRUE(catalog_.LandLate());
      }
    };
    const auto id = CommitUntilKnown({Staged(first, first + 9)});
    ASSERT_THAT(id, IsOk());
    EXPECT_FALSE(catalog_.LandLate()) << "it must not land after another";
    EXPECT_EQ(*id, CurrentSnapshot());
    EXPECT_EQ(Committed(), Lsn{first + 9});
  }
  EXPECT_THAT(Files(), ElementsAre("1000-1009", "1010-1019", "1020-1029"));
}

TEST_F(TableCommitterTest, ALateCommitOfFewerFilesDoesNotRepeatThem) {
  catalog_.script = {Answer::kComesLate};
  EXPECT_THAT(Commit({Staged(1000, 1004)}), FailsWith(ErrorCode::kCommitUnknown));
  catalog_.before_commit = [&] { catalog_.LandLate(); };
  const auto id = Commit({Staged(1000, 1004), Staged(1005, 1009)});
  ASSERT_THAT(id, IsOk());
  EXPECT_THAT(Files(), ElementsAre("1000-1004", "1005-1009"));
}

TEST_F(TableCommitterTest, ALateCommitWithOtherFileBoundariesIsToldAndNothingCommittedOverIt) {
  catalog_.script = {Answer::kComesLate};
  EXPECT_THAT(Commit({Staged(1000, 1004)}), FailsWith(ErrorCode::kCommitUnknown));
  // After a restart the same writes are in other files.
  const std::vector<StagedFile> other = {Staged(1000, 1006), Staged(1007, 1009)};
  catalog_.before_commit = [&] { catalog_.LandLate(); };
  const auto outcome =
      committer_.Commit(kTable, ScriptedCatalog::kUuid, other, kNewest, stop_.get_token());
  ASSERT_THAT(outcome, IsOk());
  EXPECT_EQ(outcome->through, Lsn{1004});
  EXPECT_EQ(outcome->snapshot_id, CurrentSnapshot());
  EXPECT_THAT(Files(), ElementsAre("1000-1004"));
  ASSERT_THAT(Commit({Staged(1005, 1006), Staged(1007, 1009)}), IsOk());
  EXPECT_THAT(Files(), ElementsAre("1000-1004", "1005-1006", "1007-1009"));
}

TEST_F(TableCommitterTest, AForeignCommitInBetweenIsBuiltUpon) {
  catalog_.before_commit = [&] {
    if (foreign_commits_ < 3) ForeignCommit();
  };
  const auto id = Commit({Staged(1000, 1004)});
  ASSERT_THAT(id, IsOk());
  EXPECT_EQ(catalog_.commits, 4);
  EXPECT_EQ(catalog_.metadata().snapshots.size(), 4u);
  EXPECT_THAT(Files(), ElementsAre("1000-1004"));
}

TEST_F(TableCommitterTest, AnAttemptThatLostLeavesNothingBehind) {
  catalog_.script = {Answer::kConflict};
  ASSERT_THAT(Commit({Staged(1000, 1004)}), IsOk());
  EXPECT_EQ(warehouse_.List("arka/t/metadata/")->size(), 2u) << "one manifest, one list";
}

TEST_F(TableCommitterTest, NothingIsDeletedWhileAnOutcomeIsUnknown) {
  catalog_.script = {Answer::kLost};
  catalog_.before_load = [&, calls = 0]() mutable {
    if (++calls == 2) ForeignCommit();
    return Status::OK();
  };
  ASSERT_THAT(CommitUntilKnown({Staged(1000, 1004)}), IsOk());
  // The lost attempt's two, the foreign two, the two that landed.
  EXPECT_EQ(warehouse_.List("arka/t/metadata/")->size(), 6u);
}

TEST_F(TableCommitterTest, ASuccessThatTheTransportMadeAConflictIsSeenThoughItsSnapshotHasExpired) {
  catalog_.script = {Answer::kLandsConflict};
  catalog_.before_load = [&, calls = 0]() mutable {
    if (++calls == 2) {
      ForeignCommit();
      std::erase_if(catalog_.mutable_metadata().snapshots, [&](const auto& snapshot) {
        return snapshot.snapshot_id != CurrentSnapshot();
      });
    }
    return Status::OK();
  };
  EXPECT_EQ(Commit({Staged(1000, 1004)}), 0);
  EXPECT_EQ(catalog_.commits, 1);
  EXPECT_THAT(Files(), ElementsAre("1000-1004")) << "its manifest is there to be read";
}

TEST_F(TableCommitterTest, AnErrorThatSaysNotLandedComesBackAndLeavesNothing) {
  catalog_.script = {Answer::kRefused};
  EXPECT_THAT(Commit({Staged(1000, 1004)}), FailsWith(ErrorCode::kPermissionDenied));
  EXPECT_TRUE(warehouse_.List("arka/t/metadata/")->empty());
  EXPECT_EQ(Committed(), kNoLsn);
}

TEST_F(TableCommitterTest, WithACatalogThatIsAwayAfterwardsTheOutcomeStaysUnknown) {
  catalog_.script = {Answer::kLandsLost};
  int loads = 0;
  catalog_.before_load = [&] {
    return ++loads == 2 ? Error(ErrorCode::kUnavailable, "down") : Status::OK();
  };
  const auto unknown = Commit({Staged(1000, 1004)});
  ASSERT_THAT(unknown, FailsWith(ErrorCode::kCommitUnknown));
  EXPECT_THAT(unknown.status().message(), HasSubstr("down"));
  ASSERT_THAT(Commit({Staged(1000, 1004)}), IsOk());
  EXPECT_EQ(catalog_.commits, 1);
}

TEST_F(TableCommitterTest, OthersThatKeepCommittingFirstAreAConflictInTheEnd) {
  catalog_.before_commit = [&] { ForeignCommit(); };
  EXPECT_THAT(Commit({Staged(1000, 1004)}), FailsWith(ErrorCode::kCommitConflict));
  EXPECT_EQ(catalog_.commits, TableCommitter::kAttempts);
  catalog_.before_commit = [] {};
  ASSERT_THAT(Commit({Staged(1000, 1004)}), IsOk());
  EXPECT_THAT(Files(), ElementsAre("1000-1004"));
}

TEST_F(TableCommitterTest, MakesNoAttemptOnceAStopWasRequested) {
  catalog_.script = std::deque<Answer>(100, Answer::kConflict);
  catalog_.before_commit = [&] { stop_.request_stop(); };
  EXPECT_THAT(Commit({Staged(1000, 1004)}), FailsWith(ErrorCode::kShuttingDown));
  EXPECT_EQ(catalog_.commits, 1);
}

TEST_F(TableCommitterTest, ATableMadeAnewIsNotTakenForTheOldOne) {
  EXPECT_THAT(committer_.Commit(kTable, "another uuid", {Staged(1000, 1004)}, kNewest, {}),
              FailsWith(ErrorCode::kNotFound));
  EXPECT_EQ(catalog_.commits, 0);
}

TEST_F(TableCommitterTest, ADamagedPropertyIsAnErrorNotAFreshStart) {
  catalog_.mutable_metadata().properties["arka.committed-lsn.n1"] = "12x";
  const auto refused = Commit({Staged(1000, 1004)});
  ASSERT_THAT(refused, FailsWith(ErrorCode::kCorruption));
  EXPECT_THAT(refused.status().message(), HasSubstr("arka.committed-lsn.n1"));
}

TEST_F(TableCommitterTest, TheProgressOfAnotherServerOfTheSameNameIsNotTakenForOurs) {
  catalog_.mutable_metadata().properties["arka.committed-lsn.n1"] = "5000";
  const auto refused = committer_.Commit(kTable, ScriptedCatalog::kUuid, {Staged(1000, 1004)},
                                         /*newest_lsn=*/Lsn{1004}, {});
  ASSERT_THAT(refused, FailsWith(ErrorCode::kUnavailable));
  EXPECT_THAT(refused.status().message(), HasSubstr("node_id"));
  EXPECT_EQ(catalog_.commits, 0);
}

TEST_F(TableCommitterTest, NodesKeepTheirProgressApart) {
  ASSERT_THAT(Commit({Staged(2000, 2004)}), IsOk());
  TableCommitter other(catalog_, warehouse_, clock_, random_, "n2");
  ASSERT_THAT(other.Commit(kTable, ScriptedCatalog::kUuid, {Staged(1000, 1004)}, kNewest, {}),
              IsOk());
  EXPECT_THAT(Files(), ElementsAre("1000-1004", "2000-2004"));
  EXPECT_EQ(*CommittedLsnOf(catalog_.metadata(), "n2"), Lsn{1004});
  EXPECT_EQ(Committed(), Lsn{2004});
}

TEST_F(TableCommitterTest, AnyRunOfAnswersCommitsEveryWriteOnce) {
  for (uint64_t seed = 1; seed <= 300; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    SeededRandom dice(seed);
    catalog_ = ScriptedCatalog("memory://objects/arka/t");
    std::vector<StagedFile> pending;
    std::vector<std::string> expected;
    catalog_.before_commit = [&] {
      if (dice.Next() % 4 == 0) catalog_.LandLate();
      if (dice.Next() % 5 == 0) ForeignCommit();
    };
    catalog_.before_load = [&] {
      if (dice.Next() % 4 == 0) catalog_.LandLate();
      return dice.Next() % 6 == 0 ? Error(ErrorCode::kUnavailable, "down") : Status::OK();
    };
    for (int round = 0; round < 6; ++round) {
      const int64_t first = 1000 + round * 10;
      pending.push_back(Staged(first, first + 9));
      expected.push_back(std::to_string(first) + "-" + std::to_string(first + 9));
      for (int i = 0; i < 3; ++i) catalog_.script.push_back(static_cast<Answer>(dice.Next() % 7));
      if (Commit(pending).ok()) pending.clear();
    }
    catalog_.script.clear();
    catalog_.before_load = [] { return Status::OK(); };
    catalog_.before_commit = [&] { catalog_.LandLate(); };
    if (!pending.empty()) {
      ASSERT_THAT(Commit(pending), IsOk());
    }
    catalog_.LandLate();
    ASSERT_EQ(Files(), expected);
  }
}

}  // namespace
}  // namespace arka::lake
