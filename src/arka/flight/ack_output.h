// The output side of a DoExchange: acks as batches, and watermark rows where they were asked for.
//
// What is due is taken out of the cursor when somebody flushes, and only while the peer reads; the
// rest stays in the cursor. Owned by the WriteStream; on the loop's thread.
#pragma once

#include <cstdint>
#include <optional>

#include "arka/acks/ack_cursors.h"
#include "arka/flight/write_output.h"
#include "arka/protocol/write_headers.h"
#include "arka/transport/call.h"

namespace arka::flight {

class AckOutput : public WriteOutput {
 public:
  /// Sends the ack schema (Go and Rust clients wait for it). Both must outlive the output.
  AckOutput(transport::ServerCall& call, const protocol::WriteHeaders& headers);

  /// Not where too many retries wait for their acks.
  bool HasRoom() const override { return acks_.HasRoom(); }
  void Add(const ingest::Admission& admission) override;
  bool Flush(const ingest::Engine& engine, const ingest::Progress& progress,
             const ingest::Table* table) override;
  void SendWatermarks(const ingest::Progress& progress, bool though_unread) override;
  void Await(acks::AckScheduler& scheduler, acks::AckScheduler::SleeperId id, Tier finish_after,
             const ingest::Table* table) const override;
  bool AllSentThrough(Tier tier) const override { return acks_.AllTakenThrough(tier); }

 private:
  transport::ServerCall& call_;
  const Tier highest_awaited_;
  acks::AckCursors acks_;
  std::optional<protocol::Watermarks> sent_watermarks_;
};

}  // namespace arka::flight
