// Reads writes back out of the log while the server runs, ready for their tables' buffers.
//
// For writes whose rows are not in memory: those of a backlog, those of a table that has to begin
// anew, and those that a query reads. Rows come in LSN order; a write that was given up or whose
// table is gone is left out, and so, but for queries, is one that a snapshot holds. What the log
// holds was validated in full when it was taken, so it is decoded and not validated again.
// Thread-safe as Log and TableRegistry are; blocks on the disk.
#pragma once

#include <cstdint>
#include <functional>

#include "arka/base/error.h"
#include "arka/base/lsn.h"
#include "arka/ingest/stream_decoder.h"
#include "arka/ingest/table.h"
#include "arka/ingest/table_registry.h"
#include "arka/wal/log.h"

namespace arka::ingest {

/// Decodes one record of the log as `schema`'s table stores it. kCorruption where it is no record
/// batch of schema.logged_schema().
Result<DecodedWrite> DecodeLogged(const wal::WriteRecord& record, const lake::TableSchema& schema);

class LogReplayer {
 public:
  /// Takes a write over; its charged_bytes are what it costs in memory, and charged to nobody yet.
  /// An error ends the reading.
  using Sink = std::function<Status(Table& table, BufferedWrite write)>;

  /// Both must outlive the replayer.
  LogReplayer(wal::Log& log, const TableRegistry& tables) : log_(log), tables_(tables) {}

  /// Shows `sink` the uncommitted writes of after < LSN <= through, of `only` or, where that is
  /// null, of all tables. Reads one piece of about `max_bytes` and answers the LSN that it went
  /// through: go on from there. Answers `after` where nothing more is durable. After an error some
  /// writes may have been shown: the sink knows which.
  Result<Lsn> Read(Lsn after, Lsn through, int64_t max_bytes, const Table* only,
                   const Sink& sink) const;

  /// As Read, the writes of `table`, whether a snapshot holds them by now or not.
  Result<Lsn> ReadAll(Lsn after, Lsn through, int64_t max_bytes, const Table& table,
                      const Sink& sink) const;

 private:
  struct Wanted {
    Lsn after;
    Lsn through;
    const Table* only = nullptr;  // null: every table
    bool committed_too = false;
  };
  class Filter;

  Result<Lsn> Read(const Wanted& wanted, int64_t max_bytes, const Sink& sink) const;

  wal::Log& log_;
  const TableRegistry& tables_;
};

}  // namespace arka::ingest
