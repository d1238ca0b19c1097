#include "arka/http/write_request.h"

#include <algorithm>
#include <cctype>
#include <charconv>

#include "arka/protocol/table_name.h"
#include "arka/protocol/write_headers.h"

namespace arka::http {
namespace {

Result<iceberg::TableIdentifier> TableAt(std::string_view path) {
  std::string_view rest = path.substr(kTablesPath.size());
  const size_t slash = rest.find('/');
  if (slash == std::string_view::npos || rest.find('/', slash + 1) != std::string_view::npos) {
    return Error(ErrorCode::kNotFound, "no table at this path; expected ", kTablesPath,
                 "{namespace}/{table}, with the levels of the namespace joined by '.'");
  }
  const std::string ns(rest.substr(0, slash));
  const std::string name(rest.substr(slash + 1));
  if (ns.empty()) return Error(ErrorCode::kInvalidRequest, "the path's namespace is empty");
  ARROW_ASSIGN_OR_RAISE(const auto table, protocol::ParseTableName({ns, name}, ""));
  return iceberg::TableIdentifier{table.namespace_name, table.name};
}

Result<int64_t> SeqIn(std::string_view text) {
  int64_t seq = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), seq);
  if (error != std::errc() || end != text.data() + text.size() || seq < 1) {
    return Error(ErrorCode::kInvalidRequest, "header ", kSeqHeader, ": '", text.substr(0, 40),
                 "' is not a whole number from 1 on");
  }
  return seq;
}

Status CheckUnsupported(const transport::Metadata& headers) {
  for (std::string_view name : {protocol::kAckUntilHeader, protocol::kWatermarksHeader}) {
    if (!transport::Find(headers, name)) continue;
    return Error(ErrorCode::kInvalidRequest, "header ", name, " is of Flight's streams; a POST is",
                 " answered once, at the level of ", protocol::kAcksHeader, "; leave it out");
  }
  return Status::OK();
}

}  // namespace

std::string MediaType(const transport::HttpRequest& request, std::string_view header) {
  std::string_view value = transport::Find(request.headers, header).value_or("");
  value = value.substr(0, value.find(';'));
  while (value.ends_with(' ')) value.remove_suffix(1);
  std::string type(value);
  std::ranges::transform(type, type.begin(),
                         [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return type;
}

std::optional<RowFormat> RowFormatOf(std::string_view media_type) {
  if (media_type == kArrowStreamType) return RowFormat::kArrowStream;
  if (media_type == kNdjsonType || media_type == kJsonlType) return RowFormat::kNdjson;
  if (media_type == kCsvType) return RowFormat::kCsv;
  return std::nullopt;
}

Result<WriteRequest> ParseWriteRequest(const transport::HttpRequest& head) {
  WriteRequest request;
  ARROW_ASSIGN_OR_RAISE(request.table, TableAt(head.path));
  request.format = RowFormatOf(MediaType(head, "content-type")).value_or(request.format);
  ARROW_RETURN_NOT_OK(CheckUnsupported(head.headers));
  ARROW_ASSIGN_OR_RAISE(const auto headers, protocol::ParseWriteHeaders(head.headers));
  request.session = headers.session;
  request.producer = headers.producer;
  request.producer_epoch = headers.producer_epoch;
  if (transport::Find(head.headers, protocol::kAcksHeader)) {
    if (std::ranges::count(headers.acks, true) != 1) {
      return Error(ErrorCode::kInvalidRequest, "header ", protocol::kAcksHeader,
                   ": a POST is answered once, so it waits for one level; expected MEMORY,",
                   " LOCAL_DISK, OBJECT_STORAGE or COMMITTED");
    }
    request.level = kAllTiers[std::ranges::find(headers.acks, true) - headers.acks.begin()];
  }
  const auto seq = transport::Find(head.headers, kSeqHeader);
  if (seq.has_value() == request.producer.empty()) {
    return Error(ErrorCode::kInvalidRequest, "headers ", protocol::kProducerHeader, " and ",
                 kSeqHeader, " go together: who writes, and the seq of the body's first batch,",
                 " counted from 1; here is only ", seq ? kSeqHeader : protocol::kProducerHeader);
  }
  if (seq) {
    ARROW_ASSIGN_OR_RAISE(request.first_seq, SeqIn(*seq));
  }
  return request;
}

}  // namespace arka::http
