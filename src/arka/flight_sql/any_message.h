// A Flight SQL message as the google.protobuf.Any that commands, actions and their answers come in.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "arka/base/error.h"

namespace arka::flight_sql {

/// What an Any holds, by the last part of its type's name: "CommandGetTables".
struct AnyMessage {
  std::string name;
  std::string value;  // serialized
};

/// Nothing where `bytes` is no Any of a Flight SQL message, such as the text of a query.
std::optional<AnyMessage> Unwrap(std::string_view bytes);

/// The Any that holds the message `name`.
std::string Wrap(std::string_view name, std::string value);

/// `value` as a `Message`; kInvalidRequest where it is none.
template <typename Message>
Result<Message> ParseMessage(std::string_view name, const std::string& value) {
  Message message;
  if (message.ParseFromString(value)) return message;
  return Error(ErrorCode::kInvalidRequest, "the Flight SQL message ", name, " does not parse");
}

}  // namespace arka::flight_sql
