// Streams against a server in this process, which is good, or not.
#include "arka_client/stream.h"

#include "arka_client/client.h"
#include "arka_client/tracking.h"
#include "stream_fixture.h"

#include <future>
#include <thread>

#include <arrow/api.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace arka::client {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using std::chrono::steady_clock;
using ::testing::Contains;
using ::testing::Each;
using ::testing::Not;

TEST_F(StreamTest, AWriteIsAFutureOfItsLsnAndItsLevels) {
  const auto stream = Open();
  const WriteHandle first = stream->Write(Batch()).ValueOrDie();
  const WriteHandle second = stream->Write(Batch()).ValueOrDie();
  EXPECT_EQ(first.Lsn(kPatience).ValueOrDie(), Lsn{1000});
  EXPECT_EQ(second.Wait(Tier::kCommitted, kPatience).ValueOrDie(), Lsn{1001});
  EXPECT_EQ(first.level(), Tier::kCommitted);
  EXPECT_EQ(second.seq(), 2);
  EXPECT_EQ(stream->WriteDurable(Batch(), Tier::kObjectStorage, kPatience).ValueOrDie(), Lsn{1002});
  EXPECT_TRUE(stream->WaitForDurability(Lsn{1001}, Tier::kLocalDisk, kPatience).ok());
  EXPECT_EQ(CodeOf(stream->WaitForDurability(Lsn{7777}, Tier::kLocalDisk)), Code::kInvalidArgument);
  EXPECT_EQ(CodeOf(stream->WaitForDurability(Lsn{}, Tier::kLocalDisk)), Code::kInvalidArgument);
  EXPECT_EQ(stream->lag(Tier::kLocalDisk).writes, 0);
  EXPECT_EQ(stream->kept_bytes(), 0);
  EXPECT_TRUE(stream->Close(Tier::kCommitted, kPatience).ok());
  EXPECT_TRUE(stream->Close(Tier::kCommitted, kPatience).ok());  // again: nothing
  EXPECT_EQ(CodeOf(stream->Write(Batch()).status()), Code::kFailedPrecondition);
}

TEST_F(StreamTest, AFutureIsCompletedWhereItMayWaitForTheStreamAndDestroyIt) {
  auto stream = Open();
  const WriteHandle write = stream->Write(Batch()).ValueOrDie();
  auto done = write.WaitAsync(Tier::kCommitted).Then([&](const Lsn& lsn) -> arrow::Result<Lsn> {
    ARROW_RETURN_NOT_OK(stream->WriteDurable(Batch(), Tier::kCommitted, kPatience));
    stream.reset();
    return lsn;
  });
  ASSERT_TRUE(done.Wait(20));
  ASSERT_TRUE(done.status().ok()) << done.status();
  EXPECT_EQ(*done.result(), Lsn{1000});
  EXPECT_EQ(*write.WaitAsync(Tier::kMemory).result(), Lsn{1000});  // of a stream that is gone
}

TEST_F(StreamTest, AFutureFailsWithItsStream) {
  server_->refusal = arrow::Status::Invalid("no such column");
  auto stream = Open();
  const WriteHandle write = stream->Write(Batch()).ValueOrDie();
  const auto refused = write.WaitAsync();
  ASSERT_TRUE(refused.Wait(20));
  EXPECT_EQ(CodeOf(refused.status()), Code::kInvalidArgument) << refused.status();
  EXPECT_EQ(CodeOf(write.WaitAsync().status()), Code::kInvalidArgument);
}

TEST_F(StreamTest, AFutureOfAnAbortedStreamEnds) {
  server_->silent = true;
  auto stream = Open();
  const auto gone = stream->Write(Batch()).ValueOrDie().WaitAsync();
  stream.reset();
  ASSERT_TRUE(gone.Wait(20));
  EXPECT_EQ(CodeOf(gone.status()), Code::kFailedPrecondition) << gone.status();
}

