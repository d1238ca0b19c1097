// Rows that are gathered and written, against a server in this process.
#include "arka_client/appender.h"

#include "stream_fixture.h"

#include <future>
#include <thread>

namespace arka::client {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using std::chrono::steady_clock;

class AppenderTest : public StreamTest {
 protected:
  std::unique_ptr<Appender> OpenAppender(AppenderOptions options) {
    options.stream.schema = Numbers();
    return Connect()->OpenAppender("sales.orders", options).ValueOrDie();
  }
};

TEST_F(AppenderTest, WritesABatchWhenItIsFull) {
  AppenderOptions options;
  options.max_rows = 10;
  options.linger = std::chrono::hours(1);
  const auto appender = OpenAppender(options);
  for (int i = 0; i < 25; ++i) ASSERT_TRUE(appender->Append({i}).ok());
  ASSERT_TRUE(appender->stream().WaitForDurability(Tier::kLocalDisk, kPatience).ok());
  EXPECT_EQ(server_->writes().size(), 2);
  EXPECT_EQ(server_->rows(), 20);
  ASSERT_TRUE(appender->Flush(Tier::kLocalDisk, kPatience).ok());
  EXPECT_EQ(server_->rows(), 25);
}

TEST_F(AppenderTest, WritesABatchWhenItsFirstRowIsOldEnough) {
  AppenderOptions options;
  options.linger = milliseconds(1);
  const auto appender = OpenAppender(options);
  ASSERT_TRUE(appender->Append({1}).ok());
  const auto until = steady_clock::now() + kPatience;
  while (server_->rows() == 0 && steady_clock::now() < until) std::this_thread::yield();
  EXPECT_EQ(server_->rows(), 1);
}

TEST_F(AppenderTest, ARowThatIsRefusedIsNotInAndSparesTheOthers) {
  const auto appender = OpenAppender({});
  ASSERT_TRUE(appender->Append({1}).ok());
  EXPECT_EQ(CodeOf(appender->Append({"one"})), Code::kInvalidArgument);
  EXPECT_EQ(CodeOf(appender->AppendNamed({{"text", 1}})), Code::kInvalidArgument);
  ASSERT_TRUE(appender->AppendNamed({{"number", 2}}).ok());
  ASSERT_TRUE(appender->Close(Tier::kLocalDisk, kPatience).ok());
  EXPECT_EQ(server_->rows(), 2);
  EXPECT_EQ(CodeOf(appender->Append({3})), Code::kFailedPrecondition);
}

TEST_F(AppenderTest, AppendWaitsForRoomAndLosesNoRowOverIt) {
  server_->silent = true;
  AppenderOptions options;
  options.max_rows = 100;
  options.linger = std::chrono::hours(1);
  options.stream.budget_bytes = 4000;
  options.stream.deadline = milliseconds(50);
  const auto appender = OpenAppender(options);
  arrow::Status full;
  int taken = 0;
  for (; full.ok() && taken < 10'000; taken += full.ok()) full = appender->Append({taken});
  EXPECT_EQ(CodeOf(full), Code::kDeadlineExceeded) << full;
  // Beside what the stream keeps, one batch waits and another is gathered; the row that found no
  // room is in neither.
  EXPECT_EQ(appender->stream().pending().size() * 100 + 200, taken);
}

TEST_F(AppenderTest, FlushAndCloseAreOverInTimeWhereARowWaitsForRoom) {
  server_->silent = true;
  AppenderOptions options;
  options.max_rows = 100;
  options.stream.budget_bytes = 4000;
  options.stream.deadline = seconds(6);
  const auto appender = OpenAppender(options);
  std::promise<void> full;
  auto appending = std::async(std::launch::async, [&] {
    arrow::Status status;
    for (int i = 0; status.ok(); ++i) {
      if (i == 400) full.set_value();
      status = appender->Append({i});
    }
    return status;
  });
  full.get_future().wait();
  const auto began = steady_clock::now();
  const arrow::Status flushed = appender->Flush(Tier::kLocalDisk, milliseconds(100));
  EXPECT_EQ(CodeOf(flushed), Code::kDeadlineExceeded) << flushed;
  const arrow::Status late = appender->Close(Tier::kLocalDisk, milliseconds(100));
  EXPECT_EQ(CodeOf(late), Code::kDeadlineExceeded) << late;
  EXPECT_LT(steady_clock::now() - began, seconds(3));
  EXPECT_EQ(CodeOf(appending.get()), Code::kFailedPrecondition);
}

TEST_F(AppenderTest, CloseTakesNoLongerThanTheDeadline) {
  server_->silent = true;
  AppenderOptions options;
  options.max_rows = 100;
  options.stream.budget_bytes = 4000;
  options.stream.deadline = milliseconds(1500);
  const auto appender = OpenAppender(options);
  for (int i = 0; i < 350; ++i) ASSERT_TRUE(appender->Append({i}).ok());
  const auto began = steady_clock::now();
  const arrow::Status late = appender->Close();
  EXPECT_EQ(CodeOf(late), Code::kDeadlineExceeded) << late;
  EXPECT_LT(steady_clock::now() - began, milliseconds(2500));
}

TEST_F(AppenderTest, AnErrorOfTheStreamComesFromTheNextRow) {
  server_->refusal = arrow::Status::Invalid("no such column");
  AppenderOptions options;
  options.linger = milliseconds(1);
  options.max_rows = 1 << 30;
  options.max_bytes = 1 << 30;
  const auto appender = OpenAppender(options);
  arrow::Status refused;
  const auto until = steady_clock::now() + seconds(5);
  while (refused.ok() && steady_clock::now() < until) refused = appender->Append({1});
  EXPECT_EQ(CodeOf(refused), Code::kInvalidArgument) << refused;
}

TEST_F(AppenderTest, TheDestructorDoesNotWaitForWhatCannotBeWritten) {
  server_->silent = true;
  auto appender = OpenAppender({});
  ASSERT_TRUE(appender->Append({1}).ok());
  const auto began = steady_clock::now();
  appender.reset();
  EXPECT_LT(steady_clock::now() - began, seconds(8));
}

}  // namespace
}  // namespace arka::client
