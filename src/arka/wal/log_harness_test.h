// For the log's tests: a log on a disk in memory, driven and described in short strings.
//
//   harness.Open();  harness.Append("a");  harness.Append("b");  harness.Sync();
//   harness.Crash();  harness.Open();  EXPECT_EQ(harness.Found(), "1000:a 1001:b");
#pragma once

#include <algorithm>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "arka/testing/faulty_fs.h"
#include "arka/testing/matchers.h"
#include "arka/testing/memory_fs.h"
#include "arka/testing/simulated_clock.h"
#include "arka/wal/log.h"

namespace arka::wal {

inline std::shared_ptr<arrow::Buffer> BufferOf(std::string text) {
  return arrow::Buffer::FromString(std::move(text));
}

inline Definition DefinitionNamed(uint32_t id) {
  return {.id = {id}, .bytes = BufferOf("table " + std::to_string(id))};
}

/// A write whose body is `body`, all else made from it and `definition`.
inline WriteRecord RecordNamed(const std::string& body, uint32_t definition = 1) {
  return {.lsn = {},
          .definition = {definition},
          .producer = "producer of " + body.substr(0, 20),
          .seq = static_cast<int64_t>(body.size()),
          .timestamp = WallTime(std::chrono::microseconds(1'700'000'000'000'000)),
          .header = BufferOf("header of " + body.substr(0, 20)),
          .body = BufferOf(body)};
}

/// Notes what it is shown as "lsn:body", and fails the test where a record is not as RecordNamed
/// made it, comes out of order or before its definition.
class FoundRecords : public ReplayVisitor {
 public:
  Status OnDefinition(const Definition& definition) override {
    EXPECT_EQ(definition.bytes->ToString(), DefinitionNamed(definition.id.value).bytes->ToString());
    EXPECT_EQ(std::count(definitions_.begin(), definitions_.end(), definition.id.value), 0);
    definitions_.push_back(definition.id.value);
    return Status::OK();
  }
  Status OnWrite(WriteRecord record) override {
    const std::string body = record.body->ToString();
    const WriteRecord expected = RecordNamed(body, record.definition.value);
    EXPECT_GT(record.lsn, last_lsn_);
    EXPECT_EQ(std::count(definitions_.begin(), definitions_.end(), record.definition.value), 1);
    EXPECT_EQ(record.producer, expected.producer);
    EXPECT_EQ(record.seq, expected.seq);
    EXPECT_EQ(record.timestamp, expected.timestamp);
    EXPECT_EQ(record.header->ToString(), expected.header->ToString());
    EXPECT_EQ(record.body->address() % 64, 0u);
    last_lsn_ = record.lsn;
    bodies_.push_back(body);
    lsns_.push_back(record.lsn);
    if (!text_.empty()) text_ += ' ';
    text_ += std::to_string(record.lsn.value) + ":" + body;
    return Status::OK();
  }
  void OnProgress(int64_t bytes_done, int64_t bytes_total) override {
    EXPECT_LE(bytes_done, bytes_total);
  }

  const std::string& text() const { return text_; }
  const std::vector<std::string>& bodies() const { return bodies_; }
  const std::vector<Lsn>& lsns() const { return lsns_; }
  Lsn last_lsn() const { return last_lsn_; }

 private:
  std::string text_;
  std::vector<std::string> bodies_;
  std::vector<Lsn> lsns_;
  std::vector<uint32_t> definitions_;
  Lsn last_lsn_ = kNoLsn;
};

/// What the log told its listener. Thread-safe.
class HeardEvents : public LogListener {
 public:
  void OnDurable(Lsn lsn) override {
    const std::lock_guard lock(mutex_);
    EXPECT_GT(lsn, durable_);
    EXPECT_TRUE(poisoned_.ok());
    durable_ = lsn;
  }
  void OnNoRoom(const Status& reason) override {
    const std::lock_guard lock(mutex_);
    EXPECT_THAT(reason, FailsWith(ErrorCode::kBackpressure));
    no_room_.push_back(reason.message());
  }
  void OnPoisoned(const Status& error) override {
    const std::lock_guard lock(mutex_);
    EXPECT_TRUE(poisoned_.ok());
    poisoned_ = error;
  }
  /// The reasons for which it waited for room.
  std::vector<std::string> no_room() const {
    const std::lock_guard lock(mutex_);
    return no_room_;
  }
  Lsn durable() const {
    const std::lock_guard lock(mutex_);
    return durable_;
  }
  Status poisoned() const {
    const std::lock_guard lock(mutex_);
    return poisoned_;
  }

 private:
  mutable std::mutex mutex_;
  Lsn durable_ = kNoLsn;
  Status poisoned_;
  std::vector<std::string> no_room_;
};

class LogHarness {
 public:
  LogHarness() {
    options.directory = "/log";
    options.segment_bytes = 4096;
    options.spare_segments = 0;
    options.recycled_segments = 0;
    options.lsn_block = 100;
  }

  /// Opens the log again; what was found is in Found().
  Status TryOpen() {
    log.reset();
    found = FoundRecords();
    heard = std::make_unique<HeardEvents>();
    ARROW_ASSIGN_OR_RAISE(log, Log::Open(*faulty, clock, options, found));
    return log->Define(DefinitionNamed(1));
  }
  void Open() { ASSERT_THAT(TryOpen(), IsOk()); }
  void Start() { log->Start(*heard); }

  Lsn Append(const std::string& body, uint32_t definition = 1) {
    const Result<Lsn> lsn = log->Append(RecordNamed(body, definition));
    EXPECT_THAT(lsn, IsOk());
    return lsn.ok() ? *lsn : Lsn{};
  }
  /// Everything appended is durable then, as one group or more; without Start on this thread.
  void Sync() { ASSERT_THAT(log->Flush(), IsOk()); }
  /// One group each.
  void AppendSynced(const std::vector<std::string>& bodies) {
    for (const std::string& body : bodies) {
      Append(body);
      Sync();
    }
  }
  void Close() { ASSERT_THAT(log->Close(), IsOk()); }

  void Crash() {
    fs->Crash();
    log.reset();
  }
  void LosePower(uint64_t seed, PowerLoss mode) {
    fs->LosePower(seed, mode);
    log.reset();
  }

  const std::string& Found() const { return found.text(); }

  /// The paths of the segments, oldest first.
  std::vector<std::string> Segments() const {
    std::vector<std::string> paths = fs->Paths();
    std::erase_if(paths, [](const std::string& path) { return !path.ends_with(".log"); });
    return paths;
  }

  std::unique_ptr<MemoryFs> fs = std::make_unique<MemoryFs>();
  std::unique_ptr<FaultPlan> plan = std::make_unique<FaultPlan>();
  std::unique_ptr<FaultyFs> faulty = std::make_unique<FaultyFs>(*fs, *plan);
  SimulatedClock clock;
  LogOptions options;
  FoundRecords found;
  std::unique_ptr<HeardEvents> heard = std::make_unique<HeardEvents>();
  std::unique_ptr<Log> log;
};

}  // namespace arka::wal
