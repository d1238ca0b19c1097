// The JSON object that an action takes, checked as it is read.
//
// Every fault is kInvalidRequest with a message that names the action, the key, and what was
// expected. A value.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json.hpp>

#include "arka/base/error.h"

namespace arka::flight {

inline constexpr size_t kMaxActionBodyBytes = 1 << 20;
inline constexpr size_t kMaxTextBytes = 1024;

class ActionBody {
 public:
  /// `text` must be one JSON object of at most kMaxActionBodyBytes with no keys but `keys`.
  static Result<ActionBody> Parse(std::string_view action, std::string_view text,
                                  const std::set<std::string_view>& keys);

  /// The same of an action that needs no key: no text at all counts as {}.
  static Result<ActionBody> ParseOrEmpty(std::string_view action, std::string_view text,
                                         const std::set<std::string_view>& keys) {
    return Parse(action, text.empty() ? "{}" : text, keys);
  }

  bool Has(std::string_view key) const { return object_.contains(key); }

  /// The text under `key`; 1 to 1024 bytes.
  Result<std::string> Text(std::string_view key) const { return Text(key, kMaxTextBytes); }
  /// The same, 1 to `max_bytes`.
  Result<std::string> Text(std::string_view key, size_t max_bytes) const;
  /// The whole number under `key`; nothing where the key is not there.
  Result<std::optional<int64_t>> OptionalInteger(std::string_view key) const;
  /// The whole numbers in the array under `key`, 1 to `max_count`.
  Result<std::vector<int64_t>> Integers(std::string_view key, size_t max_count) const;

  /// The flag under `key`; `otherwise` where the key is not there.
  Result<bool> BooleanOr(std::string_view key, bool otherwise) const;
  /// The objects in the array under `key`, 1 to `max_count`, all of whose values are texts.
  Result<std::vector<std::map<std::string, std::string>>> Objects(std::string_view key,
                                                                  size_t max_count) const;

  /// A fault of the value under `key`.
  Status Wrong(std::string_view key, std::string_view problem) const;

 private:
  ActionBody(std::string_view action, nlohmann::json object)
      : action_(action), object_(std::move(object)) {}

  std::string action_;
  nlohmann::json object_;
};

}  // namespace arka::flight
