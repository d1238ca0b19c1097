// CommandStatementIngest of Flight SQL in a DoPut: ADBC's adbc_ingest.
//
// 1. The command names the table and says what to do where it is there and where it is not; the
//    stream's first IPC message brings the schema.
// 2. The table is made, or dropped and made anew (TableDrop), or found, before the first row is
//    taken.
// 3. The batches are written (RowSink), and once all are on disk the number of their rows is
//    answered.
// On the call's loop.
#pragma once

#include <deque>
#include <functional>
#include <memory>
#include <string>

#include <arrow/type_fwd.h>

#include "arka/flight/row_sink.h"
#include "arka/flight/table_drop.h"
#include "arka/ingest/table_changes.h"
#include "arka/query/table_naming.h"
#include "arka/transport/call.h"

namespace arka::flight {

/// What a CommandStatementIngest asks for.
struct IngestTarget {
  protocol::TableName table;
  ingest::IngestMode mode;
};

/// Out of the serialized command. kInvalidRequest, naming the field, for what makes no sense;
/// kUnimplemented for temporary tables, transactions and options.
Result<IngestTarget> ParseIngest(const std::string& command, const query::TableNaming& naming);

/// What writes the rows of a call.
using MakeRowSink = std::function<std::unique_ptr<RowSink>(
    protocol::TableName table, std::function<void(Result<int64_t>)> done)>;

class IngestCall : public transport::CallHandler {
 public:
  IngestCall(transport::ServerCall& call, acks::LoopContext& context, IngestTarget target,
             MakeRowSink make_sink)
      : call_(call),
        context_(context),
        target_(std::move(target)),
        make_sink_(std::move(make_sink)) {}

  void OnMessage(std::shared_ptr<arrow::Buffer> message) override;
  void OnHalfClose() override;
  void OnCancelled(const transport::CallStatus& why) override;

 private:
  Status Begin(const std::shared_ptr<arrow::Buffer>& message);
  void Prepare();
  void OnPrepared(const Result<ingest::IngestStep>& step);
  void OnWritten(const Result<int64_t>& rows);
  void Finish(const Status& status);
  iceberg::TableIdentifier identifier() const {
    return {target_.table.namespace_name, target_.table.name};
  }

  transport::ServerCall& call_;
  acks::LoopContext& context_;
  const IngestTarget target_;
  const MakeRowSink make_sink_;
  std::shared_ptr<arrow::Schema> schema_;                // once it has come
  std::deque<std::shared_ptr<arrow::Buffer>> messages_;  // until there is a sink
  bool half_closed_ = false;
  bool finished_ = false;
  std::unique_ptr<TableDrop> drop_;
  std::unique_ptr<RowSink> sink_;
  const std::shared_ptr<IngestCall*> self_ = std::make_shared<IngestCall*>(this);
};

}  // namespace arka::flight
