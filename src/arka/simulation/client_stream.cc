#include "arka/simulation/client_stream.h"

#include <optional>
#include <utility>

#include <arrow/io/memory.h>
#include <arrow/ipc/api.h>

#include "arka/simulation/row_content.h"

namespace arka::simulation {

Result<std::unique_ptr<ClientStream>> ClientStream::Open(
    ingest::Engine& engine, const iceberg::TableIdentifier& identifier) {
  std::unique_ptr<ClientStream> stream(new ClientStream(engine));
  std::optional<Result<std::shared_ptr<const ingest::OpenedTable>>> opened;
  engine.OpenTable(identifier, RowSchema(), [&](auto result) { opened = std::move(result); });
  ARROW_ASSIGN_OR_RAISE(stream->target_, std::move(*opened));

  arrow::ipc::IpcPayload payload;
  const arrow::ipc::DictionaryFieldMapper mapper(*RowSchema());
  ARROW_RETURN_NOT_OK(arrow::ipc::GetSchemaPayload(
      *RowSchema(), arrow::ipc::IpcWriteOptions::Defaults(), mapper, &payload));
  ARROW_ASSIGN_OR_RAISE(stream->decoder_,
                        ingest::StreamDecoder::Make(payload.metadata, stream->target_->schema, {}));
  return stream;
}

Result<Lsn> ClientStream::Write(int64_t first_id, int64_t rows) {
  ARROW_ASSIGN_OR_RAISE(auto decoded, Decoded(first_id, rows));
  return engine_.Write(*target_, decoded);
}

Result<ingest::Admission> ClientStream::Write(int64_t first_id, int64_t rows,
                                              ingest::Producer& producer, int64_t seq) {
  ARROW_ASSIGN_OR_RAISE(auto decoded, Decoded(first_id, rows));
  return engine_.Write(*target_, decoded, producer, seq);
}

Result<ingest::DecodedWrite> ClientStream::Decoded(int64_t first_id, int64_t rows) {
  ARROW_ASSIGN_OR_RAISE(const auto message,
                        arrow::ipc::SerializeRecordBatch(*RowsFrom(first_id, rows),
                                                         arrow::ipc::IpcWriteOptions::Defaults()));
  arrow::io::BufferReader reader(message);
  ARROW_ASSIGN_OR_RAISE(const auto opened, arrow::ipc::ReadMessage(&reader));
  ARROW_ASSIGN_OR_RAISE(auto decoded, decoder_->Decode(opened->metadata(), opened->body()));
  return std::move(*decoded);
}

}  // namespace arka::simulation
