// The pure part of a stream: what is kept, what acks are believed, what is sent again.
#include "ledger.h"

#include "arka_client/error.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace arka::client {
namespace {

using ::testing::ElementsAre;

protocol::AckRun Row(int64_t lsn, Tier level, int64_t snapshot_id = 0) {
  return {Lsn{lsn}, Lsn{lsn}, level, 17, snapshot_id};
}

constexpr Tier kMemory = Tier::kMemory;
constexpr Tier kDisk = Tier::kLocalDisk;
constexpr Tier kStore = Tier::kObjectStorage;
constexpr Tier kCommitted = Tier::kCommitted;

class LedgerTest : public ::testing::Test {
 protected:
  void Add(int writes) {
    for (int i = 0; i < writes; ++i) ledger_.Add(nullptr, 10, now_ += std::chrono::seconds(1));
  }

  // The seqs that are due, in order; they count as sent.
  std::vector<int64_t> Send() {
    std::vector<int64_t> seqs;
    while (ledger_.HasDue()) seqs.push_back(ledger_.SeqOf(ledger_.Send().record->number));
    return seqs;
  }

  arrow::Status Take(std::vector<protocol::AckRun> rows) {
    return ledger_.Take({std::move(rows), {}}, &told_);
  }

  arrow::Status TakeWatermarks(int64_t s3, int64_t committed) {
    return ledger_.Take({{}, {{Lsn{9000}, Lsn{9000}, Lsn{s3}, Lsn{committed}}}}, &told_);
  }

  // What was told since the last call, as "LSN LEVEL".
  std::vector<std::string> Told() {
    std::vector<std::string> words;
    for (const Ack& ack : std::exchange(told_, {})) {
      words.push_back(std::to_string(ack.lsn.value) + " " + std::string(TierName(ack.level)));
    }
    return words;
  }

  void ExpectViolation(const arrow::Status& status) {
    EXPECT_EQ(CodeOf(status), Code::kInternal) << status;
    EXPECT_FALSE(IsRetryable(status));
  }

