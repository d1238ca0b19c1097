// What to do when the server does not keep up, and rows instead of batches.
//
// usage: backpressure [grpc://HOST:PORT]
#include <chrono>
#include <iostream>

#include <arka_client/client.h>
#include <arrow/api.h>

namespace ac = arka::client;

std::shared_ptr<arrow::Schema> Readings() {
  return arrow::schema({arrow::field("sensor", arrow::utf8()),
                        arrow::field("celsius", arrow::float64()),
                        arrow::field("at", arrow::timestamp(arrow::TimeUnit::MICRO, "UTC"))});
}

arrow::Result<std::shared_ptr<arrow::RecordBatch>> Batch(int64_t rows) {
  arrow::StringBuilder sensor;
  arrow::DoubleBuilder celsius;
  arrow::TimestampBuilder at(Readings()->field(2)->type(), arrow::default_memory_pool());
  for (int64_t row = 0; row < rows; ++row) {
    ARROW_RETURN_NOT_OK(sensor.Append("cellar"));
    ARROW_RETURN_NOT_OK(celsius.Append(row));
    ARROW_RETURN_NOT_OK(at.Append(row));
  }
  ARROW_ASSIGN_OR_RAISE(auto sensors, sensor.Finish());
  ARROW_ASSIGN_OR_RAISE(auto degrees, celsius.Finish());
  ARROW_ASSIGN_OR_RAISE(auto times, at.Finish());
  return arrow::RecordBatch::Make(Readings(), rows, {sensors, degrees, times});
}

arrow::Status Batches(ac::Client& client) {
  ac::StreamOptions options;
  options.budget_bytes = 1 << 20;
  ARROW_ASSIGN_OR_RAISE(const auto stream, client.Open("guide.readings", options));
  int64_t dropped = 0;
  for (int i = 0; i < 200; ++i) {
    ARROW_ASSIGN_OR_RAISE(const auto batch, Batch(1000));
    const arrow::Status status = stream->TryWrite(batch).status();
    if (ac::CodeOf(status) == ac::Code::kResourceExhausted && ac::IsRetryable(status)) {
      ++dropped;  // or keep it elsewhere; Write() waits instead
    } else if (!status.ok()) {
      return status;
    }
  }
  ARROW_RETURN_NOT_OK(stream->Close());
  std::cout << "dropped and written: " << dropped + stream->written() << "\n";
  return arrow::Status::OK();
}

arrow::Status Rows(ac::Client& client) {
  ac::AppenderOptions options;
  options.max_rows = 5000;
  options.linger = std::chrono::milliseconds(50);
  ARROW_ASSIGN_OR_RAISE(const auto rows, client.OpenAppender("guide.readings", options));
  const auto now = std::chrono::system_clock::now();
  for (int i = 0; i < 10'000; ++i) {
    ARROW_RETURN_NOT_OK(rows->Append({"attic", 20.5 + i, now}));  // in the order of the columns
  }
  ARROW_RETURN_NOT_OK(rows->AppendNamed({{"at", now}, {"sensor", "attic"}}));  // celsius: null

  const arrow::Status misfit = rows->Append({"attic", "warm", now});
  std::cout << ac::CodeName(ac::CodeOf(misfit)) << ": " << misfit.message() << "\n";

  ARROW_RETURN_NOT_OK(rows->Close());
  std::cout << "all rows are on the server's disk\n";
  return arrow::Status::OK();
}

arrow::Status Run(const std::string& url) {
  ARROW_ASSIGN_OR_RAISE(const auto client, ac::Client::Connect(url));
  ARROW_RETURN_NOT_OK(Batches(*client));
  return Rows(*client);
}

int main(int argc, char** argv) {
  const arrow::Status done = Run(argc > 1 ? argv[1] : "grpc://localhost:8815");
  if (!done.ok()) std::cerr << done << "\n";
  return done.ok() ? 0 : 1;
}
