#include "arka/ingest/producer_table.h"

#include <random>

#include <gtest/gtest.h>

#include "arka/testing/matchers.h"

namespace arka::ingest {
namespace {

using std::chrono::hours;
using std::chrono::seconds;
using Verdict = ProducerTable::Verdict;

RunningTime At(int64_t second) { return seconds(second); }

struct Fixture {
  ProducerTable table{ProducerTableOptions{3, seconds(100), 4, 16}};
  Lsn last = kNoLsn;

  std::shared_ptr<Producer> Open(const std::string& name, int64_t second = 0, int64_t epoch = 0) {
    return table.Open(name, "uuid", At(second), epoch).ValueOrDie();
  }
  std::vector<ProducerState> Snapshot(int64_t second) {
    std::optional<ProducerTable::Key> after;
    auto states = table.Snapshot(last, &after, 1000, At(second));
    table.EndSnapshot();
    return states;
  }
  Result<ProducerTable::Judgement> Judge(const Producer& producer, int64_t seq, int64_t epoch = 0) {
    return table.Judge(producer, seq, epoch);
  }
  Lsn WriteUnder(int64_t epoch, Producer& producer, int64_t seq) {
    EXPECT_EQ(Judge(producer, seq, epoch).ValueOrDie().verdict, Verdict::kNew) << seq;
    last = last.next();
    table.Record(producer, seq, last, At(0), epoch);
    return last;
  }
  /// A new write, and `skip` LSNs of somebody else's before it.
  Lsn Write(Producer& producer, int64_t seq, int64_t second = 0, int64_t skip = 0) {
    EXPECT_EQ(Judge(producer, seq).ValueOrDie().verdict, Verdict::kNew) << seq;
    last = Lsn{last.value + 1 + skip};
    table.Record(producer, seq, last, At(second));
    return last;
  }
};

TEST(ProducerTable, TakesEachSeqOnceAndAnswersARetryWithItsLsn) {
  Fixture fixture;
  const auto a = fixture.Open("a"), b = fixture.Open("b");
  EXPECT_EQ(fixture.Write(*a, 1), Lsn{1000});
  EXPECT_EQ(fixture.Write(*b, 1), Lsn{1001});
  EXPECT_EQ(fixture.Write(*a, 2), Lsn{1002});
  EXPECT_EQ(fixture.Write(*a, 3), Lsn{1003});
  for (int again = 0; again < 10; ++again) {
    const auto judged = fixture.Judge(*a, 2).ValueOrDie();
    EXPECT_EQ(judged.verdict, Verdict::kRetry);
    EXPECT_EQ(judged.lsn, Lsn{1002});
  }
  EXPECT_EQ(fixture.Judge(*a, 1)->lsn, Lsn{1000});
  EXPECT_EQ(fixture.Judge(*b, 1)->lsn, Lsn{1001});
  EXPECT_EQ(fixture.table.run_count(), 3u);
}

TEST(ProducerTable, RefusesAGapNamingTheExpectedSeq) {
  Fixture fixture;
  const auto a = fixture.Open("a");
  auto refused = fixture.Judge(*a, 2);
  EXPECT_THAT(refused, FailsWith(ErrorCode::kInvalidRequest));
  EXPECT_NE(refused.status().message().find("seq 1 is expected"), std::string::npos);
  fixture.Write(*a, 1);
  refused = fixture.Judge(*a, 3);
  EXPECT_THAT(refused, FailsWith(ErrorCode::kInvalidRequest));
  EXPECT_NE(refused.status().message().find("seq 2 is expected"), std::string::npos);
  for (const int64_t seq : {int64_t{0}, int64_t{-1}, std::numeric_limits<int64_t>::min(),
                            std::numeric_limits<int64_t>::max()}) {
    EXPECT_THAT(fixture.Judge(*a, seq), FailsWith(ErrorCode::kInvalidRequest));
  }
}

TEST(ProducerTable, KeepsTheSameNameInTwoTablesApart) {
  Fixture fixture;
  const auto a = fixture.Open("a");
  const auto other = fixture.table.Open("a", "other uuid", At(0)).ValueOrDie();
  fixture.Write(*a, 1);
  EXPECT_EQ(fixture.Judge(*other, 1)->verdict, Verdict::kNew);
}

TEST(ProducerTable, WhereThereIsRoomItKnowsAProducerHoweverLongItHasNotWritten) {
  Fixture fixture;
  const Lsn lsn = fixture.Write(*fixture.Open("a"), 1);
  fixture.Snapshot(1'000'000);
  EXPECT_EQ(fixture.Judge(*fixture.Open("a"), 1)->verdict, Verdict::kRetry);  // not committed yet
  fixture.table.OnCommitted(lsn);
  fixture.Snapshot(100);
  EXPECT_EQ(fixture.Judge(*fixture.Open("a"), 1)->verdict, Verdict::kRetry);
  EXPECT_EQ(fixture.Snapshot(101).size(), 1u);
  EXPECT_EQ(fixture.table.run_count(), 0u);  // but not the LSNs
  EXPECT_EQ(fixture.Judge(*fixture.Open("a"), 1)->verdict, Verdict::kForgotten);
  EXPECT_EQ(fixture.Judge(*fixture.Open("a"), 1)->lsn, lsn);
  EXPECT_EQ(fixture.Write(*fixture.Open("a"), 2, 1'000'000), lsn.next());
  EXPECT_EQ(fixture.table.forgotten_through(), kNoLsn);
}

TEST(ProducerTable, MakesRoomByForgettingWhoHasNotWrittenForLongestAndIsCommitted) {
  Fixture fixture;
  for (const char* name : {"a", "b", "c"}) fixture.Write(*fixture.Open(name), 1);
  EXPECT_THAT(fixture.table.Open("d", "uuid", At(50)), FailsWith(ErrorCode::kBackpressure));
  fixture.Write(*fixture.Open("a"), 2, 60);
  EXPECT_THAT(fixture.table.Open("d", "uuid", At(101)), FailsWith(ErrorCode::kBackpressure));
  fixture.table.OnCommitted(fixture.last);
  EXPECT_THAT(fixture.table.Open("d", "uuid", At(102)), IsOk());
  EXPECT_EQ(fixture.table.size(), 3u);
  EXPECT_EQ(fixture.table.Find("b", "uuid"), nullptr);
  EXPECT_EQ(fixture.Judge(*fixture.Open("a", 103), 1)->verdict, Verdict::kRetry);
  EXPECT_EQ(fixture.Judge(*fixture.Open("c", 103), 1)->verdict, Verdict::kRetry);
}

TEST(ProducerTable, SaysWhatItMayHaveForgotten) {
  Fixture fixture;
  for (const char* name : {"a", "b", "c"}) fixture.Write(*fixture.Open(name), 1);
  fixture.table.OnCommitted(fixture.last);
  auto refused = fixture.Judge(*fixture.Open("c"), 3);
  EXPECT_EQ(refused.status().message().find("forgotten"), std::string::npos);
  const auto d = fixture.Open("d", 101);
  EXPECT_EQ(fixture.table.forgotten_through(), Lsn{1000});
  refused = fixture.Judge(*d, 2);
  EXPECT_THAT(refused, FailsWith(ErrorCode::kInvalidRequest));
  for (const char* part : {"seq 1 is expected", "forgotten", "LSN 1000"}) {
    EXPECT_NE(refused.status().message().find(part), std::string::npos) << refused.status();
  }
}

TEST(ProducerTable, DoesNotForgetAProducerThatAStreamHolds) {
  Fixture fixture;
  const auto a = fixture.Open("a"), b = fixture.Open("b");
  fixture.Write(*a, 1);
  fixture.Write(*fixture.Open("c"), 1);
  fixture.table.OnCommitted(fixture.last);
  fixture.Snapshot(1'000'000);
  EXPECT_THAT(fixture.table.Open("d", "uuid", At(1'000'000)), IsOk());
  EXPECT_THAT(fixture.table.Open("e", "uuid", At(1'000'010)), IsOk());  // instead of d
  EXPECT_EQ(fixture.Open("a"), a);
  EXPECT_EQ(fixture.Open("b"), b);
  EXPECT_EQ(fixture.table.Find("c", "uuid"), nullptr);
}

TEST(RunningClock, CountsTheTimeThatItSeesPassAndNoLongStandstill) {
  const SteadyTime start{hours(7)};
  RunningClock clock(start);
  clock.Restore(seconds(1000));
  EXPECT_EQ(clock.At(start), seconds(1000));
  EXPECT_EQ(clock.At(start + seconds(40)), seconds(1040));
  EXPECT_EQ(clock.At(start + seconds(30)), seconds(1040));
  EXPECT_EQ(clock.At(start + seconds(50)), seconds(1050));
  EXPECT_EQ(clock.At(start + hours(1000)), seconds(1110));
  EXPECT_EQ(clock.At(start + hours(1000) + seconds(1)), seconds(1111));
}

TEST(ProducerTable, RefusesANameThatIsEmptyOrTooLong) {
  Fixture fixture;
  EXPECT_THAT(fixture.table.Open("", "uuid", At(0)), FailsWith(ErrorCode::kInvalidRequest));
  EXPECT_THAT(fixture.table.Open(std::string(129, 'x'), "uuid", At(0)),
              FailsWith(ErrorCode::kInvalidRequest));
  EXPECT_THAT(fixture.table.Open(std::string(128, 'x'), "uuid", At(0)), IsOk());
}

TEST(ProducerTable, ForgetsTheLsnsOfLongAgoButNotThatTheyWereWritten) {
  Fixture fixture;
  const auto a = fixture.Open("a");
  for (int64_t seq = 1; seq <= 12; ++seq) {
    fixture.table.OnCommitted(fixture.Write(*a, seq, 0, /*skip=*/1));
  }
  EXPECT_LT(fixture.table.run_count(), 9u);
  const auto judged = fixture.Judge(*a, 1).ValueOrDie();
  EXPECT_EQ(judged.verdict, Verdict::kForgotten);
  EXPECT_GE(judged.lsn, Lsn{1001});
  EXPECT_EQ(fixture.Judge(*a, 12)->verdict, Verdict::kRetry);
  EXPECT_EQ(fixture.Judge(*a, 9)->verdict, Verdict::kRetry);  // the newest four at least
  EXPECT_EQ(fixture.Judge(*a, 13)->verdict, Verdict::kNew);
}

TEST(ProducerTable, RefusesNewRunsWhereAllThatAreKeptAreUncommitted) {
  Fixture fixture;
  const auto a = fixture.Open("a"), b = fixture.Open("b");
  for (int64_t seq = 1; seq <= 16; ++seq) {
    EXPECT_EQ(fixture.table.TakeCommitRequest(), seq == 9 + 1) << seq;  // once, at half
    fixture.Write(*a, seq);
    fixture.Write(*b, seq);
  }
  for (int time = 0; time < 2; ++time) {
    EXPECT_THAT(fixture.Judge(*a, 17), FailsWith(ErrorCode::kBackpressure));
    EXPECT_TRUE(fixture.table.TakeCommitRequest())
        << "a commit that came too early is not the last";
  }
  EXPECT_EQ(fixture.Judge(*a, 16)->verdict, Verdict::kRetry);
  fixture.table.OnCommitted(Lsn{1003});
  EXPECT_EQ(fixture.Judge(*a, 17)->verdict, Verdict::kNew);
  EXPECT_TRUE(fixture.table.TakeCommitRequest());
  EXPECT_EQ(fixture.Judge(*a, 1)->verdict, Verdict::kForgotten);
  EXPECT_EQ(fixture.Judge(*b, 3)->lsn, Lsn{1005});
}

TEST(ProducerTable, ASnapshotIsOfItsLsnWhateverComesWhileItIsTaken) {
  Fixture fixture;
  const auto a = fixture.Open("a"), b = fixture.Open("b");
  fixture.Write(*a, 1);
  fixture.Write(*a, 2);
  const Lsn through = fixture.Write(*b, 1);
  fixture.Write(*a, 3);

  std::optional<ProducerTable::Key> after;
  auto states = fixture.table.Snapshot(through, &after, 1, At(0));
  fixture.Write(*b, 2);
  fixture.Write(*fixture.Open("c"), 1);
  fixture.table.OnCommitted(fixture.last);
  while (after) {
    for (auto& state : fixture.table.Snapshot(through, &after, 1, At(0))) states.push_back(state);
  }
  fixture.table.EndSnapshot();
  ASSERT_EQ(states.size(), 2u);
  EXPECT_EQ(states[0].runs, (std::vector<SeqRun>{{1, Lsn{1000}, 2}}));
  EXPECT_EQ(states[1].runs, (std::vector<SeqRun>{{1, Lsn{1002}, 1}}));
}

TEST(ProducerTable, ReplayFollowsTheLogAndRefusesWhatDoesNotFollow) {
  ProducerTable table;
  table.Restore({"a", "uuid", At(0), 0, kNoLsn, {{1, Lsn{1000}, 3}}}, At(0));
  EXPECT_THAT(table.Replay("a", "uuid", 4, Lsn{1003}, At(0)), IsOk());
  EXPECT_THAT(table.Replay("b", "uuid", 1, Lsn{1004}, At(0)), IsOk());
  EXPECT_THAT(table.Replay("a", "uuid", 6, Lsn{1005}, At(0)), FailsWith(ErrorCode::kCorruption));
  EXPECT_THAT(table.Replay("c", "uuid", 2, Lsn{1005}, At(0)), FailsWith(ErrorCode::kCorruption));
  EXPECT_THAT(table.Replay("a", "uuid", 1, Lsn{1005}, At(0)), IsOk());  // was forgotten meanwhile
  const auto a = table.Open("a", "uuid", At(0)).ValueOrDie();
  EXPECT_EQ(table.Judge(*a, 1)->lsn, Lsn{1005});
  EXPECT_THAT(table.Judge(*a, 4), FailsWith(ErrorCode::kInvalidRequest));
}

TEST(ProducerTable, SeqsThatARepairOfTheLogLostAreNeitherNewNorThere) {
  ProducerTable table;
  EXPECT_THAT(table.Replay("a", "uuid", 1, Lsn{1000}, At(0)), IsOk());
  EXPECT_THAT(table.Replay("a", "uuid", 4, Lsn{1005}, At(0), /*last_lost=*/Lsn{1004}), IsOk());
  EXPECT_THAT(table.Replay("a", "uuid", 6, Lsn{1007}, At(0), /*last_lost=*/Lsn{1004}),
              FailsWith(ErrorCode::kCorruption));
  const auto a = table.Open("a", "uuid", At(0)).ValueOrDie();
  EXPECT_EQ(table.Judge(*a, 1)->lsn, Lsn{1000});
  EXPECT_THAT(table.Judge(*a, 2), FailsWith(ErrorCode::kNotFound));
  EXPECT_THAT(table.Judge(*a, 3), FailsWith(ErrorCode::kNotFound));
  EXPECT_EQ(table.Judge(*a, 4)->lsn, Lsn{1005});
  EXPECT_EQ(table.Judge(*a, 5)->verdict, Verdict::kNew);
}

// Against a model that remembers everything: no new write is ever taken for an old one or an old
// one for new, whatever is committed, snapshotted, crashed and replayed in between.
TEST(ProducerTable, AgreesWithANaiveModelThroughCrashesAndReplays) {
  struct Written {
    std::string name;
    int64_t seq;
  };
  for (uint64_t seed = 1; seed <= 300; ++seed) {
    SCOPED_TRACE(seed);
    std::mt19937_64 random(seed);
    const auto pick = [&](int64_t below) { return static_cast<int64_t>(random() % below); };
    const ProducerTableOptions options{10, hours(1), 4, 12};
    std::map<int64_t, Written> log;                      // by LSN
    std::map<std::string, std::map<int64_t, Lsn>> seqs;  // the model
    std::vector<ProducerState> checkpoint;
    Lsn last = kNoLsn, durable = kNoLsn, committed = kNoLsn, checkpointed = kNoLsn;
    size_t replayed_runs = 0;  // a start takes back all that there was
    auto table = std::make_unique<ProducerTable>(options);
    for (int step = 0; step < 400; ++step) {
      const std::string name(1, static_cast<char>('a' + pick(3)));
      auto& model = seqs[name];
      const int64_t next = static_cast<int64_t>(model.size()) + 1;
      switch (pick(12)) {
        default: {
          const auto producer = table->Open(name, "uuid", At(0)).ValueOrDie();
          const int64_t seq = pick(3) == 0 ? pick(next + 3) : next;
          const auto judged = table->Judge(*producer, seq);
          if (seq < 1 || seq > next) {
            ASSERT_THAT(judged, FailsWith(ErrorCode::kInvalidRequest));
          } else if (seq < next) {
            ASSERT_THAT(judged, IsOk());
            ASSERT_NE(judged->verdict, Verdict::kNew);
            const Lsn lsn = model.at(seq);
            if (judged->verdict == Verdict::kRetry) {
              ASSERT_EQ(judged->lsn, lsn);
            } else {
              ASSERT_LE(lsn, committed);
              ASSERT_GE(judged->lsn, lsn);
              ASSERT_LE(judged->lsn, committed);
            }
          } else if (!judged.ok()) {
            ASSERT_THAT(judged, FailsWith(ErrorCode::kBackpressure));
          } else {
            ASSERT_EQ(judged->verdict, Verdict::kNew);
            last = last.next();
            table->Record(*producer, seq, last, At(0));
            log[last.value] = {name, seq};
            model[seq] = last;
          }
          ASSERT_LE(table->run_count(), std::max(2 * options.max_runs, replayed_runs));
          break;
        }
        case 0:
          last = last.next();  // somebody else's write
          break;
        case 1:
          durable = std::max(durable, Lsn{last.value - pick(10)});
          break;
        case 2:
          committed = std::max(committed, Lsn{durable.value - pick(10)});
          table->OnCommitted(committed);
          break;
        case 3: {
          checkpoint.clear();
          checkpointed = durable;
          std::optional<ProducerTable::Key> after;
          do {
            for (auto& state : table->Snapshot(durable, &after, 1, At(0)))
              checkpoint.push_back(state);
            if (pick(4) > 0 || !after) continue;
            const std::string other = after->second;  // one writes between two parts
            const auto producer = table->Open(other, "uuid", At(0)).ValueOrDie();
            const int64_t seq = static_cast<int64_t>(seqs[other].size()) + 1;
            if (!table->Judge(*producer, seq).ok()) continue;
            last = last.next();
            table->Record(*producer, seq, last, At(0));
            log[last.value] = {other, seq};
            seqs[other][seq] = last;
          } while (after);
          table->EndSnapshot();
          break;
        }
        case 4: {
          if (pick(4) > 0) break;
          for (auto lost = log.upper_bound(durable.value); lost != log.end();) {
            seqs[lost->second.name].erase(lost->second.seq);
            lost = log.erase(lost);
          }
          last = Lsn{last.value + pick(5)};
          durable = last;
          table = std::make_unique<ProducerTable>(options);
          for (const auto& state : checkpoint) table->Restore(state, At(0));
          for (auto at = log.upper_bound(checkpointed.value); at != log.end(); ++at) {
            ASSERT_THAT(
                table->Replay(at->second.name, "uuid", at->second.seq, Lsn{at->first}, At(0)),
                IsOk());
          }
          table->OnCommitted(committed);
          replayed_runs = table->run_count();
        }
      }
    }
  }
}

TEST(ProducerTable, WritesNothingMoreOfAProgramWhoseNameWasClaimed) {
  Fixture fixture;
  const auto a = fixture.Open("a");
  fixture.Write(*a, 1);
  fixture.Open("a", 0, 7);
  for (const int64_t seq : {1, 2}) {  // neither a retry nor what it had on the way
    EXPECT_THAT(fixture.Judge(*a, seq), FailsWith(ErrorCode::kFailedPrecondition));
    EXPECT_THAT(fixture.Judge(*a, seq, 6), FailsWith(ErrorCode::kFailedPrecondition));
  }
  EXPECT_THAT(fixture.table.Open("a", "uuid", At(0)), FailsWith(ErrorCode::kFailedPrecondition));
  EXPECT_THAT(fixture.table.Open("a", "uuid", At(0), 6), FailsWith(ErrorCode::kFailedPrecondition));
  EXPECT_THAT(fixture.table.Open("a", "other uuid", At(0)), IsOk());
  EXPECT_EQ(fixture.WriteUnder(7, *a, 2), Lsn{1001});
  EXPECT_EQ(fixture.Judge(*a, 2, 7)->lsn, Lsn{1001});
}

TEST(ProducerTable, TakesNothingOfAnEarlierProgramForARetryOfALaterOne) {
  Fixture fixture;
  const auto a = fixture.Open("a");
  fixture.Write(*a, 1);
  fixture.Write(*a, 2);
  EXPECT_THAT(fixture.Judge(*a, 2, 7), FailsWith(ErrorCode::kFailedPrecondition));
  fixture.WriteUnder(7, *a, 3);
  fixture.WriteUnder(7, *a, 4);
  EXPECT_THAT(fixture.Judge(*a, 2, 7), FailsWith(ErrorCode::kFailedPrecondition));
  EXPECT_EQ(fixture.Judge(*a, 3, 7)->verdict, Verdict::kRetry);
  fixture.WriteUnder(9, *a, 5);
  for (const int64_t seq : {3, 4}) {
    EXPECT_THAT(fixture.Judge(*a, seq, 9), FailsWith(ErrorCode::kFailedPrecondition));
  }
  EXPECT_EQ(fixture.Judge(*a, 5, 9)->verdict, Verdict::kRetry);
}

// The state at an LSN, and the log above it, say the same as the state at the end, wherever the cut
// is: in the midst of an epoch, at its beginning, or one or two epochs before.
TEST(ProducerTable, KnowsEpochsAgainFromASnapshotAndTheLog) {
  struct Written {
    int64_t seq, epoch;
    Lsn lsn;
  };
  Fixture fixture;
  const auto a = fixture.Open("a");
  std::vector<Written> log;
  const std::vector<int64_t> epochs = {0, 0, 4, 4, 4, 9, 9};
  for (size_t i = 0; i < epochs.size(); ++i) {
    fixture.Open("a", 0, epochs[i]);
    const auto seq = static_cast<int64_t>(i) + 1;
    log.push_back({seq, epochs[i], fixture.WriteUnder(epochs[i], *a, seq)});
  }
  const ProducerState end = fixture.Snapshot(0).at(0);
  EXPECT_EQ(end.epoch, 9);
  EXPECT_EQ(end.before_epoch, 5);
  for (size_t cut = 0; cut <= log.size(); ++cut) {
    SCOPED_TRACE(cut);
    Fixture restarted;
    std::optional<ProducerTable::Key> after;
    const Lsn through = cut == 0 ? kNoLsn : log[cut - 1].lsn;
    for (auto& state : fixture.table.Snapshot(through, &after, 1000, At(0))) {
      restarted.table.Restore(std::move(state), At(0));
    }
    fixture.table.EndSnapshot();
    for (size_t i = cut; i < log.size(); ++i) {
      const Written& write = log[i];
      ASSERT_THAT(
          restarted.table.Replay("a", "uuid", write.seq, write.lsn, At(0), kNoLsn, write.epoch),
          IsOk());
    }
    restarted.last = fixture.last;
    EXPECT_EQ(restarted.Snapshot(0).at(0), end);
    EXPECT_EQ(restarted.table.max_epoch(), 9);
    EXPECT_THAT(restarted.table.Open("a", "uuid", At(0), 4),
                FailsWith(ErrorCode::kFailedPrecondition));
  }
}

TEST(ProducerTable, AProducerThatWasForgottenBeginsWithoutEpochs) {
  Fixture fixture;
  const auto lsn = [](int64_t value) { return Lsn{value}; };
  ASSERT_THAT(fixture.table.Replay("a", "uuid", 1, lsn(1000), At(0), kNoLsn, 7), IsOk());
  ASSERT_THAT(fixture.table.Replay("a", "uuid", 1, lsn(1001), At(0), kNoLsn, 0), IsOk());
  const auto a = fixture.Open("a");
  EXPECT_EQ(fixture.Judge(*a, 1)->lsn, Lsn{1001});
}

}  // namespace
}  // namespace arka::ingest
