// Turns the IPC messages of one stream into checked writes, ready for the log and for the table.
//
// This is the door for bytes from outside: a batch that passed here cannot fail later. Limits are
// checked before Arrow unpacks anything, every array is validated in full before any value is
// touched, encoded columns are decoded, and values are converted to what the table stores. Belongs
// to one stream; one thread at a time. The first bad message ends the stream, so no state is kept
// right after an error.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <optional>

#include <arrow/buffer.h>
#include <arrow/ipc/message.h>
#include <arrow/ipc/reader.h>
#include <arrow/record_batch.h>

#include "arka/base/error.h"
#include "arka/ingest/admission_turns.h"
#include "arka/ingest/ipc_message_view.h"
#include "arka/lake/table_schema.h"

namespace arka::ingest {

struct DecodeLimits {
  int64_t max_unpacked_bytes = 256 << 20;   // of one batch, decompressed and decoded
  int64_t max_rows = 1 << 20;               // of one batch
  int64_t max_dictionary_bytes = 64 << 20;  // of a stream's dictionaries and deltas together
};

/// A write whose LSN is still to come.
struct DecodedWrite {
  std::shared_ptr<arrow::Buffer> header;       // the IPC message to log
  std::shared_ptr<arrow::Buffer> body;         // never null
  std::shared_ptr<arrow::RecordBatch> stored;  // the same rows as the table stores them
  int64_t copied_bytes = 0;                    // of `stored`, where it does not lie in `body`
  // What `stored` is of; the table registry keeps it for the server's life.
  const lake::TableSchema* schema = nullptr;
  // Of the turns that its last refusal named (Engine::turns), where it has waited there.
  AdmissionTurns::Ticket ticket = 0;
  Shortage shortage = Shortage::kRoom;

  /// Bytes that the write keeps in memory until it is merged or in a data file.
  int64_t size_bytes() const;
};

/// Reads the metadata of a stream's first message; kInvalidRequest where it is not a schema.
Result<std::shared_ptr<arrow::Schema>> DecodeSchema(const std::shared_ptr<arrow::Buffer>& header);

class StreamDecoder {
 public:
  /// `schema_header` is the message that DecodeSchema read, `schema` what the table makes of it.
  static Result<std::unique_ptr<StreamDecoder>> Make(
      const std::shared_ptr<arrow::Buffer>& schema_header,
      std::shared_ptr<const lake::TableSchema> schema, DecodeLimits limits);

  /// Decodes one message. Nothing for a dictionary batch, a write for a record batch;
  /// kInvalidRequest (kTooLarge past a limit) for anything else. `body` may be null.
  Result<std::optional<DecodedWrite>> Decode(const std::shared_ptr<arrow::Buffer>& header,
                                             std::shared_ptr<arrow::Buffer> body);

 private:
  StreamDecoder(std::shared_ptr<const lake::TableSchema> schema, DecodeLimits limits)
      : schema_(std::move(schema)), limits_(limits) {}

  Result<IpcMessageView> CheckLimits(const arrow::Buffer& header, const arrow::Buffer& body);
  Status CheckDictionaryLimits(const IpcMessageView& view, int64_t message_bytes);
  // Streams with dictionaries go through Arrow's stream reader, which keeps them.
  Result<std::shared_ptr<arrow::RecordBatch>> ReadWithDictionaries(
      std::unique_ptr<arrow::ipc::Message> message);

  const std::shared_ptr<const lake::TableSchema> schema_;
  const DecodeLimits limits_;
  std::shared_ptr<std::deque<std::unique_ptr<arrow::ipc::Message>>> queued_;  // read by reader_
  std::shared_ptr<arrow::ipc::RecordBatchStreamReader> reader_;
  std::map<int64_t, int64_t> dictionary_bytes_;  // by dictionary id, with its deltas
  int64_t queued_dictionary_bytes_ = 0;          // as they came; until the next record batch
};

}  // namespace arka::ingest
