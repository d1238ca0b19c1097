#include "raw.h"

#include <condition_variable>
#include <memory>
#include <mutex>
#include <thread>

#include <arrow/flight/client.h>

namespace arka::client::bench {
namespace {

namespace flight = arrow::flight;
using arrow::Result;
using arrow::Status;

struct Exchange {
  std::unique_ptr<flight::FlightClient> client;
  flight::FlightClient::DoExchangeResult stream;
};

// `level` is the one that is to be told of each write.
Result<Exchange> Open(const Asked& asked, const std::string& level) {
  ARROW_ASSIGN_OR_RAISE(const auto location, flight::Location::Parse(asked.url));
  Exchange exchange;
  ARROW_ASSIGN_OR_RAISE(exchange.client, flight::FlightClient::Connect(location));
  flight::FlightCallOptions options;
  options.headers = {{"arka-acks", level}, {"arka-ack-until", level}};
  const size_t dot = asked.table.rfind('.');
  const auto descriptor = flight::FlightDescriptor::Path(
      {"streaming_write", asked.table.substr(0, dot), asked.table.substr(dot + 1)});
  ARROW_ASSIGN_OR_RAISE(exchange.stream, exchange.client->DoExchange(options, descriptor));
  ARROW_RETURN_NOT_OK(exchange.stream.writer->Begin(Schema()));
  return exchange;
}

// How many writes are not answered yet.
class InFlight {
 public:
  explicit InFlight(int64_t limit) : limit_(limit) {}

  // False: the answers have ended.
  bool Send() {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return count_ < limit_ || ended_; });
    ++count_;
    return !ended_;
  }
  void Answered(int64_t rows) {
    const std::lock_guard lock(mutex_);
    count_ -= rows;
    changed_.notify_one();
  }
  void End() {
    const std::lock_guard lock(mutex_);
    ended_ = true;
    changed_.notify_one();
  }

 private:
  const int64_t limit_;
  std::mutex mutex_;
  std::condition_variable changed_;
  int64_t count_ = 0;
  bool ended_ = false;
};

// Answers are counted in rows; returns how many there were.
Result<int64_t> ReadToTheEnd(flight::FlightStreamReader& reader, InFlight& in_flight) {
  for (int64_t answered = 0;;) {
    ARROW_ASSIGN_OR_RAISE(const auto chunk, reader.Next());
    if (!chunk.data) return answered;
    answered += chunk.data->num_rows();
    in_flight.Answered(chunk.data->num_rows());
  }
}

}  // namespace

Result<nlohmann::json> RawWrites(const Asked& asked) {
  ARROW_ASSIGN_OR_RAISE(const Exchange exchange, Open(asked, "LOCAL_DISK"));
  InFlight in_flight(asked.in_flight);
  Result<int64_t> answered = 0;
  ARROW_RETURN_NOT_OK(exchange.stream.reader->GetSchema().status());
  const Clock clock(asked.seconds);
  std::thread reader([&] {
    answered = ReadToTheEnd(*exchange.stream.reader, in_flight);
    in_flight.End();
  });
  Contents contents(asked.rows);
  int64_t writes = 0;
  Status sent;
  while (sent.ok() && !clock.over() && in_flight.Send()) {
    auto batch = contents.Next();
    sent = batch.ok() ? exchange.stream.writer->WriteRecordBatch(**batch) : batch.status();
    writes += sent.ok();
  }
  const Status half_closed = exchange.stream.writer->DoneWriting();
  reader.join();
  const double seconds = clock.seconds();
  ARROW_RETURN_NOT_OK(answered.status());
  ARROW_RETURN_NOT_OK(sent);
  ARROW_RETURN_NOT_OK(half_closed);
  if (*answered != writes) {
    return Status::Invalid(*answered, " answers to ", writes, " writes");
  }
  ARROW_RETURN_NOT_OK(exchange.stream.writer->Close());
  return nlohmann::json{{"writes", writes}, {"seconds", seconds}};
}

Result<nlohmann::json> RawLatency(const Asked& asked) {
  ARROW_ASSIGN_OR_RAISE(const Exchange exchange, Open(asked, "MEMORY"));
  ARROW_RETURN_NOT_OK(exchange.stream.reader->GetSchema().status());
  const Clock clock(asked.seconds);
  Contents contents(asked.rows);
  Latencies latencies;
  while (!clock.over()) {
    const auto began = std::chrono::steady_clock::now();
    ARROW_ASSIGN_OR_RAISE(const auto batch, contents.Next());
    ARROW_RETURN_NOT_OK(exchange.stream.writer->WriteRecordBatch(*batch));
    ARROW_ASSIGN_OR_RAISE(const auto answer, exchange.stream.reader->Next());
    if (!answer.data) return Status::IOError("the server ended the stream");
    latencies.Add(std::chrono::steady_clock::now() - began);
  }
  ARROW_RETURN_NOT_OK(exchange.stream.writer->DoneWriting());
  InFlight none(0);
  ARROW_RETURN_NOT_OK(ReadToTheEnd(*exchange.stream.reader, none).status());
  ARROW_RETURN_NOT_OK(exchange.stream.writer->Close());
  return latencies.ToJson();
}

}  // namespace arka::client::bench
