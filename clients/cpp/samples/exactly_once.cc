// A job that goes on where its last run stopped. Runs it twice.
//
// usage: exactly_once [grpc://HOST:PORT]
#include <iostream>

#include <arka_client/client.h>
#include <arrow/api.h>

namespace ac = arka::client;

arrow::Result<std::shared_ptr<arrow::RecordBatch>> Line(int64_t number) {
  arrow::Int64Builder builder;
  ARROW_RETURN_NOT_OK(builder.Append(number));
  ARROW_ASSIGN_OR_RAISE(auto numbers, builder.Finish());
  return arrow::RecordBatch::Make(arrow::schema({arrow::field("number", arrow::int64())}), 1,
                                  {numbers});
}

arrow::Status WriteLines(ac::Client& client, int64_t until) {
  ac::StreamOptions options;
  options.producer = "till 4";
  ARROW_ASSIGN_OR_RAISE(const auto stream, client.Open("guide.lines", options));
  // Every batch is one line here, so the number of batches says where to go on.
  for (int64_t number = stream->next_seq(); number <= until; ++number) {
    ARROW_ASSIGN_OR_RAISE(const auto line, Line(number));
    ARROW_RETURN_NOT_OK(stream->Write(line).status());
  }
  return stream->Close();  // everything is on the server's disk
}

arrow::Status Run(const std::string& url) {
  ARROW_ASSIGN_OR_RAISE(const auto client, ac::Client::Connect(url));
  ARROW_RETURN_NOT_OK(WriteLines(*client, 300));
  ARROW_RETURN_NOT_OK(WriteLines(*client, 500));
  ARROW_ASSIGN_OR_RAISE(
      const auto rows,
      client->Query("SELECT count(*) AS n, count(DISTINCT number) AS different FROM guide.lines"));
  ARROW_ASSIGN_OR_RAISE(const auto count, rows->column(0)->GetScalar(0));
  ARROW_ASSIGN_OR_RAISE(const auto different, rows->column(1)->GetScalar(0));
  std::cout << count->ToString() << " lines, " << different->ToString() << " different\n";
  return arrow::Status::OK();
}

int main(int argc, char** argv) {
  const arrow::Status done = Run(argc > 1 ? argv[1] : "grpc://localhost:8815");
  if (!done.ok()) std::cerr << done << "\n";
  return done.ok() ? 0 : 1;
}
