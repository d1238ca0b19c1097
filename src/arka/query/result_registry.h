// Results that clients hold tickets for: snapshots of tables, answers of queries.
//
// A ticket is a random name of a result and the number of a part: nobody can make one up, and it
// leads to nothing but that part, and only for the principal whom it was given. A result is
// forgotten once nobody has asked for it for its lifetime, or where too many are held, the oldest
// first; a read that is under way goes on. Thread-safe; no I/O.
#pragma once

#include <chrono>
#include <cstddef>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "arka/base/error.h"
#include "arka/io/clock.h"
#include "arka/io/random.h"
#include "arka/query/held_result.h"

namespace arka::query {

struct ResultRegistryOptions {
  std::chrono::milliseconds lifetime{300'000};  // since the last use of one of its tickets
  size_t max_results = 4096;
};

class ResultRegistry {
 public:
  /// Both must outlive the registry.
  ResultRegistry(const Clock& clock, Random& random, ResultRegistryOptions options = {})
      : clock_(clock), random_(random), options_(options) {}

  /// One ticket for each of the result's parts.
  std::vector<std::string> Hold(std::string principal, std::shared_ptr<HeldResult> result,
                                size_t parts);

  struct Found {
    std::shared_ptr<HeldResult> result;
    size_t part;
  };
  /// What a ticket stands for, which begins a new lifetime. kNotFound for any other text
  /// or principal.
  Result<Found> Find(std::string_view principal, std::string_view ticket);

  /// Forgets the result of a ticket and ends what is reading it; false where there is none.
  bool Cancel(std::string_view principal, std::string_view ticket);

  /// Forgets what nobody asked for.
  void Sweep();

  /// When a ticket that is used now will be forgotten.
  WallTime expiration() const { return clock_.WallNow() + options_.lifetime; }

  size_t size() const;

 private:
  struct Held {
    std::string principal;
    std::shared_ptr<HeldResult> result;
    size_t parts = 0;
    SteadyTime last_used;
  };

  void ForgetOldest();  // with mutex_ held

  const Clock& clock_;
  Random& random_;
  const ResultRegistryOptions options_;
  mutable std::mutex mutex_;
  std::map<std::string, Held, std::less<>> held_;  // by name; guarded by mutex_
};

}  // namespace arka::query
