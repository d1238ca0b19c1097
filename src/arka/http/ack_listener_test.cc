#include "arka/http/ack_listener.h"

#include <chrono>
#include <memory>

#include <gtest/gtest.h>

#include "arka/ingest/deployment_test.h"

namespace arka::http {
namespace {

using std::chrono::milliseconds;

// One committed write of a session; the listeners' clock moves only where a test says so.
class AckListenerTest : public ::testing::Test {
 protected:
  void SetUp() override {
    engine_ = deployment_.StartEngine();
    membership_ = sessions_.Join("alice", "s");
    ASSERT_THAT(stream_.Open(*engine_, ingest::kOrders), IsOk());
    Write();
  }

  void Write() {
    const auto lsn = stream_.Write(*engine_, 0);
    ASSERT_THAT(lsn, IsOk());
    membership_->Add(*stream_.target->table, {{*lsn, *lsn}});
    ASSERT_TRUE(deployment_.PassTimeUntil([&] { return ingest::AllCommitted(*engine_); }));
  }

  AckListener Listen(const AckPosition& told = {}) {
    return {*engine_, sessions_, clock_, "alice", "s", told};
  }
  static int64_t Heard(AckListener& listener) {
    EXPECT_THAT(listener.Look(), IsOk());
    int64_t events = 0;
    for (const auto& run : listener.Take(1000)) events += run.rows();
    return events;
  }
  static AckPosition All(int64_t lsn) { return {Lsn{lsn}, Lsn{lsn}, Lsn{lsn}, Lsn{lsn}}; }

  ingest::Deployment deployment_;
  SimulatedClock clock_;
  std::unique_ptr<ingest::Engine> engine_;
  acks::SessionRegistry sessions_{deployment_.clock, {}};
  std::unique_ptr<acks::SessionRegistry::Membership> membership_;
  ingest::IdStream stream_;
};

TEST_F(AckListenerTest, APositionIsWhatWasToldASecondAgo) {
  AckListener listener = Listen();
  EXPECT_EQ(Heard(listener), 4);
  EXPECT_EQ(listener.position(), AckPosition{}) << "the last second may not have arrived";
  clock_.Advance(milliseconds(999));
  EXPECT_EQ(listener.position(), AckPosition{});
  clock_.Advance(milliseconds(1));
  EXPECT_EQ(listener.position(), All(1000));
}

TEST_F(AckListenerTest, WhoComesBackHearsTheLastSecondAgainAndNothingBeforeIt) {
  AckListener listener = Listen();
  EXPECT_EQ(Heard(listener), 4);
  listener.position();
  clock_.Advance(milliseconds(1'500));
  Write();
  EXPECT_EQ(Heard(listener), 4);
  const AckPosition position = listener.position();
  EXPECT_EQ(position, All(1000));
  AckListener again = Listen(position);
  EXPECT_EQ(Heard(again), 4) << "those of the second write, of which nobody knows that they came";
  EXPECT_EQ(Heard(again), 0);
}

}  // namespace
}  // namespace arka::http