TEST_F(StreamTest, WritesEverySeqOnceThoughEveryConnectionIsCut) {
  server_->cut_after_batches = 7;
  const auto stream = Open();
  for (int i = 0; i < 50; ++i) ASSERT_TRUE(stream->Write(Batch()).ok());
  ASSERT_TRUE(stream->Close(Tier::kLocalDisk, kPatience).ok());
  const auto writes = server_->writes();
  ASSERT_EQ(writes.size(), 50);
  for (size_t i = 0; i < writes.size(); ++i) EXPECT_EQ(writes[i].seq, static_cast<int64_t>(i + 1));
  EXPECT_GE(server_->connections, 8);
  EXPECT_THAT(server_->actions(), Each(std::string("last_seq")));
}

TEST_F(StreamTest, TellsAcksOutsideOfTheThreadThatReadsThem) {
  std::promise<void> release;
  std::atomic<int> heard = 0;
  StreamOptions options;
  options.on_ack = [&, gate = release.get_future().share()](const Ack&) {
    gate.wait();
    ++heard;
  };
  const auto stream = Open(options);
  for (int i = 0; i < 10; ++i) ASSERT_TRUE(stream->Write(Batch()).ok());
  // Nobody is held up by a callback that stands still.
  ASSERT_TRUE(stream->WaitForDurability(Tier::kCommitted, kPatience).ok());
  EXPECT_EQ(heard, 0);
  release.set_value();
  ASSERT_TRUE(stream->Close(Tier::kCommitted, kPatience).ok());
  EXPECT_EQ(heard, 40);
}

TEST_F(StreamTest, CloseIsOverInTimeAndSaysWhatIsPending) {
  server_->silent = true;
  const auto stream = Open();
  ASSERT_TRUE(stream->Write(Batch(5)).ok());
  const auto began = steady_clock::now();
  const arrow::Status late = stream->Close(Tier::kLocalDisk, milliseconds(200));
  EXPECT_LT(steady_clock::now() - began, seconds(3));
  EXPECT_EQ(CodeOf(late), Code::kDeadlineExceeded) << late;
  EXPECT_TRUE(IsRetryable(late));
  ASSERT_EQ(stream->pending().size(), 1);
  EXPECT_EQ(stream->pending()[0]->num_rows(), 5);
}

TEST_F(StreamTest, TheDestructorEndsWhateverGoesOnAndTellsThoseWhoWait) {
  server_->silent = true;
  auto stream = Open();
  const WriteHandle write = stream->Write(Batch()).ValueOrDie();
  auto waiting = std::async(std::launch::async, [&] { return write.Wait().status(); });
  const auto began = steady_clock::now();
  stream.reset();
  EXPECT_LT(steady_clock::now() - began, seconds(8));
  const arrow::Status told = waiting.get();
  EXPECT_EQ(CodeOf(told), Code::kFailedPrecondition) << told;
  EXPECT_FALSE(write.lsn());  // the handle outlives its stream
}

TEST_F(StreamTest, ACallbackThatNeverReturnsDoesNotHoldUpTheDestructorForEver) {
  const auto gate = std::make_shared<std::promise<void>>();
  const auto called = std::make_shared<std::promise<void>>();
  StreamOptions options;
  options.on_ack = [called, opened = gate->get_future().share()](const Ack& ack) {
    if (ack.level == Tier::kMemory) called->set_value();
    opened.wait();
  };
  auto stream = Open(options);
  ASSERT_TRUE(stream->Write(Batch()).ok());
  called->get_future().wait();
  const auto began = steady_clock::now();
  stream.reset();
  EXPECT_LT(steady_clock::now() - began, seconds(10));
  gate->set_value();
}

