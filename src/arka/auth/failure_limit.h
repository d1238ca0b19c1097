// How often one address may fail to log in before it has to wait: some at once, then one every so
// often. Bounded; thread-safe.
#pragma once

#include <chrono>
#include <map>
#include <mutex>
#include <string>
#include <string_view>

#include "arka/io/clock.h"

namespace arka::auth {

struct FailureLimitOptions {
  int at_once = 10;
  std::chrono::seconds one_every{6};
  size_t max_addresses = 10'000;
};

class FailureLimit {
 public:
  /// `clock` must outlive it.
  explicit FailureLimit(const Clock& clock, FailureLimitOptions options = {})
      : clock_(clock), options_(options) {}

  /// `peer` is "address:port"; of IPv6 the network (64 bits) counts as one.
  void Add(std::string_view peer);
  bool IsReached(std::string_view peer);

  const FailureLimitOptions& options() const { return options_; }

 private:
  void ForgetOld(SteadyTime now);  // with mutex_ held

  const Clock& clock_;
  const FailureLimitOptions options_;
  std::mutex mutex_;
  // When the failures of an address will all be forgiven: each adds one_every. Guarded by mutex_.
  std::map<std::string, SteadyTime> forgiven_at_;
};

}  // namespace arka::auth
