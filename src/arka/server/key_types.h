// How a key of each type is made: its parser, its bounds and its formatter, around one member of
// Config.
//
// An accessor is a generic lambda that answers the member of a Config, const or not:
//   [](auto& config) -> auto& { return config.wal.segment_bytes; }
#pragma once

#include <algorithm>
#include <chrono>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "arka/server/config.h"
#include "arka/server/key_table.h"
#include "arka/server/units.h"

namespace arka {

inline Status OutOfRange(std::string_view text, std::string_view type) {
  return Error(ErrorCode::kInvalidRequest, "'", text, "' is out of range: expected a ", type);
}

template <typename Accessor>
ConfigKey SizeKey(std::string name, Accessor accessor, int64_t min, int64_t max,
                  std::string comment) {
  const std::string type = "size, " + FormatSize(min) + " to " + FormatSize(max);
  return {std::move(name), type, std::move(comment),
          [=](Config& config, std::string_view text) -> Status {
            ARROW_ASSIGN_OR_RAISE(const int64_t bytes, ParseSize(text));
            if (bytes < min || bytes > max) return OutOfRange(text, type);
            accessor(config) = bytes;
            return Status::OK();
          },
          [=](const Config& config) { return FormatSize(accessor(config)); }};
}

/// `min` and `max` in the unit of the member, whose multiples the value must be.
template <typename Accessor, typename Duration>
ConfigKey DurationKey(std::string name, Accessor accessor, Duration min, std::chrono::hours max,
                      std::string comment) {
  const std::string type = "duration, " + FormatDuration(min) + " to " + FormatDuration(max);
  return {std::move(name), type, std::move(comment),
          [=](Config& config, std::string_view text) -> Status {
            ARROW_ASSIGN_OR_RAISE(const std::chrono::microseconds duration, ParseDuration(text));
            if (duration < min || duration > max) return OutOfRange(text, type);
            auto& member = accessor(config);
            member = std::chrono::duration_cast<std::decay_t<decltype(member)>>(duration);
            if (member == duration) return Status::OK();
            return Error(ErrorCode::kInvalidRequest, "'", text,
                         "' is too fine: expected whole milliseconds");
          },
          [=](const Config& config) { return FormatDuration(accessor(config)); }};
}

template <typename Accessor>
ConfigKey CountKey(std::string name, Accessor accessor, int64_t min, int64_t max,
                   std::string comment) {
  const std::string type = "number, " + std::to_string(min) + " to " + std::to_string(max);
  return {std::move(name), type, std::move(comment),
          [=](Config& config, std::string_view text) -> Status {
            ARROW_ASSIGN_OR_RAISE(const int64_t count, ParseCount(text));
            if (count < min || count > max) return OutOfRange(text, type);
            accessor(config) = count;
            return Status::OK();
          },
          [=](const Config& config) { return std::to_string(accessor(config)); }};
}

template <typename Accessor>
ConfigKey BoolKey(std::string name, Accessor accessor, std::string comment) {
  return {std::move(name), "true or false", std::move(comment),
          [=](Config& config, std::string_view text) {
            return ParseBool(text).Value(&accessor(config));
          },
          [=](const Config& config) { return accessor(config) ? "true" : "false"; }};
}

/// Any text, "" included. Bounds that depend on other keys are checked in config_check.cc.
template <typename Accessor>
ConfigKey TextKey(std::string name, std::string type, Accessor accessor, std::string comment,
                  std::string derived_default = {}) {
  return {std::move(name),
          std::move(type),
          std::move(comment),
          [=](Config& config, std::string_view text) {
            accessor(config) = std::string(text);
            return Status::OK();
          },
          [=](const Config& config) { return accessor(config); },
          std::move(derived_default)};
}

/// Texts joined by commas, each of which `check` takes.
template <typename Accessor>
ConfigKey ListKey(std::string name, std::string type, Accessor accessor,
                  std::function<bool(std::string_view)> check, std::string comment) {
  return {std::move(name), type, std::move(comment),
          [=](Config& config, std::string_view text) -> Status {
            std::vector<std::string> items;
            while (!text.empty()) {
              const size_t comma = text.find(',');
              std::string_view item = text.substr(0, comma);
              while (item.starts_with(' ')) item.remove_prefix(1);
              while (item.ends_with(' ')) item.remove_suffix(1);
              if (!check(item)) {
                return Error(ErrorCode::kInvalidRequest, "'", item, "': expected ", type);
              }
              items.emplace_back(item);
              text.remove_prefix(comma == std::string_view::npos ? text.size() : comma + 1);
            }
            accessor(config) = std::move(items);
            return Status::OK();
          },
          [=](const Config& config) {
            std::string joined;
            for (const std::string& item : accessor(config)) {
              joined += (joined.empty() ? "" : ",") + item;
            }
            return joined;
          }};
}

/// Text that is never printed.
template <typename Accessor>
ConfigKey SecretKey(std::string name, Accessor accessor, std::string comment) {
  ConfigKey key = TextKey(std::move(name), "text, secret", accessor, std::move(comment));
  key.get = [=](const Config& config) -> std::string {
    return accessor(config).empty() ? "" : "***";
  };
  return key;
}

template <typename Accessor>
ConfigKey ChoiceKey(std::string name, Accessor accessor, std::vector<std::string> choices,
                    std::string comment) {
  std::string type;
  for (const std::string& choice : choices) type += (type.empty() ? "" : ", ") + choice;
  return {std::move(name), "one of " + type, std::move(comment),
          [=](Config& config, std::string_view text) -> Status {
            if (std::find(choices.begin(), choices.end(), text) == choices.end()) {
              return Error(ErrorCode::kInvalidRequest, "'", text, "': expected one of ", type);
            }
            accessor(config) = std::string(text);
            return Status::OK();
          },
          [=](const Config& config) { return accessor(config); }};
}

}  // namespace arka
