#include "arka/ingest/admission_turns.h"

#include <string>

#include <gtest/gtest.h>

namespace arka::ingest {
namespace {

TEST(AdmissionTurns, WhoeverCameFirstIsToldFirstAndTheNextOnceItHasLeft) {
  AdmissionTurns turns;
  std::string told;
  const auto a = turns.Join([&] { told += 'a'; });
  const auto b = turns.Join([&] { told += 'b'; });
  const auto c = turns.Join([&] { told += 'c'; });
  EXPECT_EQ(told, "a") << "the first may try at once";
  turns.OnRoom();
  EXPECT_EQ(told, "aa");
  turns.Leave(a, /*refused=*/false);
  EXPECT_EQ(told, "aab");
  turns.Leave(b, /*refused=*/false);
  EXPECT_EQ(told, "aabc");
  turns.Leave(c, /*refused=*/false);
  turns.OnRoom();
  EXPECT_EQ(told, "aabc");
  EXPECT_FALSE(turns.any_waiting());
}

TEST(AdmissionTurns, OneThatGivesUpInTheMiddleLeavesTheOthersTheirTurns) {
  AdmissionTurns turns;
  std::string told;
  const auto a = turns.Join([&] { told += 'a'; });
  const auto b = turns.Join([&] { told += 'b'; });
  turns.Join([&] { told += 'c'; });
  turns.Leave(b, /*refused=*/true);
  turns.Leave(b, /*refused=*/true);  // twice is once
  EXPECT_EQ(told, "a");
  turns.Leave(a, /*refused=*/false);
  EXPECT_EQ(told, "ac");
  EXPECT_EQ(turns.waiting(), 1);
  EXPECT_EQ(turns.total_waited(), 3);
  EXPECT_EQ(turns.total_refused(), 1);
}

}  // namespace
}  // namespace arka::ingest
