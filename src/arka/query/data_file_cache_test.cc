#include "arka/query/data_file_cache.h"

#include <algorithm>
#include <atomic>
#include <future>
#include <limits>
#include <numeric>
#include <random>
#include <string_view>
#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "arka/testing/fault_plan.h"
#include "arka/testing/faulty_fs.h"
#include "arka/testing/faulty_object_store.h"
#include "arka/testing/matchers.h"
#include "arka/testing/memory_fs.h"
#include "arka/testing/memory_object_store.h"

namespace arka::query {
namespace {

using std::chrono::steady_clock;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

constexpr int64_t kFileBytes = 1000;
constexpr int64_t kRangeBytes = 300;
constexpr int64_t kRangesOfFile = 4;

// A store with the files "a" to "e".
class DataFileCacheTest : public ::testing::Test {
 protected:
  void SetUp() override {
    for (const char* name : {"a", "b", "c", "d", "e"}) {
      ASSERT_THAT(store_memory_.Put(name, {{arrow::Buffer::FromString(BytesOfFile(name))}}),
                  IsOk());
    }
    options_.directory = "/cache";
    options_.max_bytes = 10 * kFileBytes;
    options_.threads = 1;
    options_.range_bytes = kRangeBytes;
  }

  static std::string BytesOfFile(const std::string& name) {
    std::string bytes(kFileBytes, '\0');
    std::iota(bytes.begin(), bytes.end(), name[0]);
    return bytes;
  }

  DataFileCache& cache() {
    if (cache_ == nullptr) {
      auto opened = DataFileCache::Open(fs_, store_, options_);
      EXPECT_THAT(opened, IsOk());
      cache_ = std::move(*opened);
    }
    return *cache_;
  }

  std::vector<iceberg::DataFile> Files(const std::vector<std::string>& names) {
    std::vector<iceberg::DataFile> files;
    for (const auto& name : names) {
      files.push_back({.file_path = store_.Uri(name), .file_size_in_bytes = kFileBytes});
    }
    return files;
  }

  /// Fetches them for a statement that ends at once.
  Status Read(const std::vector<std::string>& names) {
    DataFileCache::Lease lease(cache());
    return Fetch(lease, names);
  }

  /// Whether the copies are those of the files is looked at too.
  Status Fetch(DataFileCache::Lease& lease, const std::vector<std::string>& names) {
    const auto deadline = steady_clock::now() + std::chrono::seconds(30);
    ARROW_ASSIGN_OR_RAISE(const auto paths, lease.Fetch(Files(names), deadline));
    EXPECT_EQ(paths.size(), names.size());
    for (size_t i = 0; i < names.size(); ++i) {
      ARROW_ASSIGN_OR_RAISE(const auto bytes, disk_.Contents(paths[i]));
      EXPECT_EQ(TextOf(bytes), BytesOfFile(names[i]));
    }
    return Status::OK();
  }

  int64_t RangesRead(const std::string& name) const {
    const auto log = store_faults_.Log();
    return std::count_if(log.begin(), log.end(), [&](const auto& entry) {
      return entry.operation.kind == "get_range" && entry.operation.target == name;
    });
  }

  std::vector<std::string> FilesOnDisk() const {
    auto paths = disk_.Paths();
    std::erase(paths, "/cache/lock");
    return paths;
  }

