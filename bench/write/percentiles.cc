#include "percentiles.h"

#include <algorithm>
#include <cmath>

namespace arka::bench {

void Percentiles::Merge(const Percentiles& other) {
  nanos_.insert(nanos_.end(), other.nanos_.begin(), other.nanos_.end());
}

nlohmann::json Percentiles::ToJson() {
  nlohmann::json json = {{"count", nanos_.size()}};
  if (nanos_.empty()) return json;
  std::sort(nanos_.begin(), nanos_.end());
  // Nearest rank: the smallest latency that at least the share `p` of all does not exceed.
  auto at = [&](double p) {
    auto rank = static_cast<size_t>(std::ceil(p * static_cast<double>(nanos_.size())));
    return static_cast<double>(nanos_[std::max<size_t>(rank, 1) - 1]) / 1000;
  };
  json["min_us"] = at(0);
  json["p50_us"] = at(0.5);
  json["p90_us"] = at(0.9);
  json["p99_us"] = at(0.99);
  json["p999_us"] = at(0.999);
  json["max_us"] = at(1);
  return json;
}

}  // namespace arka::bench
