#pragma once

#include <chrono>
#include <vector>

#include <nlohmann/json.hpp>

namespace arka::bench {

// Every latency of a run, kept as it was measured; one thread fills it. Exact percentiles, because
// a run has at most some millions of them and a histogram's buckets would have to be explained.
class Percentiles {
 public:
  void Add(std::chrono::nanoseconds latency) { nanos_.push_back(latency.count()); }
  void Merge(const Percentiles& other);

  // {"count", "min_us", "p50_us", "p90_us", "p99_us", "p999_us", "max_us"}; only "count" when
  // there are none. Sorts.
  nlohmann::json ToJson();

 private:
  std::vector<int64_t> nanos_;
};

}  // namespace arka::bench
