#include "batches.h"
#include "modes.h"
#include "write_stream.h"

#include <barrier>
#include <thread>
#include <vector>

namespace arka::bench {
namespace {

using arrow::Result;
using arrow::Status;
using Clock = WriteStream::Clock;

Status WriteAll(const ClientOptions& options, const Batches& batches, Clock::time_point start,
                WriteStream& stream) {
  const auto deadline = start + std::chrono::duration_cast<Clock::duration>(
                                    std::chrono::duration<double>(options.seconds));
  for (int64_t i = 0; options.writes > 0 ? i < options.writes : Clock::now() < deadline; ++i) {
    ARROW_RETURN_NOT_OK(stream.Write(batches.at(i)));
  }
  return stream.DoneWriting();
}

// A failed write says little; the status that Close brings says what the server said.
Status Drive(const ClientOptions& options, const Batches& batches, Clock::time_point start,
             WriteStream& stream) {
  Status read;
  std::thread reader([&] { read = stream.ReadAllAcks(); });
  Status write = WriteAll(options, batches, start, stream);
  reader.join();
  Status finish = stream.Finish();
  ARROW_RETURN_NOT_OK(read);
  ARROW_RETURN_NOT_OK(finish);
  return write;
}

}  // namespace

Result<nlohmann::json> RunPipelined(const ClientOptions& options) {
  ARROW_ASSIGN_OR_RAISE(Batches batches,
                        MakeBatches(options.batch, options.rows, options.rows > 100 ? 32 : 1000));
  std::vector<WriteStream> streams;
  for (int i = 0; i < options.streams; ++i) {
    ARROW_ASSIGN_OR_RAISE(auto connection, Connect(options.port));
    ARROW_ASSIGN_OR_RAISE(auto stream, WriteStream::Open(connection, options, batches.schema));
    streams.push_back(std::move(stream));
  }

  std::vector<Status> statuses(streams.size());
  std::vector<std::thread> threads;
  Clock::time_point start;
  std::barrier ready(options.streams, [&]() noexcept { start = Clock::now(); });
  for (size_t i = 0; i < streams.size(); ++i) {
    threads.emplace_back([&, i] {
      ready.arrive_and_wait();
      statuses[i] = Drive(options, batches, start, streams[i]);
    });
  }
  for (std::thread& thread : threads) thread.join();
  for (const Status& status : statuses) ARROW_RETURN_NOT_OK(status);

  int64_t writes = 0;
  int64_t acks = 0;
  int64_t ack_messages = 0;
  Clock::time_point end = start;
  for (WriteStream& stream : streams) {
    writes += stream.writes();
    acks += stream.ledger().total();
    ack_messages += stream.ledger().messages();
    end = std::max(end, stream.ledger().last_ack());
  }
  const double seconds = std::chrono::duration<double>(end - start).count();
  const double megabytes = static_cast<double>(writes * batches.bytes_per_batch) / 1e6;
  return nlohmann::json{{"seconds", seconds},
                        {"writes", writes},
                        {"writes_per_s", static_cast<double>(writes) / seconds},
                        {"rows_per_s", static_cast<double>(writes * options.rows) / seconds},
                        {"bytes_per_write", batches.bytes_per_batch},
                        {"mb", megabytes},
                        {"mb_per_s", megabytes / seconds},
                        {"acks", acks},
                        {"ack_messages", ack_messages}};
}

}  // namespace arka::bench
