// The call headers of a writing stream (docs/spec/wire.md, "Call headers").
#pragma once

#include <array>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "arka/base/error.h"
#include "arka/base/tier.h"

namespace arka::protocol {

inline constexpr std::string_view kSessionHeader = "arka-session";
inline constexpr std::string_view kProducerHeader = "arka-producer";
inline constexpr std::string_view kProducerEpochHeader = "arka-producer-epoch";
inline constexpr std::string_view kAcksHeader = "arka-acks";
inline constexpr std::string_view kAckUntilHeader = "arka-ack-until";
inline constexpr std::string_view kWatermarksHeader = "arka-watermarks";
/// Trailer of every failed call: "true" where the same call may succeed later.
inline constexpr std::string_view kRetryableTrailer = "arka-retryable";

/// The longest name of a session or a producer.
inline constexpr size_t kMaxClientNameBytes = 128;

/// Whether a client may call its session or itself so: 1 to 128 printable ASCII characters.
bool IsClientName(std::string_view name);

struct WriteHeaders {
  std::string session;                                  // empty: the server makes one
  std::string producer;                                 // empty: batches have no seq
  int64_t producer_epoch = 0;                           // 0: none
  std::array<bool, 4> acks = {true, true, true, true};  // by Tier
  Tier ack_until = Tier::kObjectStorage;
  bool watermarks = false;
};

/// Reads what is there (names in lower case) and leaves defaults for the rest. kInvalidRequest,
/// naming header and value, for a value that is not one of those allowed.
Result<WriteHeaders> ParseWriteHeaders(
    const std::vector<std::pair<std::string, std::string>>& metadata);

/// The same of a DoPut, which tells one level of every batch and then ends: `acks` is that level
/// (LOCAL_DISK where the client names none) and `ack_until` too. kInvalidRequest also for several
/// levels, and for what a DoPut cannot keep: another `arka-ack-until`, and watermarks.
Result<WriteHeaders> ParsePutHeaders(
    const std::vector<std::pair<std::string, std::string>>& metadata);

}  // namespace arka::protocol
