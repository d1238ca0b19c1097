#include "arka/flight/as_of_headers.h"

#include <charconv>

namespace arka::flight {
namespace {

Result<std::optional<int64_t>> NumberIn(const transport::Metadata& metadata,
                                        std::string_view name) {
  const auto text = transport::Find(metadata, name);
  if (!text) return std::nullopt;
  int64_t number = 0;
  const auto parsed = std::from_chars(text->data(), text->data() + text->size(), number);
  if (parsed.ec == std::errc() && parsed.ptr == text->data() + text->size()) return number;
  return Error(ErrorCode::kInvalidRequest, "header ", name, ": '", text->substr(0, 40),
               "' is not a whole number");
}

}  // namespace

Result<query::AsOf> ParseAsOf(const transport::Metadata& metadata) {
  query::AsOf as_of;
  ARROW_ASSIGN_OR_RAISE(as_of.snapshot_id, NumberIn(metadata, kAsOfSnapshotHeader));
  ARROW_ASSIGN_OR_RAISE(const auto lsn, NumberIn(metadata, kAsOfLsnHeader));
  if (lsn) as_of.lsn = Lsn{*lsn};
  if (as_of.snapshot_id && as_of.lsn) {
    return Error(ErrorCode::kInvalidRequest, "headers ", kAsOfSnapshotHeader, " and ",
                 kAsOfLsnHeader, " ask for two states at once");
  }
  return as_of;
}

}  // namespace arka::flight
