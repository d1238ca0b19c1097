#include "arka/query/worker_pool.h"

#include <csignal>
#include <future>

#include <gtest/gtest.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <unistd.h>

#include "arka/testing/matchers.h"

namespace arka::query {
namespace {

class WorkerPoolTest : public ::testing::Test {
 protected:
  WorkerPoolOptions Options() {
    WorkerPoolOptions options;
    options.worker.program = WorkerProgramPath();
    options.max_workers = 1;
    options.patience = std::chrono::seconds(3);
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

// A process that traces another one: until the tracer is gone, nobody sees the end of the traced
// one.
class Tracer {
 public:
  explicit Tracer(pid_t traced) {
    int ends[2] = {-1, -1};
    if (pipe(ends) != 0) return;
    id_ = fork();
    if (id_ == 0) {
      const char attached = ptrace(PTRACE_SEIZE, traced, nullptr, nullptr) == 0 ? 1 : 0;
      if (write(ends[1], &attached, 1) == 1) {
        while (true) pause();
      }
      _exit(1);
    }
    char attached = 0;
    attached_ = read(ends[0], &attached, 1) == 1 && attached == 1;
    close(ends[0]);
    close(ends[1]);
  }
  ~Tracer() { End(); }

  bool attached() const { return attached_; }
  void End() {
    if (id_ <= 0) return;
    kill(id_, SIGKILL);
    waitpid(id_, nullptr, 0);
    id_ = -1;
  }

 private:
  pid_t id_ = -1;
  bool attached_ = false;
};

TEST_F(WorkerPoolTest, AWorkerIsUsedAgainWhereItIsAsGoodAsNewAndElseEnded) {
  const pid_t first = Use(true);
  EXPECT_EQ(Use(false), first);
  EXPECT_NE(Use(true), first);
  EXPECT_FALSE(IsThere(first));  // there is room for one only
}

TEST_F(WorkerPoolTest, WhoGivesAWorkerBackDoesNotWaitForItsEndAndTheNextOneStartsAfterIt) {
  auto lease = std::make_unique<WorkerPool::Lease>(pool_.Acquire().ValueOrDie());
  Tracer tracer(lease->worker().id());
  if (!tracer.attached()) GTEST_SKIP() << "this system lets nobody trace a process";
  auto given_back = std::async(std::launch::async, [&] { lease.reset(); });
  EXPECT_EQ(given_back.wait_for(std::chrono::seconds(10)), std::future_status::ready);
  EXPECT_THAT(pool_.Acquire(), FailsWith(ErrorCode::kBackpressure));
  tracer.End();
  EXPECT_GT(Use(true), 0);
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
