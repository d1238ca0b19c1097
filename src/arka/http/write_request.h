// What a request to write says before its body: the table, the format, the headers.
#pragma once

#include <cstdint>
#include <string>

#include "arka/base/error.h"
#include "arka/base/tier.h"
#include "arka/iceberg/identifier.h"
#include "arka/transport/http.h"

namespace arka::http {

inline constexpr std::string_view kTablesPath = "/api/v1/tables/";
inline constexpr std::string_view kSeqHeader = "arka-seq";

enum class RowFormat : uint8_t { kArrowStream, kNdjson, kCsv };

inline constexpr std::string_view kArrowStreamType = "application/vnd.apache.arrow.stream";
inline constexpr std::string_view kNdjsonType = "application/x-ndjson";
inline constexpr std::string_view kJsonlType = "application/jsonl";
inline constexpr std::string_view kCsvType = "text/csv";

struct WriteRequest {
  iceberg::TableIdentifier table;
  RowFormat format = RowFormat::kArrowStream;
  Tier level = Tier::kLocalDisk;  // that the answer waits for
  std::string session;            // empty: none
  std::string producer;           // empty: batches have no seq
  int64_t producer_epoch = 0;     // 0: none
  int64_t first_seq = 0;          // of the first batch, with a producer; the others count on
};

/// The media type that `header` has, in lower case and without parameters; "" where it is missing.
std::string MediaType(const transport::HttpRequest& request, std::string_view header);

/// The format that a content type stands for; nothing for any other.
std::optional<RowFormat> RowFormatOf(std::string_view media_type);

/// Reads path and headers; `head.path` begins with kTablesPath, and its content type has a format.
/// kInvalidRequest, naming what is wrong; kNotFound where the path has not a namespace and a name.
Result<WriteRequest> ParseWriteRequest(const transport::HttpRequest& head);

}  // namespace arka::http
