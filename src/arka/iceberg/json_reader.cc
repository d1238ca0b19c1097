#include "arka/iceberg/json_reader.h"

#include <algorithm>
#include <limits>

namespace arka::iceberg {
namespace {

constexpr int kMaxDepth = 500;

/// How deep arrays and objects are nested; of text that is not JSON, any number.
int DepthOf(std::string_view text) {
  int depth = 0;
  int deepest = 0;
  bool in_string = false;
  for (size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (in_string) {
      if (c == '\\') ++i;
      in_string = c != '"';
    } else if (c == '"') {
      in_string = true;
    } else if (c == '[' || c == '{') {
      deepest = std::max(deepest, ++depth);
    } else if (c == ']' || c == '}') {
      --depth;
    }
  }
  return deepest;
}

}  // namespace

Result<Json> ParseJson(std::string_view text, std::string_view what) {
  if (DepthOf(text) > kMaxDepth) {
    return Error(ErrorCode::kCorruption, "iceberg: ", what, " is nested deeper than ", kMaxDepth,
                 " levels");
  }
  Json json = Json::parse(text.begin(), text.end(), nullptr, /*allow_exceptions=*/false);
  if (json.is_discarded()) {
    return Error(ErrorCode::kCorruption, "iceberg: ", what, " is not JSON");
  }
  return json;
}

std::string DumpJson(const OrderedJson& json) {
  return json.dump(-1, ' ', false, OrderedJson::error_handler_t::replace);
}

Result<JsonReader> JsonReader::Make(const Json& object, std::string_view what) {
  if (!object.is_object()) {
    return Error(ErrorCode::kCorruption, "iceberg: ", what, " is not a JSON object");
  }
  return JsonReader(object, what);
}

Status JsonReader::Wrong(std::string_view key, std::string_view expected) const {
  return Error(ErrorCode::kCorruption, "iceberg: ", what_, ": '", key, "' is not ", expected);
}

const Json* JsonReader::Find(std::string_view key) {
  if (std::find(known_.begin(), known_.end(), key) == known_.end()) known_.emplace_back(key);
  const auto found = object_->find(key);
  return found == object_->end() || found->is_null() ? nullptr : &*found;
}

Result<std::optional<int64_t>> JsonReader::OptionalLong(std::string_view key) {
  const Json* value = Find(key);
  if (value == nullptr) return std::optional<int64_t>();
  const bool fits =
      value->is_number_integer() &&
      (!value->is_number_unsigned() ||
       value->get<uint64_t>() <= static_cast<uint64_t>(std::numeric_limits<int64_t>::max()));
  if (!fits) return Wrong(key, "a 64-bit integer");
  return std::optional<int64_t>(value->get<int64_t>());
}

Result<std::optional<int>> JsonReader::OptionalInt(std::string_view key) {
  ARROW_ASSIGN_OR_RAISE(const std::optional<int64_t> value, OptionalLong(key));
  if (!value) return std::optional<int>();
  if (*value < std::numeric_limits<int>::min() || *value > std::numeric_limits<int>::max()) {
    return Wrong(key, "a 32-bit integer");
  }
  return std::optional<int>(static_cast<int>(*value));
}

Result<std::optional<std::string>> JsonReader::OptionalString(std::string_view key) {
  const Json* value = Find(key);
  if (value == nullptr) return std::optional<std::string>();
  if (!value->is_string()) return Wrong(key, "a string");
  return std::optional<std::string>(value->get<std::string>());
}

Result<int64_t> JsonReader::Long(std::string_view key) {
  ARROW_ASSIGN_OR_RAISE(const std::optional<int64_t> value, OptionalLong(key));
  if (!value) return Wrong(key, "there");
  return *value;
}

Result<int> JsonReader::Int(std::string_view key) {
  ARROW_ASSIGN_OR_RAISE(const std::optional<int> value, OptionalInt(key));
  if (!value) return Wrong(key, "there");
  return *value;
}

Result<std::string> JsonReader::String(std::string_view key) {
  ARROW_ASSIGN_OR_RAISE(std::optional<std::string> value, OptionalString(key));
  if (!value) return Wrong(key, "there");
  return *std::move(value);
}

Result<bool> JsonReader::Bool(std::string_view key) {
  const Json* value = Find(key);
  if (value == nullptr || !value->is_boolean()) return Wrong(key, "true or false");
  return value->get<bool>();
}

Result<const Json*> JsonReader::Array(std::string_view key) {
  static const Json kEmpty = Json::array();
  const Json* value = Find(key);
  if (value == nullptr) return &kEmpty;
  if (!value->is_array()) return Wrong(key, "an array");
  return value;
}

Result<std::vector<int>> JsonReader::IntArray(std::string_view key) {
  ARROW_ASSIGN_OR_RAISE(const Json* array, Array(key));
  std::vector<int> numbers;
  for (const Json& item : *array) {
    if (!item.is_number_integer() || item.get<int64_t>() < std::numeric_limits<int>::min() ||
        item.get<int64_t>() > std::numeric_limits<int>::max()) {
      return Wrong(key, "an array of integers");
    }
    numbers.push_back(item.get<int>());
  }
  return numbers;
}

Result<std::map<std::string, std::string>> JsonReader::StringMap(std::string_view key) {
  std::map<std::string, std::string> strings;
  const Json* value = Find(key);
  if (value == nullptr) return strings;
  if (!value->is_object()) return Wrong(key, "an object of strings");
  for (const auto& [name, item] : value->items()) {
    if (!item.is_string()) return Wrong(key, "an object of strings");
    strings.emplace(name, item.get<std::string>());
  }
  return strings;
}

std::string JsonReader::UnknownMembers() const {
  Json unknown = Json::object();
  for (const auto& [key, value] : object_->items()) {
    if (std::find(known_.begin(), known_.end(), key) == known_.end()) unknown[key] = value;
  }
  if (unknown.empty()) return "";
  return unknown.dump(-1, ' ', false, Json::error_handler_t::replace);
}

void AddUnknownMembers(OrderedJson& object, const std::string& unknown_members) {
  if (unknown_members.empty()) return;
  const OrderedJson unknown = OrderedJson::parse(unknown_members, nullptr, false);
  if (!unknown.is_object()) return;
  for (const auto& [key, value] : unknown.items()) object[key] = value;
}

}  // namespace arka::iceberg
