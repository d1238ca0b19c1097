#include "arka/testing/faulty_object_store.h"

#include <gmock/gmock.h>

#include "arka/testing/matchers.h"
#include "arka/testing/memory_object_store.h"

namespace arka {
namespace {

class FaultyObjectStoreTest : public testing::Test {
 protected:
  Status Put(std::string_view key) {
    const std::vector parts = {arrow::Buffer::FromString("abc")};
    return store_.Put(key, parts);
  }

  MemoryObjectStore memory_;
  FaultPlan plan_;
  FaultyObjectStore store_{memory_, plan_};
};

TEST_F(FaultyObjectStoreTest, APutThatFailsBeforeItsEffectLeavesNothing) {
  plan_.Add({.matches = OfKind("put")});
  EXPECT_THAT(Put("a"), FailsWith(ErrorCode::kIoFailed));
  EXPECT_THAT(memory_.Get("a"), FailsWith(ErrorCode::kNotFound));
}

TEST_F(FaultyObjectStoreTest, APutThatFailsAfterItsEffectIsThere) {
  plan_.Add({.matches = OfKind("put"), .effect = Effect::kFull});
  EXPECT_THAT(Put("a"), FailsWith(ErrorCode::kIoFailed));
  EXPECT_EQ(memory_.Get("a").ValueOrDie()->ToString(), "abc");
}

TEST_F(FaultyObjectStoreTest, FailsByKey) {
  plan_.Add({.matches = OnTarget("data/"), .times = kForGood});
  EXPECT_THAT(Put("data/x"), FailsWith(ErrorCode::kIoFailed));
  EXPECT_THAT(Put("metadata"), IsOk());
}

TEST_F(FaultyObjectStoreTest, EveryKindOfOperationCanFail) {
  ASSERT_THAT(Put("a"), IsOk());
  plan_.Add({.times = kForGood, .error = Error(ErrorCode::kUnauthenticated, "expired")});
  EXPECT_THAT(store_.Get("a"), FailsWith(ErrorCode::kUnauthenticated));
  EXPECT_THAT(store_.GetRange("a", 0, 1), FailsWith(ErrorCode::kUnauthenticated));
  EXPECT_THAT(store_.Head("a"), FailsWith(ErrorCode::kUnauthenticated));
  EXPECT_THAT(store_.List(""), FailsWith(ErrorCode::kUnauthenticated));
  EXPECT_THAT(store_.Delete("a"), FailsWith(ErrorCode::kUnauthenticated));
  EXPECT_EQ(plan_.Log().size(), 6u);
}

}  // namespace
}  // namespace arka
