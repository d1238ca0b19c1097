#include "arka/acks/session_registry.h"

#include <chrono>
#include <memory>

#include <gtest/gtest.h>

#include "arka/testing/matchers.h"
#include "arka/testing/simulated_clock.h"

namespace arka::acks {
namespace {

using std::chrono::seconds;

class SessionRegistryTest : public ::testing::Test {
 protected:
  SimulatedClock clock;
  SessionLimits limits{
      .retention = seconds(300), .runs_per_stream = 16, .runs = 64, .ended_streams = 8};
  ingest::Table table{ingest::TableId{1}, {"a", "t"}, "uuid", "t/data/", nullptr, kNoLsn};
  SessionRegistry registry{clock, limits};

  bool Knows(const std::string& name) { return registry.WritesOf("p", name).ok(); }
};

TEST_F(SessionRegistryTest, StreamsOfOneNameAreOneSession) {
  const auto first = registry.Join("p", "s");
  const auto second = registry.Join("p", "s");
  first->Add(table, {{Lsn{1000}, Lsn{1001}}});
  second->Add(table, {{Lsn{1002}, Lsn{1002}}});
  first->Add(table, {{Lsn{1003}, Lsn{1003}}});
  first->Add(table, {{Lsn{1004}, Lsn{1004}}});
  const auto writes = registry.WritesOf("p", "s").ValueOrDie();
  ASSERT_EQ(writes.size(), 2u);
  EXPECT_EQ(writes[0].runs, (std::vector<LsnRun>{{Lsn{1000}, Lsn{1001}}, {Lsn{1003}, Lsn{1004}}}));
  EXPECT_EQ(writes[1].runs, (std::vector<LsnRun>{{Lsn{1002}, Lsn{1002}}}));
  EXPECT_FALSE(writes[0].ended_at.has_value());
}

TEST_F(SessionRegistryTest, ASessionIsKeptForItsRetentionAndUntilAllIsCommitted) {
  registry.Join("p", "s")->Add(table, {{Lsn{1000}, Lsn{1000}}});
  registry.Join("p", "silent");
  clock.Advance(seconds(299));
  registry.Sweep();
  EXPECT_TRUE(Knows("s"));
  EXPECT_FALSE(Knows("silent")) << "it wrote nothing";
  clock.Advance(seconds(2));
  registry.Sweep();
  EXPECT_TRUE(Knows("s")) << "its write is not committed";
  table.AddCommit({Lsn{1000}, 7, 0});
  registry.Sweep();
  EXPECT_FALSE(Knows("s"));
}

TEST_F(SessionRegistryTest, ALiveStreamKeepsItsSession) {
  const auto stream = registry.Join("p", "s");
  clock.Advance(seconds(1'000'000));
  registry.Sweep();
  EXPECT_TRUE(Knows("s"));
}

TEST_F(SessionRegistryTest, AnUnknownSessionIsExplained) {
  const auto writes = registry.WritesOf("p", "gone");
  ASSERT_FALSE(writes.ok());
  EXPECT_EQ(CodeOf(writes.status()), ErrorCode::kNotFound);
  for (const char* part : {"gone", "acks.retention", "last_seq", "lsns"}) {
    EXPECT_NE(writes.status().message().find(part), std::string::npos) << part;
  }
}

TEST_F(SessionRegistryTest, AStreamsRunsAreBoundedAndWhatIsForgottenIsSaid) {
  const auto stream = registry.Join("p", "s");
  for (int64_t i = 0; i < 100; ++i) stream->Add(table, {{Lsn{1000 + 2 * i}, Lsn{1000 + 2 * i}}});
  const auto writes = registry.WritesOf("p", "s").ValueOrDie();
  EXPECT_LE(writes[0].runs.size(), limits.runs_per_stream);
  EXPECT_GT(writes[0].runs.size(), limits.runs_per_stream / 2);
  EXPECT_EQ(writes[0].forgotten_through.value, writes[0].runs.front().first.value - 2);
  EXPECT_EQ(writes[0].runs.back().last, Lsn{1198});
}

TEST_F(SessionRegistryTest, AllRunsTogetherAreBounded) {
  std::vector<std::unique_ptr<SessionRegistry::Membership>> streams;
  for (int s = 0; s < 20; ++s) {
    streams.push_back(registry.Join("p", "s" + std::to_string(s)));
    for (int64_t i = 0; i < 10; ++i) {
      const Lsn lsn{1000 + 2 * (20 * i + s)};
      streams.back()->Add(table, {{lsn, lsn}});
    }
  }
  size_t runs = 0;
  for (int s = 0; s < 20; ++s) {
    runs += registry.WritesOf("p", "s" + std::to_string(s)).ValueOrDie()[0].runs.size();
  }
  EXPECT_LE(runs, limits.runs + streams.size());
}

TEST_F(SessionRegistryTest, TheStreamsThatEndedFirstAreForgottenFirst) {
  for (int s = 0; s < 20; ++s) {
    registry.Join("p", "s" + std::to_string(s))->Add(table, {{Lsn{1000 + s}, Lsn{1000 + s}}});
    clock.Advance(seconds(1));
  }
  for (int s = 0; s < 20; ++s) {
    EXPECT_EQ(Knows("s" + std::to_string(s)), s >= 12) << s;
  }
}

TEST_F(SessionRegistryTest, ANameIsAnotherSessionForEveryPrincipal) {
  registry.Join("alice", "s")->Add(table, {{Lsn{1000}, Lsn{1000}}});
  registry.Join("bob", "t")->Add(table, {{Lsn{1001}, Lsn{1001}}});
  EXPECT_THAT(registry.WritesOf("alice", "s"), IsOk());
  EXPECT_EQ(CodeOf(registry.WritesOf("bob", "s").status()), ErrorCode::kNotFound);
  ASSERT_EQ(registry.List("alice", "", 10).size(), 1u);
  EXPECT_EQ(registry.List("alice", "", 10)[0].name, "s");
  EXPECT_TRUE(registry.List("carol", "", 10).empty());
}

}  // namespace
}  // namespace arka::acks
