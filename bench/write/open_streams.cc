#include "batches.h"
#include "modes.h"
#include "percentiles.h"
#include "write_stream.h"

#include <iostream>
#include <thread>
#include <vector>

namespace arka::bench {

using arrow::Result;
using arrow::Status;
using Clock = WriteStream::Clock;

Result<nlohmann::json> RunOpenStreams(const ClientOptions& options) {
  ARROW_ASSIGN_OR_RAISE(Batches batches, MakeBatches(options.batch, options.rows, 1000));
  const auto opening = Clock::now();
  std::vector<WriteStream> streams;
  std::shared_ptr<arrow::flight::FlightClient> connection;
  for (int i = 0; i < options.streams; ++i) {
    if (i % options.streams_per_connection == 0) {
      ARROW_ASSIGN_OR_RAISE(connection, Connect(options.port));
    }
    ARROW_ASSIGN_OR_RAISE(auto stream, WriteStream::Open(connection, options, batches.schema));
    streams.push_back(std::move(stream));
  }
  const auto start = Clock::now();
  std::cerr << "open" << std::endl;

  Percentiles lateness;
  const auto rounds = static_cast<int64_t>(options.seconds);
  const auto step = std::chrono::nanoseconds(1'000'000'000 / options.streams);
  for (int64_t round = 0; round < rounds; ++round) {
    if (round + 1 == rounds) std::cerr << "holding" << std::endl;
    for (size_t i = 0; i < streams.size(); ++i) {
      const auto due = start + std::chrono::seconds(round) + step * i;
      if (Clock::now() < due) std::this_thread::sleep_until(due);
      lateness.Add(Clock::now() - due);
      ARROW_RETURN_NOT_OK(streams[i].Write(batches.at(round)));
    }
  }
  const auto written = Clock::now();

  int64_t acks = 0;
  for (WriteStream& stream : streams) ARROW_RETURN_NOT_OK(stream.DoneWriting());
  for (WriteStream& stream : streams) {
    ARROW_RETURN_NOT_OK(stream.ReadAllAcks());
    ARROW_RETURN_NOT_OK(stream.Finish());
    acks += stream.ledger().total();
  }
  return nlohmann::json{{"open_seconds", std::chrono::duration<double>(start - opening).count()},
                        {"seconds", std::chrono::duration<double>(written - start).count()},
                        {"writes", rounds * options.streams},
                        {"acks", acks},
                        {"client_lateness", lateness.ToJson()}};
}

}  // namespace arka::bench
