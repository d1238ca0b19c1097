// Reads one JSON object member by member, and remembers which members were asked for, so that the
// others can be kept and written back. Errors are kCorruption and name the object and the member.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json.hpp>

#include "arka/base/error.h"

namespace arka::iceberg {

using Json = nlohmann::json;
using OrderedJson = nlohmann::ordered_json;

/// kCorruption, naming `what`, where `text` is not JSON or nested deeper than 500 levels (what
/// writes JSON calls itself once per level).
Result<Json> ParseJson(std::string_view text, std::string_view what);

/// Compact text; bytes that are not UTF-8 become U+FFFD.
std::string DumpJson(const OrderedJson& json);

class JsonReader {
 public:
  /// `object` must outlive the reader. `what` names it in errors.
  static Result<JsonReader> Make(const Json& object, std::string_view what);

  /// The member, or null where it is missing or JSON null.
  const Json* Find(std::string_view key);

  Result<bool> Bool(std::string_view key);
  Result<int> Int(std::string_view key);
  Result<int64_t> Long(std::string_view key);
  Result<std::string> String(std::string_view key);
  Result<std::optional<int>> OptionalInt(std::string_view key);
  Result<std::optional<int64_t>> OptionalLong(std::string_view key);
  Result<std::optional<std::string>> OptionalString(std::string_view key);
  /// A missing array or object reads as an empty one.
  Result<const Json*> Array(std::string_view key);
  Result<std::vector<int>> IntArray(std::string_view key);
  Result<std::map<std::string, std::string>> StringMap(std::string_view key);

  /// The members never asked for, as the text of one JSON object; "" where there are none.
  std::string UnknownMembers() const;

 private:
  JsonReader(const Json& object, std::string_view what) : object_(&object), what_(what) {}
  Status Wrong(std::string_view key, std::string_view expected) const;

  const Json* object_;
  std::string what_;
  std::vector<std::string> known_;
};

/// Sets the members of `unknown_members`, as UnknownMembers gave them.
void AddUnknownMembers(OrderedJson& object, const std::string& unknown_members);

}  // namespace arka::iceberg
