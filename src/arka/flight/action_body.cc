#include "arka/flight/action_body.h"

#include <limits>
#include <utility>

namespace arka::flight {
namespace {

using nlohmann::json;

constexpr int kMaxDepth = 4;

bool IsInt64(const json& value) {
  if (value.is_number_unsigned()) {
    return value.get<uint64_t>() <= std::numeric_limits<int64_t>::max();
  }
  return value.is_number_integer();
}

}  // namespace

Result<ActionBody> ActionBody::Parse(std::string_view action, std::string_view text,
                                     const std::set<std::string_view>& keys) {
  const auto refuse = [&](const auto&... parts) {
    std::string names;
    for (std::string_view key : keys) names += (names.empty() ? "" : ", ") + std::string(key);
    return Error(ErrorCode::kInvalidRequest, "action ", action, ": ", parts...,
                 "; expected a JSON object with ",
                 names.empty() ? "no keys, or nothing" : "the keys " + names);
  };
  if (text.size() > kMaxActionBodyBytes) {
    return refuse("the body has ", text.size(), " bytes, over ", kMaxActionBodyBytes);
  }
  bool too_deep = false;
  const auto watch_depth = [&](int depth, json::parse_event_t, json&) {
    too_deep |= depth > kMaxDepth;
    return !too_deep;
  };
  json object = json::parse(text, watch_depth, /*allow_exceptions=*/false);
  if (too_deep) return refuse("the body is nested deeper than ", kMaxDepth, " levels");
  if (object.is_discarded()) return refuse("the body is not JSON");
  if (!object.is_object()) return refuse("the body is a JSON ", object.type_name());
  for (const auto& [key, value] : object.items()) {
    if (!keys.contains(key)) return refuse("unknown key '", key.substr(0, 40), "'");
  }
  return ActionBody(action, std::move(object));
}

Status ActionBody::Wrong(std::string_view key, std::string_view problem) const {
  return Error(ErrorCode::kInvalidRequest, "action ", action_, ": '", key, "' ", problem);
}

Result<std::string> ActionBody::Text(std::string_view key, size_t max_bytes) const {
  const auto found = object_.find(key);
  if (found == object_.end()) return Wrong(key, "is missing");
  if (!found->is_string()) {
    return Wrong(key, std::string("is a JSON ") + found->type_name() + ", expected a string");
  }
  const auto& text = found->get_ref<const std::string&>();
  if (text.empty() || text.size() > max_bytes) {
    return Wrong(key, "has " + std::to_string(text.size()) + " bytes, expected 1 to " +
                          std::to_string(max_bytes));
  }
  return text;
}

Result<std::optional<int64_t>> ActionBody::OptionalInteger(std::string_view key) const {
  const auto found = object_.find(key);
  if (found == object_.end()) return std::nullopt;
  if (!IsInt64(*found)) return Wrong(key, "is not a whole number of 64 bits");
  return found->get<int64_t>();
}

Result<std::vector<int64_t>> ActionBody::Integers(std::string_view key, size_t max_count) const {
  const auto found = object_.find(key);
  if (found == object_.end()) return Wrong(key, "is missing");
  if (!found->is_array() || found->empty() || found->size() > max_count) {
    return Wrong(key, "is not an array of 1 to " + std::to_string(max_count) + " numbers");
  }
  std::vector<int64_t> numbers;
  numbers.reserve(found->size());
  for (const json& value : *found) {
    if (!IsInt64(value)) {
      return Wrong(key, "holds something that is not a whole number of 64 bits at position " +
                            std::to_string(numbers.size()));
    }
    numbers.push_back(value.get<int64_t>());
  }
  return numbers;
}

Result<bool> ActionBody::BooleanOr(std::string_view key, bool otherwise) const {
  const auto found = object_.find(key);
  if (found == object_.end()) return otherwise;
  if (!found->is_boolean()) return Wrong(key, "is neither true nor false");
  return found->get<bool>();
}

Result<std::vector<std::map<std::string, std::string>>> ActionBody::Objects(
    std::string_view key, size_t max_count) const {
  const auto found = object_.find(key);
  if (found == object_.end()) return Wrong(key, "is missing");
  if (!found->is_array() || found->empty() || found->size() > max_count) {
    return Wrong(key, "is not an array of 1 to " + std::to_string(max_count) + " objects");
  }
  std::vector<std::map<std::string, std::string>> objects;
  for (const json& entry : *found) {
    const std::string at = " at position " + std::to_string(objects.size());
    if (!entry.is_object()) return Wrong(key, "holds something that is no object" + at);
    auto& object = objects.emplace_back();
    for (const auto& [name, value] : entry.items()) {
      if (!value.is_string()) return Wrong(key, "holds a value that is no string" + at);
      object[name] = value.get<std::string>();
    }
  }
  return objects;
}

}  // namespace arka::flight
