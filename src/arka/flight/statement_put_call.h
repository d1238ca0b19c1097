// A DoPut of Flight SQL that is about a statement: CommandStatementUpdate and
// CommandPreparedStatementUpdate run an INSERT, CommandPreparedStatementQuery binds parameters.
//
// 1. Rows of parameters may come with it; they are kept, up to a few megabytes.
// 2. At half-close the statement is run on the threads for queries, once for each row, and the
// number
//    of rows written is answered; or the rows are bound.
// On the call's loop.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include <arrow/type_fwd.h>

#include "arka/flight/sql_session.h"
#include "arka/flight_sql/any_message.h"
#include "arka/protocol/flight_data.h"
#include "arka/transport/call.h"

namespace arka::flight {

/// Whether it is one of the three.
bool IsStatementPut(const flight_sql::AnyMessage& command);

class StatementPutCall : public transport::CallHandler {
 public:
  StatementPutCall(transport::ServerCall& call, SqlSession session, flight_sql::AnyMessage command)
      : call_(call), session_(std::move(session)), command_(std::move(command)) {}

  void OnMessage(std::shared_ptr<arrow::Buffer> message) override;
  void OnHalfClose() override;

 private:
  Status Take(const std::shared_ptr<arrow::Buffer>& message);
  Status TakeBatch(const protocol::FlightData& data);
  Status Begin();
  Status Bind(const std::string& handle);
  Status Execute(std::string sql, std::shared_ptr<arrow::RecordBatch> parameters);
  /// All rows as one batch; null where there are none, or they have no columns.
  Result<std::shared_ptr<arrow::RecordBatch>> Parameters() const;
  void Finish(const Status& status);

  transport::ServerCall& call_;
  const SqlSession session_;
  const flight_sql::AnyMessage command_;
  std::shared_ptr<arrow::Schema> schema_;
  std::vector<std::shared_ptr<arrow::RecordBatch>> batches_;
  int64_t bytes_ = 0;
  bool finished_ = false;
  const std::shared_ptr<StatementPutCall*> self_ = std::make_shared<StatementPutCall*>(this);
};

}  // namespace arka::flight