  MemoryFs disk_;
  FaultPlan disk_faults_, store_faults_;
  FaultyFs fs_{disk_, disk_faults_};
  MemoryObjectStore store_memory_;
  FaultyObjectStore store_{store_memory_, store_faults_};
  DataFileCacheOptions options_;
  std::unique_ptr<DataFileCache> cache_;  // last: its threads use the rest
};

TEST_F(DataFileCacheTest, AFileIsCopiedWholeAndOnce) {
  options_.threads = 3;
  for (int i = 0; i < 3; ++i) EXPECT_THAT(Read({"c", "a", "b", "a"}), IsOk());
  for (const char* name : {"a", "b", "c"}) EXPECT_EQ(RangesRead(name), kRangesOfFile);
  EXPECT_EQ(cache().size_bytes(), 3 * kFileBytes);
  EXPECT_EQ(FilesOnDisk().size(), 3u);
}

TEST_F(DataFileCacheTest, TwoStatementsThatWantAFileAtOnceCopyItOnce) {
  Status second = Error(ErrorCode::kInternal, "did not run");
  std::thread other;
  store_faults_.Observe([&](FaultPlan::Moment moment, const Operation& operation) {
    if (moment == FaultPlan::Moment::kAfter || operation.kind != "get_range") return;
    if (other.joinable()) return;
    // It holds the same copy before that is whole, and would copy nothing by itself.
    DataFileCache::Lease lease(cache());
    EXPECT_THAT(lease.Fetch(Files({"a"}), steady_clock::now()), FailsWith(ErrorCode::kTimedOut));
    other = std::thread([&] { second = Read({"a"}); });
  });
  EXPECT_THAT(Read({"a"}), IsOk());
  other.join();
  EXPECT_THAT(second, IsOk());
  EXPECT_EQ(RangesRead("a"), kRangesOfFile);
}

TEST_F(DataFileCacheTest, ACopyHasItsNameOnlyOnceItIsWhole) {
  int looked = 0;
  store_faults_.Observe([&](FaultPlan::Moment, const Operation& operation) {
    if (operation.kind != "get_range") return;
    for (const auto& path : FilesOnDisk()) EXPECT_TRUE(path.ends_with(kPartSuffix)) << path;
    ++looked;
  });
  EXPECT_THAT(Read({"a"}), IsOk());
  EXPECT_EQ(looked, 2 * kRangesOfFile);
  ASSERT_EQ(FilesOnDisk().size(), 1u);
  EXPECT_FALSE(FilesOnDisk()[0].ends_with(kPartSuffix));
}

TEST_F(DataFileCacheTest, WhateverFailsLeavesNothingAndTheNextStatementIsAnswered) {
  cache();
  for (const auto effect : {Effect::kNone, Effect::kPartial, Effect::kFull}) {
    for (FaultPlan* plan : {&store_faults_, &disk_faults_}) {
      int failed = 0;
      for (int64_t nth = 1;; ++nth) {
        plan->Add({.matches = [](const Operation& o) { return o.kind != "remove"; },
                   .nth = nth,
                   .effect = effect});
        const Status read = Read({"a"});
        plan->Clear();
        if (read.ok()) break;
        ++failed;
        EXPECT_EQ(CodeOf(read), ErrorCode::kIoFailed) << read.ToString();
        EXPECT_EQ(cache().size_bytes(), 0);
        EXPECT_THAT(FilesOnDisk(), IsEmpty()) << read.ToString();
      }
      EXPECT_GT(failed, kRangesOfFile);
      EXPECT_THAT(Read({"a"}), IsOk());
      cache_.reset();  // the next one begins without copies
      cache();
    }
  }
}

TEST_F(DataFileCacheTest, AStoreThatAnswersFewerBytesIsNotBelieved) {
  class ShortReads final : public ObjectStore {
   public:
    explicit ShortReads(ObjectStore& base) : base_(base) {}
    Status Put(std::string_view key,
               std::span<const std::shared_ptr<arrow::Buffer>> parts) override {
      return base_.Put(key, parts);
    }
    Result<std::shared_ptr<arrow::Buffer>> GetRange(std::string_view key, int64_t offset,
                                                    int64_t length) override {
      return base_.GetRange(key, offset, offset == 0 ? length : length / 2);
    }
    Result<std::shared_ptr<arrow::Buffer>> Get(std::string_view key) override {
      return base_.Get(key);
    }
    Result<ObjectInfo> Head(std::string_view key) override { return base_.Head(key); }
    Result<std::vector<ObjectInfo>> List(std::string_view prefix) override {
      return base_.List(prefix);
    }
    Status Delete(std::string_view key) override { return base_.Delete(key); }
    std::string Uri(std::string_view key) const override { return base_.Uri(key); }
    Result<std::string> KeyOf(std::string_view uri) const override { return base_.KeyOf(uri); }

   private:
    ObjectStore& base_;
  } short_reads(store_);
  auto opened = DataFileCache::Open(fs_, short_reads, options_);
  ASSERT_THAT(opened, IsOk());
  DataFileCache::Lease lease(**opened);
  const Status read = Fetch(lease, {"a"});
  EXPECT_EQ(CodeOf(read), ErrorCode::kIoFailed);
  EXPECT_THAT(read.message(), AllOf(HasSubstr(store_.Uri("a")), HasSubstr("150 of 300 bytes")));
  EXPECT_THAT(FilesOnDisk(), IsEmpty());
}

TEST_F(DataFileCacheTest, AFileOfAnotherSizeThanItsManifestSaysIsRefused) {
  for (const int64_t size : {kFileBytes - 1, kFileBytes + 1, int64_t{0}, int64_t{-1}}) {
    auto files = Files({"a"});
    files[0].file_size_in_bytes = size;
    DataFileCache::Lease lease(cache());
    const auto paths = lease.Fetch(files, steady_clock::now() + std::chrono::seconds(30));
    EXPECT_THAT(paths, FailsWith(ErrorCode::kCorruption)) << size;
    EXPECT_THAT(paths.status().message(), HasSubstr("manifest says"));
  }
  EXPECT_EQ(RangesRead("a"), 0);
  EXPECT_THAT(FilesOnDisk(), IsEmpty());
  EXPECT_EQ(cache().size_bytes(), 0);
}

TEST_F(DataFileCacheTest, AFileOutsideTheWarehouseIsRefused) {
  DataFileCache::Lease lease(cache());
  EXPECT_THAT(lease.Fetch({{.file_path = "s3://other/x.parquet", .file_size_in_bytes = 1}},
                          steady_clock::now() + std::chrono::seconds(30)),
              FailsWith(ErrorCode::kInvalidRequest));
}

TEST_F(DataFileCacheTest, WhereRoomIsNeededTheLeastRecentlyUsedGoes) {
  options_.max_bytes = 3 * kFileBytes;
  for (const char* name : {"a", "b", "c", "a", "d"}) EXPECT_THAT(Read({name}), IsOk());
  EXPECT_EQ(cache().size_bytes(), 3 * kFileBytes);
  EXPECT_EQ(FilesOnDisk().size(), 3u);
  EXPECT_THAT(Read({"c", "a", "d"}), IsOk());
  for (const char* name : {"a", "c", "d"}) EXPECT_EQ(RangesRead(name), kRangesOfFile);
  EXPECT_THAT(Read({"b"}), IsOk());
  EXPECT_EQ(RangesRead("b"), 2 * kRangesOfFile);
}

TEST_F(DataFileCacheTest, WhatAStatementHoldsStaysAndOthersAreToTryAgain) {
  options_.max_bytes = 3 * kFileBytes;
  {
    DataFileCache::Lease lease(cache());
    ASSERT_THAT(Fetch(lease, {"a", "b"}), IsOk());
    EXPECT_THAT(Read({"c"}), IsOk());
    EXPECT_THAT(Read({"d"}), IsOk());  // for which "c" goes
    const Status refused = Read({"d", "e"});
    EXPECT_EQ(CodeOf(refused), ErrorCode::kBackpressure);
    EXPECT_THAT(refused.message(), HasSubstr("query.file_cache_size (3000)"));
    EXPECT_THAT(Fetch(lease, {"a", "b"}), IsOk());
    EXPECT_EQ(RangesRead("a"), kRangesOfFile);
  }
  EXPECT_THAT(Read({"c", "d", "e"}), IsOk());
}

TEST_F(DataFileCacheTest, MoreThanTheCacheMayHoldIsTooLarge) {
  options_.max_bytes = 3 * kFileBytes;
  DataFileCache::Lease lease(cache());
  EXPECT_THAT(Fetch(lease, {"a", "b"}), IsOk());
  EXPECT_THAT(Fetch(lease, {"b", "c"}), IsOk());  // "b" is counted once
  const Status refused = Fetch(lease, {"d"});
  EXPECT_EQ(CodeOf(refused), ErrorCode::kTooLarge);
  EXPECT_THAT(refused.message(),
              AllOf(HasSubstr("4000"), HasSubstr("query.file_cache_size"), HasSubstr("3000")));
  auto huge = Files({"d", "e"});
  for (auto& file : huge) file.file_size_in_bytes = std::numeric_limits<int64_t>::max();
  EXPECT_THAT(lease.Fetch(huge, steady_clock::now()), FailsWith(ErrorCode::kTooLarge));
  EXPECT_EQ(RangesRead("d"), 0);
}

TEST_F(DataFileCacheTest, AStatementThatStopsWaitingLeavesWhatWasBegunToTheNextOne) {
  std::promise<void> begun, go_on;
  bool first = true;
  store_faults_.Observe([&](FaultPlan::Moment, const Operation& operation) {
    if (operation.kind != "get_range" || !first) return;
    first = false;
    begun.set_value();
    go_on.get_future().wait();
  });
  {
    DataFileCache::Lease lease(cache());
    EXPECT_THAT(lease.Fetch(Files({"a", "b"}), steady_clock::now()),
                FailsWith(ErrorCode::kTimedOut));
    begun.get_future().wait();
  }
  go_on.set_value();
  EXPECT_THAT(Read({"c"}), IsOk());  // its turn came after those of "a" and "b"
  EXPECT_EQ(RangesRead("b"), 0);
  EXPECT_EQ(cache().size_bytes(), 2 * kFileBytes);
  EXPECT_THAT(Read({"a", "b"}), IsOk());
  EXPECT_EQ(RangesRead("a"), kRangesOfFile);
}

TEST_F(DataFileCacheTest, SomeOfTheDiskIsLeftFreeAndCopiesGoForIt) {
  disk_.SetCapacity(16 * 4096);
  options_.keep_free_bytes = 12 * 4096;
  for (const char* name : {"a", "b", "c", "d", "e"}) EXPECT_THAT(Read({name}), IsOk()) << name;
  EXPECT_LT(cache().size_bytes(), 5 * kFileBytes);
  EXPECT_GE(disk_.FreeBytes("/").ValueOrDie(), options_.keep_free_bytes);
  DataFileCache::Lease lease(cache());
  Status last;
  for (const char* name : {"a", "b", "c", "d", "e"}) {
    if (last.ok()) last = Fetch(lease, {name});
  }
  EXPECT_EQ(CodeOf(last), ErrorCode::kBackpressure);
  EXPECT_THAT(last.message(), AllOf(HasSubstr("/cache"), HasSubstr("query.file_cache_dir")));
  EXPECT_GE(disk_.FreeBytes("/").ValueOrDie(), options_.keep_free_bytes);
}

TEST_F(DataFileCacheTest, AFullDiskLeavesNothingAndIsTold) {
  disk_faults_.Add({.matches = OfKind("write"),
                    .nth = 2,
                    .effect = Effect::kPartial,
                    .error = Error(ErrorCode::kBackpressure, "No space left on device")});
  const Status refused = Read({"a"});
  EXPECT_EQ(CodeOf(refused), ErrorCode::kBackpressure);
  EXPECT_THAT(refused.message(), AllOf(HasSubstr(store_.Uri("a")), HasSubstr("No space left")));
  EXPECT_THAT(FilesOnDisk(), IsEmpty());
  EXPECT_THAT(Read({"a"}), IsOk());
}

TEST_F(DataFileCacheTest, ManyStatementsAtOnceReadTheirFilesWithinTheBound) {
  options_.max_bytes = 3 * kFileBytes;
  options_.threads = 3;
  store_faults_.Add({.matches = AtRandom(7, 50), .times = kForGood});
  cache();
  std::atomic<int> answered = 0;
  const auto read = [&](uint32_t seed) {
    std::mt19937 random(seed);
    for (int i = 0; i < 100; ++i) {
      const std::string first(1, static_cast<char>('a' + random() % 5));
      const std::string second(1, static_cast<char>('a' + random() % 5));
      DataFileCache::Lease lease(cache());
      const Status fetched = Fetch(lease, {first, second});
      EXPECT_LE(cache().size_bytes(), options_.max_bytes);
      if (fetched.ok()) {
        ++answered;
      } else {
        EXPECT_TRUE(IsRetryable(CodeOf(fetched))) << fetched.ToString();
      }
    }
  };
  {
    std::vector<std::jthread> statements;
    for (uint32_t seed = 1; seed <= 4; ++seed) statements.emplace_back(read, seed);
  }
  EXPECT_GT(answered, 0);
  cache_.reset();  // ends copies that nobody waits for any more
  EXPECT_LE(FilesOnDisk().size(), 3u);
  for (const auto& path : FilesOnDisk()) EXPECT_FALSE(path.ends_with(kPartSuffix)) << path;
}

TEST_F(DataFileCacheTest, AStartRemovesOldCopiesAndNothingElse) {
  EXPECT_THAT(Read({"a", "b"}), IsOk());
  EXPECT_THAT(DataFileCache::Open(fs_, store_, options_), FailsWith(ErrorCode::kUnavailable));
  EXPECT_EQ(FilesOnDisk().size(), 2u);
  cache_.reset();
  disk_.SetContents("/cache/arka-copy-9.parquet.part", {});
  disk_.SetContents("/cache/mine.parquet", {});
  cache();
  EXPECT_THAT(FilesOnDisk(), ElementsAre("/cache/mine.parquet"));
  EXPECT_THAT(Read({"a"}), IsOk());
}

}  // namespace
}  // namespace arka::query
