#include "arka/query/worker_pool.h"

#include <csignal>

#include <gtest/gtest.h>
#include <sys/wait.h>

#include "arka/testing/matchers.h"

namespace arka::query {
namespace {

class WorkerPoolTest : public ::testing::Test {
 protected:
  WorkerPoolOptions Options() {
    WorkerPoolOptions options;
    options.worker.program = WorkerProgramPath();
    options.max_workers = 1;
    options.patience = std::chrono::milliseconds(1);
    return options;
  }

  /// The process of the next worker, which answers.
  pid_t Use(bool reusable) {
    auto lease = pool_.Acquire().ValueOrDie();
    auto& channel = lease.worker().channel();
    EXPECT_THAT(channel.Send(sql::FrameKind::kParse, "SELECT 1"), IsOk());
    EXPECT_EQ(channel.Receive(std::chrono::minutes(1)).ValueOrDie().kind, sql::FrameKind::kParsed);
    lease.set_reusable(reusable);
    return lease.worker().id();
  }

  WorkerPool pool_{Options()};
};

bool IsThere(pid_t process) { return kill(process, 0) == 0; }

TEST_F(WorkerPoolTest, AWorkerIsUsedAgainWhereItIsAsGoodAsNewAndElseEnded) {
  const pid_t first = Use(true);
  EXPECT_EQ(Use(false), first);
  EXPECT_FALSE(IsThere(first));
  EXPECT_NE(Use(true), first);
}

TEST_F(WorkerPoolTest, AWorkerThatDiedWhileItWaitedIsReplaced) {
  const pid_t first = Use(true);
  ASSERT_EQ(kill(first, SIGKILL), 0);
  siginfo_t died{};
  ASSERT_EQ(waitid(P_PID, static_cast<id_t>(first), &died, WEXITED | WNOWAIT), 0);
  EXPECT_NE(Use(true), first);
}

TEST_F(WorkerPoolTest, AllWorkersEndWithThePool) {
  pid_t worker = 0;
  {
    WorkerPool pool(Options());
    auto lease = pool.Acquire().ValueOrDie();
    lease.set_reusable(true);
    worker = lease.worker().id();
    EXPECT_TRUE(IsThere(worker));
  }
  EXPECT_FALSE(IsThere(worker));
}

}  // namespace
}  // namespace arka::query
