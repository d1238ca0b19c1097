// What tests of streams share: a server in this process, and batches of one column.
#pragma once

#include "arka_client/client.h"
#include "fake_server.h"

#include <chrono>
#include <cstdint>
#include <memory>
#include <utility>

#include <arrow/api.h>
#include <gtest/gtest.h>

namespace arka::client {

inline constexpr auto kPatience = std::chrono::seconds(20);

inline std::shared_ptr<arrow::Schema> Numbers() {
  static const auto schema = arrow::schema({arrow::field("number", arrow::int64())});
  return schema;
}

inline std::shared_ptr<arrow::RecordBatch> Batch(int64_t rows = 1) {
  arrow::Int64Builder builder;
  for (int64_t row = 0; row < rows; ++row) EXPECT_TRUE(builder.Append(row).ok());
  return arrow::RecordBatch::Make(Numbers(), rows, {builder.Finish().ValueOrDie()});
}

class StreamTest : public ::testing::Test {
 protected:
  void SetUp() override { ASSERT_TRUE(server_); }

  std::unique_ptr<Client> Connect(ClientOptions options = {}) {
    return Client::Connect(server_->url(), std::move(options)).ValueOrDie();
  }
  std::unique_ptr<Stream> Open(StreamOptions options = {}) {
    return Connect()->Open("sales.orders", std::move(options)).ValueOrDie();
  }

  std::unique_ptr<FakeServer> server_ = FakeServer::Start();
};

}  // namespace arka::client
