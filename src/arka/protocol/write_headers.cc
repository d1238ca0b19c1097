#include "arka/protocol/write_headers.h"

#include <algorithm>
#include <charconv>

namespace arka::protocol {
namespace {

constexpr std::string_view kTierNames = "MEMORY, LOCAL_DISK, OBJECT_STORAGE or COMMITTED";

std::string_view Trim(std::string_view text) {
  const size_t first = text.find_first_not_of(" \t");
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(" \t") - first + 1);
}

Result<Tier> TierOf(std::string_view header, std::string_view value) {
  const auto tier = ParseTier(Trim(value));
  if (!tier) {
    return Error(ErrorCode::kInvalidRequest, "header ", header, ": '", value.substr(0, 40),
                 "' is not a durability level; expected ", kTierNames);
  }
  return *tier;
}

Result<std::string> NameIn(std::string_view header, std::string_view value) {
  if (!IsClientName(value)) {
    return Error(ErrorCode::kInvalidRequest, "header ", header,
                 ": expected 1 to 128 printable characters, got ", value.size(), " bytes");
  }
  return std::string(value);
}

Result<int64_t> EpochIn(std::string_view value) {
  int64_t epoch = 0;
  const auto [end, error] = std::from_chars(value.data(), value.data() + value.size(), epoch);
  if (error != std::errc() || end != value.data() + value.size() || epoch < 1) {
    return Error(ErrorCode::kInvalidRequest, "header ", kProducerEpochHeader, ": '",
                 value.substr(0, 40),
                 "' is not a whole number from 1 on; claim_producer gives one");
  }
  return epoch;
}

Result<std::array<bool, 4>> ParseAcks(std::string_view value) {
  std::array<bool, 4> acks = {};
  while (true) {
    const size_t comma = value.find(',');
    ARROW_ASSIGN_OR_RAISE(Tier tier, TierOf(kAcksHeader, value.substr(0, comma)));
    acks[IndexOf(tier)] = true;
    if (comma == std::string_view::npos) return acks;
    value.remove_prefix(comma + 1);
  }
}

}  // namespace

bool IsClientName(std::string_view name) {
  return !name.empty() && name.size() <= kMaxClientNameBytes &&
         std::all_of(name.begin(), name.end(), [](char c) { return c >= 0x20 && c < 0x7f; });
}

Result<WriteHeaders> ParseWriteHeaders(
    const std::vector<std::pair<std::string, std::string>>& metadata) {
  WriteHeaders headers;
  for (const auto& [name, value] : metadata) {
    if (name == kSessionHeader) {
      ARROW_ASSIGN_OR_RAISE(headers.session, NameIn(name, value));
    } else if (name == kAcksHeader) {
      ARROW_ASSIGN_OR_RAISE(headers.acks, ParseAcks(value));
    } else if (name == kAckUntilHeader) {
      ARROW_ASSIGN_OR_RAISE(headers.ack_until, TierOf(kAckUntilHeader, value));
    } else if (name == kWatermarksHeader) {
      if (value != "true" && value != "false") {
        return Error(ErrorCode::kInvalidRequest, "header ", kWatermarksHeader, ": '",
                     value.substr(0, 40), "' is neither true nor false");
      }
      headers.watermarks = value == "true";
    } else if (name == kProducerHeader) {
      ARROW_ASSIGN_OR_RAISE(headers.producer, NameIn(name, value));
    } else if (name == kProducerEpochHeader) {
      ARROW_ASSIGN_OR_RAISE(headers.producer_epoch, EpochIn(value));
    }
  }
  if (headers.producer_epoch > 0 && headers.producer.empty()) {
    return Error(ErrorCode::kInvalidRequest, "header ", kProducerEpochHeader, " without ",
                 kProducerHeader, ": the epoch of which producer?");
  }
  return headers;
}

Result<WriteHeaders> ParsePutHeaders(
    const std::vector<std::pair<std::string, std::string>>& metadata) {
  ARROW_ASSIGN_OR_RAISE(WriteHeaders headers, ParseWriteHeaders(metadata));
  const auto has = [&](std::string_view name) {
    return std::ranges::any_of(metadata, [&](const auto& header) { return header.first == name; });
  };
  if (!has(kAcksHeader)) {
    headers.acks = {};
    headers.acks[IndexOf(Tier::kLocalDisk)] = true;
  }
  if (std::ranges::count(headers.acks, true) != 1) {
    return Error(ErrorCode::kInvalidRequest, "header ", kAcksHeader,
                 ": a DoPut answers one PutResult a batch, at one level; expected ", kTierNames,
                 ". DoExchange tells several levels");
  }
  const Tier level = kAllTiers[std::ranges::find(headers.acks, true) - headers.acks.begin()];
  if (has(kAckUntilHeader) && headers.ack_until != level) {
    return Error(ErrorCode::kInvalidRequest, "header ", kAckUntilHeader, ": a DoPut ends after its",
                 " last PutResult, at the level of ", kAcksHeader, ", here ", TierName(level),
                 "; leave the header out");
  }
  headers.ack_until = level;
  if (headers.watermarks) {
    return Error(ErrorCode::kInvalidRequest, "header ", kWatermarksHeader,
                 ": a DoPut has no watermark rows; leave the header out, or use DoExchange");
  }
  return headers;
}

}  // namespace arka::protocol
