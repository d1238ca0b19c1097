// Writes a batch, waits until it survives a crash, and reads it back.
//
// usage: quickstart [grpc://HOST:PORT]
#include <iostream>

#include <arka_client/client.h>
#include <arrow/api.h>

namespace ac = arka::client;

arrow::Result<std::shared_ptr<arrow::RecordBatch>> People() {
  arrow::Int64Builder id;
  arrow::StringBuilder name;
  ARROW_RETURN_NOT_OK(id.AppendValues({1, 2, 3}));
  ARROW_RETURN_NOT_OK(name.AppendValues({"Alice", "Bob", "Carol"}));
  ARROW_ASSIGN_OR_RAISE(auto ids, id.Finish());
  ARROW_ASSIGN_OR_RAISE(auto names, name.Finish());
  const auto schema =
      arrow::schema({arrow::field("id", arrow::int64()), arrow::field("name", arrow::utf8())});
  return arrow::RecordBatch::Make(schema, 3, {ids, names});
}

arrow::Status Run(const std::string& url) {
  ARROW_ASSIGN_OR_RAISE(const auto batch, People());

  ARROW_ASSIGN_OR_RAISE(const auto client, ac::Client::Connect(url));
  ARROW_ASSIGN_OR_RAISE(const auto stream, client->Open("guide.people"));
  ARROW_ASSIGN_OR_RAISE(const auto write, stream->Write(batch));  // does not wait for the server
  ARROW_ASSIGN_OR_RAISE(const auto lsn, write.Wait(arka::Tier::kLocalDisk));
  std::cout << "LSN " << lsn << " survives a crash from here on\n";
  ARROW_RETURN_NOT_OK(stream->Close());

  ARROW_ASSIGN_OR_RAISE(const auto rows, client->Query("SELECT count(*) AS n FROM guide.people"));
  ARROW_ASSIGN_OR_RAISE(const auto count, rows->column(0)->GetScalar(0));
  std::cout << count->ToString() << " rows\n";
  return arrow::Status::OK();
}

int main(int argc, char** argv) {
  const arrow::Status done = Run(argc > 1 ? argv[1] : "grpc://localhost:8815");
  if (!done.ok()) std::cerr << done << "\n";
  return done.ok() ? 0 : 1;
}