TEST_F(StreamTest, KeepsNoMoreThanTheBudget) {
  server_->silent = true;
  StreamOptions options;
  options.budget_bytes = 100'000;
  const auto stream = Open(options);
  ASSERT_TRUE(stream->TryWrite(Batch(5000)).ok());
  ASSERT_TRUE(stream->TryWrite(Batch(5000)).ok());
  const arrow::Status full = stream->TryWrite(Batch(5000)).status();
  EXPECT_EQ(CodeOf(full), Code::kResourceExhausted) << full;
  EXPECT_TRUE(IsRetryable(full));
  const arrow::Status late = stream->Write(Batch(5000), milliseconds(50)).status();
  EXPECT_EQ(CodeOf(late), Code::kDeadlineExceeded) << late;
  EXPECT_GT(stream->kept_bytes(), 80'000);
  EXPECT_LE(stream->kept_bytes(), 100'000);
}

TEST_F(StreamTest, LetsOneLargerBatchInWhereNothingElseIsKept) {
  StreamOptions options;
  options.budget_bytes = 1000;
  const auto stream = Open(options);
  for (int i = 0; i < 3; ++i) ASSERT_TRUE(stream->Write(Batch(5000), kPatience).ok());
  ASSERT_TRUE(stream->Close(Tier::kLocalDisk, kPatience).ok());
  EXPECT_EQ(server_->rows(), 15'000);
}

TEST_F(StreamTest, ABatchOfAnotherSchemaIsRefusedAndSparesTheStream) {
  const auto stream = Open();
  ASSERT_TRUE(stream->Write(Batch()).ok());
  const auto other =
      arrow::RecordBatch::Make(arrow::schema({arrow::field("text", arrow::utf8())}), 1,
                               {arrow::MakeArrayOfNull(arrow::utf8(), 1).ValueOrDie()});
  EXPECT_EQ(CodeOf(stream->Write(other).status()), Code::kInvalidArgument);
  ASSERT_TRUE(stream->Write(Batch()).ok());
  EXPECT_TRUE(stream->Close(Tier::kLocalDisk, kPatience).ok());
}

TEST_F(StreamTest, AnErrorThatStaysFailsTheStreamAtOnceAndForGood) {
  server_->refusal = arrow::Status::Invalid("no such column");
  const auto stream = Open();
  const WriteHandle write = stream->Write(Batch()).ValueOrDie();
  const arrow::Status refused = write.Wait(Tier::kLocalDisk, kPatience).status();
  EXPECT_EQ(CodeOf(refused), Code::kInvalidArgument) << refused;
  EXPECT_THAT(refused.message(), ::testing::HasSubstr("no such column"));
  EXPECT_EQ(server_->connections, 1);
  EXPECT_TRUE(stream->Write(Batch()).status().Equals(refused));
  EXPECT_EQ(stream->pending().size(), 1);
}

TEST_F(StreamTest, AnErrorThatMayPassIsTriedAgainUntilTheDeadline) {
  server_->refusal = arrow::flight::MakeFlightError(arrow::flight::FlightStatusCode::Unavailable,
                                                    "come back later");
  StreamOptions options;
  options.deadline = milliseconds(400);
  const auto stream = Open(options);
  const WriteHandle write = stream->Write(Batch()).ValueOrDie();
  const arrow::Status late = write.Wait(Tier::kLocalDisk, kPatience).status();
  EXPECT_EQ(CodeOf(late), Code::kDeadlineExceeded) << late;
  EXPECT_THAT(late.message(), ::testing::HasSubstr("come back later"));
  EXPECT_GT(server_->connections, 1);
}

TEST_F(StreamTest, ALossOfLongAgoDoesNotCountAgainstWhatIsWrittenSince) {
  StreamOptions options;
  options.deadline = seconds(1);
  options.on_ack = [](const Ack&) {};  // listens until all is committed, so the stream is not idle
  server_->acks_until = Tier::kLocalDisk;
  server_->cut_behind_acks = true;
  server_->cut_after_batches = 1;
  server_->cuts = 1;
  const auto stream = Open(options);
  ASSERT_TRUE(stream->WriteDurable(Batch(), Tier::kLocalDisk, kPatience).ok());
  const auto reconnected = steady_clock::now() + kPatience;
  while (server_->connections < 2 && steady_clock::now() < reconnected) std::this_thread::yield();
  // It is well from here on, for longer than the deadline; and then it is cut in mid write.
  EXPECT_EQ(CodeOf(stream->WaitForDurability(Tier::kCommitted, milliseconds(1100))),
            Code::kDeadlineExceeded);
  server_->cut_behind_acks = false;
  server_->cuts = 1;
  const auto lsn = stream->WriteDurable(Batch(), Tier::kLocalDisk, kPatience);
  EXPECT_TRUE(lsn.ok()) << lsn.status();
  EXPECT_EQ(server_->connections, 3);
}

TEST_F(StreamTest, AnAnswerThatTheWayToTheServerBreaksIsAskedForAgain) {
  server_->cut_after_batches = 2;
  server_->cuts = 1;
  server_->broken_answers = 2;
  const auto stream = Open();
  for (int i = 0; i < 3; ++i) ASSERT_TRUE(stream->Write(Batch()).ok());
  const arrow::Status closed = stream->Close(Tier::kLocalDisk, kPatience);
  EXPECT_TRUE(closed.ok()) << closed;
  EXPECT_EQ(server_->writes().size(), 3);
}

TEST_F(StreamTest, ADeadlineMayBeForEver) {
  ClientOptions options;
  options.deadline = milliseconds::max();
  const auto client = Connect(options);
  EXPECT_TRUE(client->GetStatus().ok());
  server_->refusal = arrow::flight::MakeFlightError(arrow::flight::FlightStatusCode::Unavailable,
                                                    "come back later");
  const auto stream = client->Open("sales.orders").ValueOrDie();
  ASSERT_TRUE(stream->Write(Batch()).ok());
  EXPECT_EQ(CodeOf(stream->WaitForDurability(Tier::kLocalDisk, milliseconds(300))),
            Code::kDeadlineExceeded);
  EXPECT_TRUE(stream->Write(Batch()).ok());  // it goes on
  EXPECT_LT(server_->connections, 8);        // with delays that grow
}

TEST_F(StreamTest, TheNamespaceOfATableThatIsNamedAloneIsTheServersMatter) {
  const auto stream = Connect()->Open("orders").ValueOrDie();
  ASSERT_TRUE(stream->WriteDurable(Batch(), Tier::kLocalDisk, kPatience).ok());
  EXPECT_THAT(server_->path(), ::testing::ElementsAre("streaming_write", "orders"));
  EXPECT_EQ(stream->table(), "orders");
}

TEST_F(StreamTest, OpenWithASchemaFailsWhereNobodyIsAtHome) {
  const std::string url = server_->url();
  server_.reset();
  ClientOptions options;
  options.deadline = milliseconds(400);
  const auto client = Client::Connect(url, options).ValueOrDie();
  StreamOptions stream_options;
  stream_options.schema = Numbers();
  const auto began = steady_clock::now();
  const arrow::Status failed = client->Open("sales.orders", stream_options).status();
  EXPECT_EQ(CodeOf(failed), Code::kDeadlineExceeded) << failed;
  EXPECT_LT(steady_clock::now() - began, seconds(10));
  server_ = FakeServer::Start();
}

TEST_F(StreamTest, AProducerThatWasGivenANameIsClaimedAndGoesOnUnderItsEpoch) {
  server_->last_seq = 7;
  StreamOptions options;
  options.producer = "till 4";
  const auto stream = Open(options);
  EXPECT_EQ(stream->next_seq(), 8);
  EXPECT_THAT(server_->actions(), ::testing::ElementsAre("claim_producer", "flush", "last_seq"));
  ASSERT_TRUE(stream->Write(Batch()).ok());
  ASSERT_TRUE(stream->Close(Tier::kLocalDisk, kPatience).ok());
  EXPECT_EQ(server_->writes()[0].seq, 8);
  EXPECT_EQ(server_->header("arka-producer"), "till 4");
  EXPECT_EQ(server_->header("arka-producer-epoch"), "4294967297");
}

TEST_F(StreamTest, AProducerOfARandomNameIsNotClaimed) {
  const auto stream = Open();
  ASSERT_TRUE(stream->Write(Batch()).ok());
  ASSERT_TRUE(stream->Close(Tier::kLocalDisk, kPatience).ok());
  EXPECT_EQ(server_->header("arka-producer"), stream->producer());
  EXPECT_EQ(server_->header("arka-producer-epoch"), "");
  EXPECT_THAT(server_->actions(), Not(Contains("claim_producer")));
}

TEST_F(StreamTest, DialsOnceForWhatIsWrittenAfterALoss) {
  server_->cut_after_batches = 2;
  const auto stream = Open();
  ASSERT_TRUE(stream->WriteDurable(Batch(), Tier::kLocalDisk, kPatience).ok());
  EXPECT_EQ(server_->connections, 1);
  ASSERT_TRUE(
      stream->WriteDurable(Batch(), Tier::kLocalDisk, kPatience).ok());  // it is cut by this
  EXPECT_EQ(server_->connections, 2);
}

TEST_F(StreamTest, NamesThatAreNoneAreRefusedWithoutAskingTheServer) {
  const auto client = Connect();
  EXPECT_EQ(CodeOf(client->Open("sales/orders").status()), Code::kInvalidArgument);
  StreamOptions options;
  options.producer = std::string(129, 'x');
  EXPECT_EQ(CodeOf(client->Open("sales.orders", options).status()), Code::kInvalidArgument);
  EXPECT_EQ(CodeOf(Client::Connect("http://localhost").status()), Code::kInvalidArgument);
  EXPECT_EQ(server_->actions().size(), 0);
}

TEST_F(StreamTest, ATrackerWaitsForManyWritesByTheirLsns) {
  AckTracker tracker;
  StreamOptions options;
  options.on_ack = [&](const Ack& ack) { tracker.OnAck(ack); };
  const auto stream = Open(options);
  std::vector<Lsn> lsns;
  for (int i = 0; i < 5; ++i) {
    lsns.push_back(stream->WriteDurable(Batch(), Tier::kMemory, kPatience).ValueOrDie());
  }
  ASSERT_TRUE(tracker.WaitAll(lsns, Tier::kCommitted, kPatience).ok());
  EXPECT_EQ(tracker.LevelOf(lsns[0]), Tier::kCommitted);
  EXPECT_FALSE(tracker.LevelOf(Lsn{5000}));
  EXPECT_EQ(CodeOf(tracker.WaitAll({Lsn{5000}}, Tier::kMemory, milliseconds(10))),
            Code::kDeadlineExceeded);
}

TEST(AckTrackerTest, AnLsnThatACrashTookStandsForAWriteThatLostItsOwn) {
  AckTracker tracker;
  const auto tell = [&](int64_t lsn, Tier level, int64_t seq) {
    tracker.OnAck({Lsn{lsn}, level, seq});
  };
  for (int64_t seq = 1; seq <= 3; ++seq) tell(999 + seq, Tier::kMemory, seq);
  tell(1000, Tier::kLocalDisk, 1);
  // A crash took 1001 and 1002.
  tell(1005, Tier::kMemory, 2);
  tell(1005, Tier::kLocalDisk, 2);
  EXPECT_EQ(tracker.LevelOf(Lsn{1000}), Tier::kLocalDisk);
  EXPECT_EQ(tracker.LevelOf(Lsn{1005}), Tier::kLocalDisk);
  EXPECT_FALSE(tracker.LevelOf(Lsn{1002}));
  EXPECT_FALSE(tracker.WaitAll({Lsn{1002}, Lsn{1005}}, Tier::kLocalDisk, milliseconds(1)).ok());
  tell(1006, Tier::kMemory, 3);
  EXPECT_EQ(tracker.LevelOf(Lsn{1002}), Tier::kMemory);
  tell(1006, Tier::kLocalDisk, 3);
  EXPECT_TRUE(tracker.WaitAll({Lsn{1001}, Lsn{1002}}, Tier::kLocalDisk, milliseconds(1)).ok());
}

TEST_F(StreamTest, ACacheForgetsWhatIsSafe) {
  LocalCache<std::string> cache(Tier::kObjectStorage);
  const auto stream = Open();
  cache.Put(stream->Write(Batch()).ValueOrDie(), "first");
  ASSERT_TRUE(stream->WaitForDurability(Tier::kCommitted, kPatience).ok());
  server_->silent = true;
  cache.Put(stream->Write(Batch()).ValueOrDie(), "second");
  EXPECT_THAT(cache.Clean(Watermarks{}), ::testing::ElementsAre("first"));
  // A watermark is not believed of a write that is not on disk: its LSN may still change.
  EXPECT_THAT(cache.Clean({Lsn{9000}, Lsn{9000}, Lsn{9000}, Lsn{9000}}), ::testing::IsEmpty());
  EXPECT_EQ(cache.size(), 1);
}

}  // namespace
}  // namespace arka::client
