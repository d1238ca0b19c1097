#include "arka/ingest/table_definition.h"

#include <cstring>
#include <string_view>

#include <arrow/io/memory.h>
#include <arrow/ipc/dictionary.h>
#include <arrow/ipc/reader.h>
#include <arrow/ipc/writer.h>

namespace arka::ingest {
namespace {

void AppendInt(std::string* out, uint32_t value) {
  for (int shift = 0; shift < 32; shift += 8) out->push_back(static_cast<char>(value >> shift));
}

void AppendText(std::string* out, std::string_view text) {
  AppendInt(out, static_cast<uint32_t>(text.size()));
  out->append(text);
}

bool ReadInt(std::string_view* in, uint32_t* value) {
  if (in->size() < 4) return false;
  *value = 0;
  for (int i = 0; i < 4; ++i) *value |= uint32_t{static_cast<uint8_t>((*in)[i])} << (8 * i);
  in->remove_prefix(4);
  return true;
}

bool ReadText(std::string_view* in, std::string* text) {
  uint32_t size = 0;
  if (!ReadInt(in, &size) || size > in->size()) return false;
  *text = std::string(in->substr(0, size));
  in->remove_prefix(size);
  return true;
}

}  // namespace

Result<std::shared_ptr<arrow::Buffer>> EncodeTableDefinition(const TableDefinition& definition) {
  std::string out;
  AppendText(&out, definition.identifier.namespace_name);
  AppendText(&out, definition.identifier.name);
  AppendText(&out, definition.table_uuid);
  ARROW_ASSIGN_OR_RAISE(auto schema, arrow::ipc::SerializeSchema(*definition.logged_schema));
  AppendText(&out, std::string_view(*schema));
  if (definition.schema_id) AppendInt(&out, static_cast<uint32_t>(*definition.schema_id));
  return arrow::Buffer::FromString(std::move(out));
}

Result<TableDefinition> DecodeTableDefinition(const arrow::Buffer& bytes) {
  std::string_view in(bytes);
  TableDefinition definition;
  std::string schema;
  if (!ReadText(&in, &definition.identifier.namespace_name) ||
      !ReadText(&in, &definition.identifier.name) || !ReadText(&in, &definition.table_uuid) ||
      !ReadText(&in, &schema) || (!in.empty() && in.size() != 4)) {
    return Error(ErrorCode::kCorruption, "table definition: ", bytes.size(),
                 " bytes that do not parse");
  }
  if (uint32_t schema_id = 0; ReadInt(&in, &schema_id)) {
    definition.schema_id = static_cast<int>(schema_id);
  }
  arrow::io::BufferReader reader(arrow::Buffer::FromString(std::move(schema)));
  arrow::ipc::DictionaryMemo memo;
  auto read = arrow::ipc::ReadSchema(&reader, &memo);
  if (!read.ok()) {
    return Error(ErrorCode::kCorruption, "table definition of ", definition.identifier.ToString(),
                 ": ", read.status().message());
  }
  definition.logged_schema = std::move(*read);
  return definition;
}

}  // namespace arka::ingest