  Ledger ledger_;
  Ledger::Time now_;
  std::vector<Ack> told_;
};

TEST_F(LedgerTest, KeepsAWriteUntilItIsOnDisk) {
  Add(3);
  EXPECT_THAT(Send(), ElementsAre(1, 2, 3));
  ASSERT_TRUE(Take({Row(1000, kMemory), Row(1001, kMemory), Row(1002, kMemory)}).ok());
  EXPECT_EQ(ledger_.kept_bytes(), 30);
  ASSERT_TRUE(Take({Row(1000, kDisk), Row(1001, kDisk)}).ok());
  EXPECT_EQ(ledger_.kept_bytes(), 10);
  EXPECT_EQ(ledger_.reached(kDisk), 2);
  EXPECT_EQ(ledger_.reached_lsn(kDisk), Lsn{1001});
  EXPECT_EQ(ledger_.LevelOf(2), kDisk);
  EXPECT_EQ(ledger_.LevelOf(3), kMemory);
}

TEST_F(LedgerTest, TellsEveryLevelOfEveryWriteOnce) {
  Add(2);
  Send();
  ASSERT_TRUE(Take({Row(1000, kMemory), Row(1001, kMemory), Row(1000, kDisk), Row(1001, kDisk),
                    Row(1000, kStore), Row(1001, kStore), Row(1000, kCommitted, 7)})
                  .ok());
  EXPECT_EQ(told_.back().snapshot_id, 7);
  EXPECT_EQ(told_.back().timestamp_us, 17);
  EXPECT_THAT(Told(),
              ElementsAre("1000 MEMORY", "1001 MEMORY", "1000 LOCAL_DISK", "1001 LOCAL_DISK",
                          "1000 OBJECT_STORAGE", "1001 OBJECT_STORAGE", "1000 COMMITTED"));
}

TEST_F(LedgerTest, DoesNotBelieveAnAckOfWhatWasNotSent) {
  Add(2);
  ledger_.Send();
  ExpectViolation(Take({Row(1000, kMemory), Row(1001, kMemory)}));
  EXPECT_EQ(ledger_.reached(kMemory), 1);
}

TEST_F(LedgerTest, DoesNotBelieveALevelWithoutTheOneBelow) {
  Add(1);
  Send();
  ExpectViolation(Take({Row(1000, kDisk)}));
  ExpectViolation(Take({Row(1000, kMemory), Row(1000, kStore)}));
  EXPECT_EQ(ledger_.kept_bytes(), 10);
}

TEST_F(LedgerTest, DoesNotBelieveALevelTwice) {
  Add(1);
  Send();
  ExpectViolation(Take({Row(1000, kMemory), Row(1000, kDisk), Row(1000, kDisk)}));
}

TEST_F(LedgerTest, DoesNotBelieveAnotherLsnThanTheWritesOwn) {
  Add(2);
  Send();
  ExpectViolation(Take({Row(1000, kMemory), Row(1001, kMemory), Row(1001, kDisk)}));
}

TEST_F(LedgerTest, DoesNotBelieveAnLsnBelowTheOneBefore) {
  Add(2);
  Send();
  ExpectViolation(Take({Row(1001, kMemory), Row(1000, kMemory)}));
}

TEST_F(LedgerTest, DoesNotBelieveOneLsnOfTwoNewWrites) {
  Add(2);
  Send();
  ExpectViolation(Take({Row(1000, kMemory), Row(1000, kMemory)}));
  EXPECT_EQ(ledger_.reached(kMemory), 1);
}

TEST_F(LedgerTest, BelievesOneLsnOfSeveralWritesThatTheServerHadBefore) {
  Add(2);
  Send();
  ledger_.Begin();
  Add(1);
  Send();
  // The server has forgotten the LSNs of the first two, and answers one at or above theirs.
  ASSERT_TRUE(
      Take({Row(1007, kMemory), Row(1007, kMemory), Row(1007, kDisk), Row(1007, kDisk)}).ok());
  EXPECT_EQ(ledger_.reached(kDisk), 2);
  ExpectViolation(Take({Row(1007, kMemory)}));
}

TEST_F(LedgerTest, BelievesNoWatermarkOfAServerThatBrokeTheContract) {
  Add(2);
  Send();
  ASSERT_TRUE(Take({Row(1000, kMemory), Row(1000, kDisk)}).ok());
  ledger_.Begin();
  Send();
  const Lsn all{9000};
  ExpectViolation(ledger_.Take({{Row(1001, kDisk)}, {{all, all, all, all}}}, &told_));
  EXPECT_EQ(ledger_.reached(kStore), 0);
}

TEST_F(LedgerTest, DoesNotBelieveAWatermarkAboveTheOneOfTheLevelBelow) {
  Add(3);
  Send();
  ASSERT_TRUE(
      Take({Row(1000, kMemory), Row(1001, kMemory), Row(1000, kDisk), Row(1001, kDisk)}).ok());
  ledger_.Begin();
  Told();
  ASSERT_TRUE(TakeWatermarks(1000, 1001).ok());
  EXPECT_THAT(Told(), ElementsAre("1000 OBJECT_STORAGE", "1000 COMMITTED"));
}

TEST_F(LedgerTest, SendsAgainWhatIsNotOnDiskUnderTheSameSeq) {
  Add(4);
  Send();
  ASSERT_TRUE(
      Take({Row(1000, kMemory), Row(1001, kMemory), Row(1002, kMemory), Row(1000, kDisk)}).ok());
  ledger_.Begin();
  EXPECT_THAT(Send(), ElementsAre(2, 3, 4));
}

TEST_F(LedgerTest, GivesAWriteTheLsnOfItsSecondTimeWhereACrashTookTheFirst) {
  Add(2);
  const auto lost = ledger_.kept().back().record;
  Send();
  ASSERT_TRUE(Take({Row(1000, kMemory), Row(1001, kMemory), Row(1000, kDisk)}).ok());
  EXPECT_EQ(lost->lsn, 1001);
  Told();
  ledger_.Begin();
  EXPECT_EQ(ledger_.reached(kMemory), 1);
  Send();
  ASSERT_TRUE(Take({Row(1005, kMemory), Row(1005, kDisk)}).ok());
  EXPECT_EQ(lost->lsn, 1005);
  EXPECT_THAT(Told(), ElementsAre("1005 MEMORY", "1005 LOCAL_DISK"));
}

TEST_F(LedgerTest, TellsMemoryAgainOnlyWhereTheLsnIsAnother) {
  Add(2);
  Send();
  ASSERT_TRUE(Take({Row(1000, kMemory), Row(1001, kMemory)}).ok());
  Told();
  ledger_.Begin();
  Send();
  ASSERT_TRUE(Take({Row(1000, kMemory), Row(1005, kMemory), Row(1000, kDisk)}).ok());
  EXPECT_THAT(Told(), ElementsAre("1005 MEMORY", "1000 LOCAL_DISK"));
}

TEST_F(LedgerTest, HearsOfWritesOfEarlierConnectionsByWatermarks) {
  Add(3);
  Send();
  ASSERT_TRUE(
      Take({Row(1000, kMemory), Row(1005, kMemory), Row(1000, kDisk), Row(1005, kDisk)}).ok());
  Told();
  ledger_.Begin();
  ASSERT_TRUE(TakeWatermarks(1004, 999).ok());
  EXPECT_THAT(Told(), ElementsAre("1000 OBJECT_STORAGE"));
  ASSERT_TRUE(TakeWatermarks(1005, 1005).ok());
  EXPECT_THAT(Told(), ElementsAre("1005 OBJECT_STORAGE", "1000 COMMITTED", "1005 COMMITTED"));
}

TEST_F(LedgerTest, DoesNotCountAWatermarkForAWriteOfThisConnection) {
  Add(1);
  Send();
  ASSERT_TRUE(Take({Row(1000, kMemory), Row(1000, kDisk)}).ok());
  ASSERT_TRUE(TakeWatermarks(1000, 1000).ok());
  EXPECT_EQ(ledger_.reached(kStore), 0);  // its own ack is still to come, and would be the second
}

TEST_F(LedgerTest, AnAckOfALaterWriteSpeaksForThoseOfEarlierConnections) {
  Add(2);
  Send();
  ASSERT_TRUE(Take({Row(1000, kMemory), Row(1000, kDisk)}).ok());
  ledger_.Begin();
  Send();
  Told();
  ASSERT_TRUE(Take({Row(1001, kMemory), Row(1001, kDisk), Row(1001, kStore)}).ok());
  EXPECT_THAT(Told(), ElementsAre("1001 MEMORY", "1001 LOCAL_DISK", "1000 OBJECT_STORAGE",
                                  "1001 OBJECT_STORAGE"));
}

TEST_F(LedgerTest, GoesOnWhereTheServerHasWhatIsOnDiskAndNoMoreThanWasSent) {
  Add(3);
  ledger_.Send();
  ledger_.Send();
  ASSERT_TRUE(Take({Row(1000, kMemory), Row(1000, kDisk)}).ok());
  EXPECT_TRUE(ledger_.Resume({1, {}}, "p", nullptr).ok());
  EXPECT_TRUE(ledger_.Resume({2, {}}, "p", nullptr).ok());
  const arrow::Status foreign = ledger_.Resume({3, {}}, "p", nullptr);
  EXPECT_EQ(CodeOf(foreign), Code::kFailedPrecondition) << foreign;
  const arrow::Status lost = ledger_.Resume({0, {}}, "p", nullptr);
  EXPECT_EQ(CodeOf(lost), Code::kDataLoss) << lost;
  EXPECT_FALSE(IsRetryable(lost));
}

TEST_F(LedgerTest, NumbersTheRestFrom1WhereTheProducerWasForgotten) {
  Add(3);
  Send();
  ASSERT_TRUE(
      Take({Row(1000, kMemory), Row(1001, kMemory), Row(1000, kDisk), Row(1001, kDisk)}).ok());
  Told();
  const arrow::Status too_early = ledger_.Resume({0, Lsn{1000}}, "p", &told_);
  EXPECT_EQ(CodeOf(too_early), Code::kDataLoss) << too_early;
  ASSERT_TRUE(ledger_.Resume({0, Lsn{1001}}, "p", &told_).ok());
  EXPECT_THAT(Told(), ElementsAre("1000 OBJECT_STORAGE", "1001 OBJECT_STORAGE", "1000 COMMITTED",
                                  "1001 COMMITTED"));
  ledger_.Begin();
  EXPECT_THAT(Send(), ElementsAre(1));
}

TEST_F(LedgerTest, AProducerOfBeforeGoesOnBehindItsLastSeq) {
  ledger_ = Ledger(7, Lsn{1006});
  Add(1);
  EXPECT_THAT(Send(), ElementsAre(8));
  EXPECT_TRUE(ledger_.Resume({7, {}}, "p", nullptr).ok());
  EXPECT_EQ(CodeOf(ledger_.Resume({6, {}}, "p", nullptr)), Code::kDataLoss);
  ASSERT_TRUE(ledger_.Resume({0, Lsn{1006}}, "p", nullptr).ok());
  ledger_.Begin();
  EXPECT_THAT(Send(), ElementsAre(1));
}

TEST_F(LedgerTest, FindsAWriteByItsLsn) {
  Add(3);
  Send();
  ASSERT_TRUE(Take({Row(1000, kMemory), Row(1007, kMemory), Row(1000, kDisk), Row(1000, kStore),
                    Row(1000, kCommitted)})
                  .ok());
  EXPECT_EQ(ledger_.NumberOf(Lsn{1000}), 1);
  EXPECT_EQ(ledger_.NumberOf(Lsn{1007}), 2);
  EXPECT_EQ(ledger_.NumberOf(Lsn{1008}), 3);  // it was lost, or is none: all have to be waited for
}

TEST_F(LedgerTest, AnLsnThatACrashTookIsThatOfTheWriteThatHadIt) {
  Add(4);
  Send();
  ASSERT_TRUE(
      Take({Row(1000, kMemory), Row(1001, kMemory), Row(1002, kMemory), Row(1000, kDisk)}).ok());
  ledger_.Begin();
  Send();
  EXPECT_GE(ledger_.NumberOf(Lsn{1002}), 3);
  // The first of those that were lost has a new LSN, and is safe; the second is not.
  ASSERT_TRUE(Take({Row(1005, kMemory), Row(1005, kDisk)}).ok());
  EXPECT_EQ(ledger_.NumberOf(Lsn{1002}), 3);
  EXPECT_EQ(ledger_.NumberOf(Lsn{1005}), 2);
  EXPECT_EQ(ledger_.NumberOf(Lsn{1000}), 1);
  ASSERT_TRUE(Take({Row(1005, kStore), Row(1005, kCommitted)}).ok());
  EXPECT_EQ(ledger_.NumberOf(Lsn{1002}), 3);
  EXPECT_LE(ledger_.NumberOf(Lsn{1005}), 2);
}

TEST_F(LedgerTest, SaysHowOldTheOldestWriteBelowALevelIs) {
  EXPECT_FALSE(ledger_.OldestBelow(kDisk));
  Add(2);
  const auto second = now_;
  Send();
  ASSERT_TRUE(Take({Row(1000, kMemory), Row(1000, kDisk)}).ok());
  EXPECT_EQ(ledger_.OldestBelow(kDisk), second);
  EXPECT_EQ(ledger_.OldestBelow(kCommitted), second - std::chrono::seconds(1));
}

// Whatever is lost and acknowledged, every write reaches the disk under one seq.
TEST_F(LedgerTest, LosesNoSeqOverManyConnections) {
  int64_t lsn = 1000;
  for (int connection = 0; connection < 50; ++connection) {
    Add(7);
    ledger_.Begin();
    const int64_t first = ledger_.SeqOf(ledger_.reached(kDisk) + 1);
    const std::vector<int64_t> seqs = Send();
    for (size_t i = 0; i < seqs.size(); ++i) ASSERT_EQ(seqs[i], first + static_cast<int64_t>(i));
    const int64_t named = std::min<int64_t>(seqs.size(), connection % 9);
    for (int64_t i = 0; i < named; ++i) ASSERT_TRUE(Take({Row(lsn + i, kMemory)}).ok());
    for (int64_t i = 0; i < named / 2; ++i) ASSERT_TRUE(Take({Row(lsn + i, kDisk)}).ok());
    lsn += named;
    ASSERT_TRUE(TakeWatermarks(lsn - 1, lsn - 1).ok());
  }
  EXPECT_EQ(ledger_.kept_bytes(), (ledger_.last() - ledger_.reached(kDisk)) * 10);
}

}  // namespace
}  // namespace arka::client
