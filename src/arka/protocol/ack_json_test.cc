#include "arka/protocol/ack_json.h"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

namespace arka::protocol {
namespace {

TEST(AckJson, TimesAreIsoInUtcWithMicroseconds) {
  EXPECT_EQ(IsoTime(0), "1970-01-01T00:00:00.000000Z");
  EXPECT_EQ(IsoTime(1767323045'000006), "2026-01-02T03:04:05.000006Z");
  EXPECT_EQ(IsoTime(-1), "1969-12-31T23:59:59.999999Z");
}

TEST(AckJson, EveryLsnIsAnObjectWithTheNamesOfTheAckColumns) {
  const auto events = nlohmann::json::parse(
      EventsJson({{Lsn{1000}, Lsn{1001}, Tier::kMemory, 1767323045'000006, 0},
                  {Lsn{1000}, Lsn{1000}, Tier::kCommitted, 1767323045'000007, 77}}));
  ASSERT_EQ(events.size(), 3u);
  EXPECT_EQ(events[1], (nlohmann::json{{"lsn", 1001},
                                       {"durability_level", "MEMORY"},
                                       {"is_durability_update", false},
                                       {"timestamp", "2026-01-02T03:04:05.000006Z"},
                                       {"snapshot_id", nullptr}}));
  EXPECT_EQ(events[2]["snapshot_id"], 77);
  EXPECT_EQ(events[2]["is_durability_update"], true);
  EXPECT_EQ(EventsJson({}), "[]");
}

}  // namespace
}  // namespace arka::protocol
