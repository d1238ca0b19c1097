// Waits only for what matters, follows acks and watermarks, and asks afterwards what became of it.
//
// usage: durable [grpc://HOST:PORT]
#include <iostream>

#include <arka_client/client.h>
#include <arka_client/tracking.h>
#include <arrow/api.h>

namespace ac = arka::client;
using arka::Tier;

arrow::Result<std::shared_ptr<arrow::RecordBatch>> Payment(double amount) {
  arrow::DoubleBuilder builder;
  ARROW_RETURN_NOT_OK(builder.Append(amount));
  ARROW_ASSIGN_OR_RAISE(auto amounts, builder.Finish());
  return arrow::RecordBatch::Make(arrow::schema({arrow::field("amount", arrow::float64())}), 1,
                                  {amounts});
}

// Returns at once for ordinary batches, for critical ones when they are in the object store.
arrow::Status WriteWithPolicy(ac::Stream& stream, std::shared_ptr<arrow::RecordBatch> batch,
                              bool critical) {
  if (!critical) return stream.Write(std::move(batch)).status();
  return stream.WriteDurable(std::move(batch), Tier::kObjectStorage).status();
}

arrow::Status Levels(ac::Client& client) {
  ARROW_ASSIGN_OR_RAISE(const auto stream, client.Open("guide.payments"));
  for (int i = 0; i < 100; ++i) {
    ARROW_ASSIGN_OR_RAISE(const auto batch, Payment(i));
    ARROW_RETURN_NOT_OK(WriteWithPolicy(*stream, batch, /*critical=*/i == 99));
  }
  ARROW_RETURN_NOT_OK(stream->Flush(Tier::kCommitted));  // now, not at the next commit
  const ac::Lag lag = stream->lag(Tier::kCommitted);
  std::cout << lag.writes << " writes wait to be committed\n";
  ARROW_RETURN_NOT_OK(stream->Close());

  // Later, perhaps in another program: what became of the writes of that session?
  ARROW_ASSIGN_OR_RAISE(const auto became, client.GetDurabilityStatus({}, client.session()));
  std::cout << "heard of " << became.events.size() << " levels\n";
  return arrow::Status::OK();
}

arrow::Status Track(ac::Client& client) {
  ac::AckTracker tracker;
  ac::StreamOptions options;
  options.on_ack = [&](const ac::Ack& ack) { tracker.OnAck(ack); };
  ARROW_ASSIGN_OR_RAISE(const auto stream, client.Open("guide.payments", options));
  std::vector<ac::WriteHandle> writes;
  for (int i = 0; i < 10; ++i) {
    ARROW_ASSIGN_OR_RAISE(const auto batch, Payment(i));
    ARROW_ASSIGN_OR_RAISE(auto write, stream->Write(batch));
    writes.push_back(std::move(write));
  }
  std::vector<arka::Lsn> lsns;
  for (const auto& write : writes) {
    ARROW_ASSIGN_OR_RAISE(const auto lsn, write.Wait(Tier::kLocalDisk));
    lsns.push_back(lsn);
  }
  ARROW_RETURN_NOT_OK(tracker.WaitAll(lsns, Tier::kObjectStorage, std::chrono::seconds(30)));
  std::cout << lsns.size() << " writes are in the object store\n";
  return stream->Close();
}

arrow::Status Keep(ac::Client& client) {
  ac::LocalCache<double> kept(Tier::kObjectStorage);
  ARROW_ASSIGN_OR_RAISE(const auto stream, client.Open("guide.payments"));
  for (int i = 0; i < 10; ++i) {
    ARROW_ASSIGN_OR_RAISE(const auto batch, Payment(i));
    ARROW_ASSIGN_OR_RAISE(auto write, stream->Write(batch));
    kept.Put(std::move(write), i);
  }
  ARROW_RETURN_NOT_OK(stream->Flush(Tier::kObjectStorage));
  ARROW_ASSIGN_OR_RAISE(const auto status, client.GetStatus());
  const auto safe = kept.Clean(status.watermarks);
  std::cout << safe.size() << " payments need not be kept any more, " << kept.size() << " do\n";
  return stream->Close();
}

arrow::Status Run(const std::string& url) {
  ARROW_ASSIGN_OR_RAISE(const auto client, ac::Client::Connect(url));
  ARROW_RETURN_NOT_OK(Levels(*client));
  ARROW_RETURN_NOT_OK(Track(*client));
  return Keep(*client);
}

int main(int argc, char** argv) {
  const arrow::Status done = Run(argc > 1 ? argv[1] : "grpc://localhost:8815");
  if (!done.ok()) std::cerr << done << "\n";
  return done.ok() ? 0 : 1;
}
