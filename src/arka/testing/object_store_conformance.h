// What every ObjectStore does. Instantiate it with factories, in one file of a test program:
//
//   INSTANTIATE_TEST_SUITE_P(Memory, ObjectStoreConformance, testing::Values(MakeMemoryStore));
#pragma once

#include <functional>
#include <limits>
#include <memory>
#include <string>
#include <vector>

#include <gmock/gmock.h>

#include "arka/io/object_store.h"
#include "arka/testing/matchers.h"

namespace arka {

/// An ObjectStore that is empty at first.
class ObjectStoreUnderTest {
 public:
  virtual ~ObjectStoreUnderTest() = default;
  virtual ObjectStore& store() = 0;
};

/// Null where the store cannot be had here: the tests are skipped.
using ObjectStoreFactory = std::function<std::unique_ptr<ObjectStoreUnderTest>()>;

class ObjectStoreConformance : public testing::TestWithParam<ObjectStoreFactory> {
 protected:
  void SetUp() override {
    subject_ = GetParam()();
    if (subject_ == nullptr) GTEST_SKIP() << "this store is not configured";
  }
  ObjectStore& store() { return subject_->store(); }

  Status Put(std::string_view key, const std::vector<std::string>& texts) {
    std::vector<std::shared_ptr<arrow::Buffer>> parts;
    for (const std::string& text : texts) parts.push_back(arrow::Buffer::FromString(text));
    return store().Put(key, parts);
  }
  std::string Get(std::string_view key) { return store().Get(key).ValueOrDie()->ToString(); }
  std::vector<std::string> Keys(std::string_view prefix) {
    std::vector<std::string> keys;
    for (const ObjectInfo& info : store().List(prefix).ValueOrDie()) keys.push_back(info.key);
    return keys;
  }

