#include "arka/ingest/backlog.h"

#include <random>
#include <set>

#include <gtest/gtest.h>

namespace arka::ingest {
namespace {

TEST(Backlog, HoldsWhatCameSinceItWasOpenedAndWasNotRead) {
  Backlog backlog;
  EXPECT_FALSE(backlog.active());
  EXPECT_FALSE(backlog.Holds(Lsn{1001}));
  backlog.Open(Lsn{1001});
  EXPECT_TRUE(backlog.open());
  backlog.OnWrite(Lsn{1002}, 10);
  backlog.OnWrite(Lsn{1003}, 10);
  EXPECT_FALSE(backlog.Holds(Lsn{1001}));
  EXPECT_TRUE(backlog.Holds(Lsn{1002}));
  backlog.OnRead(Lsn{1002}, 10);
  EXPECT_FALSE(backlog.Holds(Lsn{1002}));
  EXPECT_TRUE(backlog.Holds(Lsn{1003}));
  EXPECT_EQ(backlog.bytes(), 10);
}

TEST(Backlog, StaysOpenWhenAllIsReadUntilItIsClosed) {
  Backlog backlog;
  backlog.Open(Lsn{1001});
  backlog.OnWrite(Lsn{1002}, 10);
  backlog.OnRead(Lsn{1002}, 3);
  EXPECT_EQ(backlog.bytes(), 0);
  EXPECT_TRUE(backlog.open());
  backlog.OnWrite(Lsn{1003}, 10);
  EXPECT_TRUE(backlog.Holds(Lsn{1003}));
  backlog.OnRead(Lsn{1003}, 10);
  backlog.Close();
  EXPECT_FALSE(backlog.active());
}

TEST(Backlog, OneThatIsClosedEndsWhenItsLastWriteIsRead) {
  Backlog backlog;
  backlog.Open(Lsn{1001});
  backlog.OnWrite(Lsn{1002}, 10);
  backlog.OnWrite(Lsn{1003}, 10);
  backlog.Close();
  EXPECT_TRUE(backlog.active());
  EXPECT_FALSE(backlog.open());
  EXPECT_FALSE(backlog.Holds(Lsn{1004}));  // kept in memory, and waits
  backlog.OnRead(Lsn{1002}, 10);
  EXPECT_TRUE(backlog.active());
  backlog.OnRead(Lsn{1003}, 10);
  EXPECT_FALSE(backlog.active());
  backlog.Open(Lsn{1004});
  EXPECT_FALSE(backlog.Holds(Lsn{1004}));
}

TEST(Backlog, AStartBeginsWithWhatTheLogHolds) {
  Backlog backlog(Lsn{1005}, Lsn{1009}, 100);
  EXPECT_TRUE(backlog.open());
  EXPECT_FALSE(backlog.Holds(Lsn{1005}));
  EXPECT_TRUE(backlog.Holds(Lsn{1006}));
  EXPECT_TRUE(backlog.Holds(Lsn{1009}));
}

// Whatever happens in whatever order, each write is in exactly one place, and memory is handed on
// in the order of LSN.
TEST(Backlog, EveryWriteIsInOnePlaceAndHandedOnInOrder) {
  for (uint64_t seed = 1; seed <= 300; ++seed) {
    SCOPED_TRACE(seed);
    std::mt19937_64 random(seed);
    Backlog backlog;
    int64_t last = 1000, handed_on = 1000;
    std::set<int64_t> memory;
    for (int step = 0; step < 300; ++step) {
      switch (random() % 6) {
        case 0:
        case 1:
          ++last;
          if (backlog.open()) {
            backlog.OnWrite(Lsn{last}, 1);
          } else {
            memory.insert(last);
          }
          ASSERT_EQ(backlog.Holds(Lsn{last}), !memory.contains(last));
          break;
        case 2:
          if (!backlog.active()) backlog.Open(Lsn{last});
          break;
        case 3:
          if (backlog.open()) backlog.Close();
          break;
        case 4:  // the committer takes what memory may be taken
          for (; memory.contains(handed_on + 1) &&
                 (!backlog.active() || handed_on < backlog.read_through().value);
               ++handed_on) {
            ASSERT_FALSE(backlog.Holds(Lsn{handed_on + 1}));
            memory.erase(handed_on + 1);
          }
          break;
        default:  // and reads a piece back, once it has what came before
          if (!backlog.active() || handed_on != backlog.read_through().value) break;
          if (backlog.all_read()) break;
          ASSERT_TRUE(backlog.Holds(Lsn{handed_on + 1}));
          backlog.OnRead(Lsn{++handed_on}, 1);
          ASSERT_FALSE(backlog.Holds(Lsn{handed_on}));
      }
      int64_t held = 0;
      for (int64_t lsn = handed_on + 1; lsn <= last; ++lsn) held += backlog.Holds(Lsn{lsn});
      ASSERT_EQ(held + static_cast<int64_t>(memory.size()), last - handed_on);
    }
  }
}

}  // namespace
}  // namespace arka::ingest
