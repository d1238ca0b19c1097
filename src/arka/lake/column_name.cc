#include "arka/lake/column_name.h"

#include <algorithm>
#include <array>
#include <cstdio>

#include <arrow/util/utf8.h>

namespace arka::lake {
namespace {

// The columns that Iceberg readers add to every table; Spark refuses tables that have their own.
constexpr std::array<std::string_view, 7> kMetadataColumns = {"_file",
                                                              "_pos",
                                                              "_deleted",
                                                              "_spec_id",
                                                              "_partition",
                                                              "_row_id",
                                                              "_last_updated_sequence_number"};

constexpr size_t kShownBytes = 64;

bool IsControl(char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; }

bool IsUtf8(std::string_view text) {
  arrow::util::InitializeUTF8();
  return arrow::util::ValidateUTF8(text);
}

/// The longest prefix of at most `length` bytes that does not end within a code point.
std::string_view CodePointPrefix(std::string_view text, size_t length) {
  if (text.size() <= length) return text;
  while (length > 0 && (static_cast<unsigned char>(text[length]) & 0xC0) == 0x80) --length;
  return text.substr(0, length);
}

}  // namespace

Status CheckColumnName(std::string_view name, bool top_level) {
  if (name.empty()) return Error(ErrorCode::kInvalidRequest, "the name is empty");
  if (name.size() > kMaxColumnNameBytes) {
    return Error(ErrorCode::kInvalidRequest, "the name ", QuotedName(name), " has ", name.size(),
                 " bytes, ", kMaxColumnNameBytes, " are allowed");
  }
  if (!IsUtf8(name)) {
    return Error(ErrorCode::kInvalidRequest, "the name ", QuotedName(name), " is not valid UTF-8");
  }
  if (std::any_of(name.begin(), name.end(), IsControl)) {
    return Error(ErrorCode::kInvalidRequest, "the name ", QuotedName(name),
                 " holds control characters");
  }
  if (top_level && std::ranges::find(kMetadataColumns, name) != kMetadataColumns.end()) {
    return Error(ErrorCode::kInvalidRequest, "the name ", QuotedName(name),
                 " is reserved for one of Iceberg's metadata columns");
  }
  return Status::OK();
}

std::string QuotedName(std::string_view name) {
  const std::string_view shown = CodePointPrefix(name, kShownBytes);
  const bool utf8 = IsUtf8(shown);
  std::string quoted = "'";
  for (const char c : shown) {
    if (IsControl(c) || (!utf8 && static_cast<unsigned char>(c) >= 0x80)) {
      char escaped[5];
      std::snprintf(escaped, sizeof escaped, "\\x%02x", static_cast<unsigned char>(c));
      quoted += escaped;
    } else {
      quoted += c;
    }
  }
  return quoted + (shown.size() < name.size() ? "…'" : "'");
}

}  // namespace arka::lake
