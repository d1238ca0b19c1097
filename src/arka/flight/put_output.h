// The output side of a DoPut: one PutResult for every batch, in the order of the batches.
//
// Its app_metadata is {"lsn": …, "durability_level": …}, sent once the batch has reached the level
// that the stream asked for. Owned by the WriteStream; on the loop's thread.
#pragma once

#include "arka/flight/put_queue.h"
#include "arka/flight/write_output.h"
#include "arka/transport/call.h"

namespace arka::flight {

class PutOutput : public WriteOutput {
 public:
  /// `call` must outlive the output.
  PutOutput(transport::ServerCall& call, Tier level) : call_(call), level_(level) {}

  bool HasRoom() const override { return true; }
  void Add(const ingest::Admission& admission) override;
  bool Flush(const ingest::Engine& engine, const ingest::Progress& progress,
             const ingest::Table* table) override;
  void Await(acks::AckScheduler& scheduler, acks::AckScheduler::SleeperId id, Tier finish_after,
             const ingest::Table* table) const override;
  /// There is one level only: whether every result has been sent.
  bool AllSentThrough(Tier tier) const override { return queue_.empty(); }

 private:
  transport::ServerCall& call_;
  const Tier level_;
  PutQueue queue_;
};

}  // namespace arka::flight
