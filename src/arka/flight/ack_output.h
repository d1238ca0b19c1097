// The output side of a writing stream: acks as batches, and watermark rows where they were asked
// for.
//
// What is due is taken out of the cursor when somebody flushes, and only while the peer reads; the
// rest stays in the cursor. Owned by the WriteStream; on the loop's thread.
#pragma once

#include <cstdint>
#include <optional>

#include "arka/flight/ack_cursors.h"
#include "arka/flight/ack_scheduler.h"
#include "arka/ingest/engine.h"
#include "arka/protocol/write_headers.h"
#include "arka/transport/call.h"

namespace arka::flight {

class AckOutput {
 public:
  /// Sends the ack schema (Go and Rust clients wait for it). Both must outlive the output.
  AckOutput(transport::ServerCall& call, const protocol::WriteHeaders& headers);

  /// Whether the acks of one more batch can be kept: not where too many retries wait for theirs.
  bool HasRoom() const { return acks_.HasRoom(); }

  /// What became of the stream's next batch. Needs room.
  void Add(const ingest::Admission& admission);

  /// Sends the acks that are due of writes to `table` (nullptr: none yet), as far as the peer
  /// reads. Answers whether there were any.
  bool Flush(const ingest::Engine& engine, const ingest::Progress& progress,
             const ingest::Table* table);

  /// Sends a watermark row where something moved since the last one and the peer reads, or
  /// `though_unread`.
  void SendWatermarks(const ingest::Progress& progress, bool though_unread = false);

  /// Asks `scheduler` to wake the stream for the tiers that still matter: those that the client
  /// wants, and those up to `finish_after`.
  void Await(AckScheduler& scheduler, AckScheduler::SleeperId id, Tier finish_after,
             const ingest::Table* table) const;

  /// Whether every ack up to `tier` has been sent.
  bool AllSentThrough(Tier tier) const { return acks_.AllTakenThrough(tier); }

 private:
  transport::ServerCall& call_;
  const Tier highest_awaited_;
  AckCursors acks_;
  std::optional<protocol::Watermarks> sent_watermarks_;
};

}  // namespace arka::flight
