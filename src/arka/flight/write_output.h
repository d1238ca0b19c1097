// The output side of a writing stream: what the client is told of its batches.
//
// AckOutput tells a DoExchange every level that it asked for, PutOutput a DoPut one level of every
// batch. What is due goes out when somebody flushes, and only while the peer reads; the rest waits
// in a few bytes a batch. Owned by the WriteStream; on the loop's thread.
#pragma once

#include "arka/acks/ack_scheduler.h"
#include "arka/base/tier.h"
#include "arka/ingest/engine.h"

namespace arka::flight {

class WriteOutput {
 public:
  virtual ~WriteOutput() = default;

  /// Whether what is to be told of one more batch can be kept.
  virtual bool HasRoom() const = 0;

  /// What became of the stream's next batch. Needs room.
  virtual void Add(const ingest::Admission& admission) = 0;

  /// Sends what is due of writes to `table` (nullptr: none yet), as far as the peer reads. Answers
  /// whether there was any.
  virtual bool Flush(const ingest::Engine& engine, const ingest::Progress& progress,
                     const ingest::Table* table) = 0;

  /// Where watermark rows can be sent: sends one where something moved since the last one and the
  /// peer reads, or `though_unread`.
  virtual void SendWatermarks(const ingest::Progress& progress, bool though_unread) {}

  /// Asks `scheduler` to wake the stream for the tiers that still matter: those that the client
  /// wants, and those up to `finish_after`.
  virtual void Await(acks::AckScheduler& scheduler, acks::AckScheduler::SleeperId id,
                     Tier finish_after, const ingest::Table* table) const = 0;

  /// Whether everything that is told up to `tier` has been sent.
  virtual bool AllSentThrough(Tier tier) const = 0;
};

}  // namespace arka::flight
