// What the benchmark writes, and how it takes time.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include <arrow/record_batch.h>
#include <arrow/result.h>
#include <nlohmann/json.hpp>

namespace arka::client::bench {

struct Asked {
  std::string url;
  std::string table;
  int64_t rows = 10;
  double seconds = 5;
  int64_t in_flight = 1024;
};

inline constexpr int kTextBytes = 20;

/// `number` in decimal with zeros before it: kTextBytes, and a zero byte.
void FormatText(int64_t number, char* text);

/// `number` int64 not null, `text` utf8.
const std::shared_ptr<arrow::Schema>& Schema();

/// Batches of so many rows, made anew each time.
class Contents {
 public:
  explicit Contents(int64_t rows) : rows_(rows) {}
  arrow::Result<std::shared_ptr<arrow::RecordBatch>> Next();

 private:
  const int64_t rows_;
  int64_t number_ = 0;
};

class Clock {
 public:
  explicit Clock(double seconds) : limit_(seconds) {}
  double seconds() const {
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - began_).count();
  }
  bool over() const { return seconds() >= limit_; }

 private:
  const std::chrono::steady_clock::time_point began_ = std::chrono::steady_clock::now();
  const double limit_;
};

class Latencies {
 public:
  void Add(std::chrono::steady_clock::duration latency);
  nlohmann::json ToJson();

 private:
  std::vector<double> us_;
};

}  // namespace arka::client::bench
