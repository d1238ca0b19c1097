#include "batches.h"
#include "modes.h"
#include "percentiles.h"
#include "write_stream.h"

namespace arka::bench {

using arrow::Result;
using arrow::Status;
using Clock = WriteStream::Clock;

Result<nlohmann::json> RunPingPong(const ClientOptions& options) {
  ARROW_ASSIGN_OR_RAISE(Batches batches, MakeBatches(options.batch, options.rows, 1000));
  ARROW_ASSIGN_OR_RAISE(auto connection, Connect(options.port));
  ARROW_ASSIGN_OR_RAISE(auto stream, WriteStream::Open(connection, options, batches.schema));

  const size_t waited = options.levels.size() - 1;
  constexpr int64_t kWarmUp = 100;
  Percentiles latencies;
  const auto start = Clock::now();
  auto more = [&](int64_t i) {
    if (options.writes > 0) return i < options.writes + kWarmUp;
    return i < 2 * kWarmUp || Clock::now() - start < std::chrono::duration<double>(options.seconds);
  };
  for (int64_t i = 0; more(i); ++i) {
    const auto sent = Clock::now();
    ARROW_RETURN_NOT_OK(stream.Write(batches.at(i)));
    while (stream.ledger().count(waited) < stream.writes()) {
      ARROW_ASSIGN_OR_RAISE(bool read, stream.ReadAcks());
      if (!read) return Status::Invalid("the stream ended before the ack of write ", i);
    }
    if (i >= kWarmUp) latencies.Add(Clock::now() - sent);
  }
  const double seconds = std::chrono::duration<double>(Clock::now() - start).count();
  ARROW_RETURN_NOT_OK(stream.DoneWriting());
  ARROW_RETURN_NOT_OK(stream.ReadAllAcks());
  ARROW_RETURN_NOT_OK(stream.Finish());
  return nlohmann::json{{"seconds", seconds},
                        {"writes", stream.writes()},
                        {"writes_per_s", static_cast<double>(stream.writes()) / seconds},
                        {"acks", stream.ledger().total()},
                        {"latency", latencies.ToJson()}};
}

}  // namespace arka::bench