 private:
  std::unique_ptr<ObjectStoreUnderTest> subject_;
};

TEST_P(ObjectStoreConformance, GetsBackThePartsOfAPutAsOne) {
  ASSERT_THAT(Put("dir/object", {"one,", "", "two,", "three"}), IsOk());
  EXPECT_EQ(Get("dir/object"), "one,two,three");
}

TEST_P(ObjectStoreConformance, HoldsAnEmptyObject) {
  ASSERT_THAT(Put("empty", {}), IsOk());
  EXPECT_EQ(Get("empty"), "");
  EXPECT_EQ(store().Head("empty").ValueOrDie().size_bytes, 0);
}

TEST_P(ObjectStoreConformance, HoldsAnObjectOfManyMegabytes) {
  std::string text(12 << 20, '\0');
  for (size_t i = 0; i < text.size(); ++i) text[i] = static_cast<char>(i * 2654435761u >> 13);
  ASSERT_THAT(Put("large", {text.substr(0, 5'000'001), text.substr(5'000'001)}), IsOk());
  EXPECT_EQ(store().Head("large").ValueOrDie().size_bytes, static_cast<int64_t>(text.size()));
  EXPECT_TRUE(Get("large") == text);
}

TEST_P(ObjectStoreConformance, ALaterPutReplaces) {
  ASSERT_THAT(Put("object", {"old and long"}), IsOk());
  ASSERT_THAT(Put("object", {"new"}), IsOk());
  EXPECT_EQ(Get("object"), "new");
}

TEST_P(ObjectStoreConformance, GetsARange) {
  ASSERT_THAT(Put("object", {"0123", "456789"}), IsOk());
  EXPECT_EQ(store().GetRange("object", 2, 4).ValueOrDie()->ToString(), "2345");
  EXPECT_EQ(store().GetRange("object", 0, 10).ValueOrDie()->ToString(), "0123456789");
  EXPECT_EQ(store().GetRange("object", 10, 0).ValueOrDie()->ToString(), "");
}

TEST_P(ObjectStoreConformance, RefusesARangePastTheEnd) {
  ASSERT_THAT(Put("object", {"0123456789"}), IsOk());
  constexpr int64_t kMax = std::numeric_limits<int64_t>::max();
  EXPECT_THAT(store().GetRange("object", 8, 3), FailsWith(ErrorCode::kInvalidRequest));
  EXPECT_THAT(store().GetRange("object", 11, 1), FailsWith(ErrorCode::kInvalidRequest));
  EXPECT_THAT(store().GetRange("object", -1, 2), FailsWith(ErrorCode::kInvalidRequest));
  EXPECT_THAT(store().GetRange("object", 0, -1), FailsWith(ErrorCode::kInvalidRequest));
  EXPECT_THAT(store().GetRange("object", kMax, kMax), FailsWith(ErrorCode::kInvalidRequest));
}

TEST_P(ObjectStoreConformance, AMissingObjectIsNotFound) {
  EXPECT_THAT(store().Get("missing"), FailsWith(ErrorCode::kNotFound));
  EXPECT_THAT(store().GetRange("no/such", 0, 1), FailsWith(ErrorCode::kNotFound));
  EXPECT_THAT(store().Head("missing"), FailsWith(ErrorCode::kNotFound));
}

TEST_P(ObjectStoreConformance, APrefixOfAKeyIsNoObject) {
  ASSERT_THAT(Put("a/b/c", {"x"}), IsOk());
  EXPECT_THAT(store().Get("a/b"), FailsWith(ErrorCode::kNotFound));
  EXPECT_THAT(store().Head("a"), FailsWith(ErrorCode::kNotFound));
  EXPECT_THAT(store().Delete("a/b"), IsOk());
  EXPECT_EQ(Get("a/b/c"), "x");
}

TEST_P(ObjectStoreConformance, HeadTellsKeyAndSize) {
  ASSERT_THAT(Put("a/b", {"12345"}), IsOk());
  const ObjectInfo info = store().Head("a/b").ValueOrDie();
  EXPECT_EQ(info.key, "a/b");
  EXPECT_EQ(info.size_bytes, 5);
}

TEST_P(ObjectStoreConformance, ListsByPrefixSorted) {
  for (const char* key : {"log/10", "log/2", "log/node/3", "logs/1", "z"}) {
    ASSERT_THAT(Put(key, {"x"}), IsOk());
  }
  using testing::ElementsAre;
  EXPECT_THAT(Keys(""), ElementsAre("log/10", "log/2", "log/node/3", "logs/1", "z"));
  EXPECT_THAT(Keys("log"), ElementsAre("log/10", "log/2", "log/node/3", "logs/1"));
  EXPECT_THAT(Keys("log/"), ElementsAre("log/10", "log/2", "log/node/3"));
  EXPECT_THAT(Keys("log/1"), ElementsAre("log/10"));
  EXPECT_THAT(Keys("log/no"), ElementsAre("log/node/3"));
  EXPECT_THAT(Keys("log/node/3"), ElementsAre("log/node/3"));
  EXPECT_THAT(Keys("nothing/here"), ElementsAre());
}

TEST_P(ObjectStoreConformance, ListTellsSizes) {
  ASSERT_THAT(Put("a", {"123"}), IsOk());
  const auto objects = store().List("a").ValueOrDie();
  ASSERT_EQ(objects.size(), 1u);
  EXPECT_EQ(objects[0].size_bytes, 3);
}

TEST_P(ObjectStoreConformance, ADeletedObjectIsGone) {
  ASSERT_THAT(Put("d/a", {"x"}), IsOk());
  ASSERT_THAT(Put("d/b", {"y"}), IsOk());
  ASSERT_THAT(store().Delete("d/a"), IsOk());
  EXPECT_THAT(store().Get("d/a"), FailsWith(ErrorCode::kNotFound));
  EXPECT_THAT(Keys(""), testing::ElementsAre("d/b"));
  EXPECT_THAT(store().Delete("d/a"), IsOk());
}

TEST_P(ObjectStoreConformance, TheLastObjectOfADirectoryLeavesNothingBehind) {
  ASSERT_THAT(Put("d/e/a", {"x"}), IsOk());
  ASSERT_THAT(store().Delete("d/e/a"), IsOk());
  EXPECT_THAT(Keys(""), testing::ElementsAre());
  EXPECT_THAT(store().Head("d/e"), FailsWith(ErrorCode::kNotFound));
}

TEST_P(ObjectStoreConformance, RefusesKeysThatLeaveTheRootOrBreakTools) {
  const std::vector<std::string> bad = {
      "",       "/a",    "a/",   "a//b",      ".",    "..",    "../a",
      "a/../b", "a/./b", "a/..", {"a\0b", 3}, "a\nb", "a\x7f", "a/" + std::string(256, 'x')};
  for (const std::string& key : bad) {
    SCOPED_TRACE(key);
    EXPECT_THAT(Put(key, {"x"}), FailsWith(ErrorCode::kInvalidRequest));
    EXPECT_THAT(store().Get(key), FailsWith(ErrorCode::kInvalidRequest));
    EXPECT_THAT(store().GetRange(key, 0, 1), FailsWith(ErrorCode::kInvalidRequest));
    EXPECT_THAT(store().Head(key), FailsWith(ErrorCode::kInvalidRequest));
    EXPECT_THAT(store().Delete(key), FailsWith(ErrorCode::kInvalidRequest));
  }
  EXPECT_THAT(store().List("../"), FailsWith(ErrorCode::kInvalidRequest));
  EXPECT_THAT(Keys(""), testing::ElementsAre());
}

TEST_P(ObjectStoreConformance, TakesKeysWithUnusualCharacters) {
  for (const char* key : {"a b", "a+b=c&d", "100%25", "caf\xc3\xa9/x", ".hidden", "a..b"}) {
    SCOPED_TRACE(key);
    ASSERT_THAT(Put(key, {key}), IsOk());
    EXPECT_EQ(Get(key), key);
    EXPECT_THAT(Keys(key), testing::ElementsAre(key));
  }
}

TEST_P(ObjectStoreConformance, UriAndKeyAreInverse) {
  const std::string uri = store().Uri("arka/t/data/x.parquet");
  EXPECT_THAT(uri, testing::EndsWith("/arka/t/data/x.parquet"));
  EXPECT_THAT(uri, testing::HasSubstr("://"));
  EXPECT_EQ(store().KeyOf(uri).ValueOrDie(), "arka/t/data/x.parquet");
}

TEST_P(ObjectStoreConformance, AUriElsewhereHasNoKey) {
  for (const std::string& uri :
       {std::string("s3://someone-elses/x"), std::string("file:///etc/passwd"), std::string(""),
        std::string("x"), store().Uri("a") + "/../../../b", store().Uri("")}) {
    SCOPED_TRACE(uri);
    EXPECT_THAT(store().KeyOf(uri), FailsWith(ErrorCode::kInvalidRequest));
  }
}

}  // namespace arka
