#include "arka/flight/row_sink.h"

#include <string>
#include <utility>

namespace arka::flight {

RowSink::RowSink(transport::ServerCall& call, acks::LoopContext& context, const Clock& clock,
                 const WriteStreamOptions& options, protocol::TableName table,
                 std::function<void(Result<int64_t>)> done)
    : context_(context),
      done_(std::move(done)),
      id_(context.scheduler.Add(*this)),
      input_(call, context, clock, options, WriteRpc::kDoPut, /*producer=*/"", /*epoch=*/0, *this) {
  input_.WriteTo(std::move(table));
}

RowSink::~RowSink() { context_.scheduler.Remove(id_); }

void RowSink::OnInputError(Status error) {
  const int64_t rows = input_.rows();
  if (rows > 0) {
    error = WithContext(error, std::to_string(rows) + " rows before it have been written");
  }
  End(std::move(error));
}

void RowSink::Look(const ingest::Progress& progress) {
  if (has_ended_ || !input_.done()) return;
  if (progress.watermarks.disk_lsn >= last_) return End(input_.rows());
  if (progress.failed) return End(context_.engine.failure());
  context_.scheduler.Await(id_, Tier::kLocalDisk, last_, nullptr);
}

void RowSink::Shutdown() {
  if (input_.done()) return;  // what it waits for comes soon
  End(Error(ErrorCode::kShuttingDown, "the server is shutting down; ", input_.rows(),
            " rows have been written"));
}

void RowSink::End(Result<int64_t> rows) {
  if (std::exchange(has_ended_, true)) return;
  input_.Stop();
  done_(std::move(rows));
}

}  // namespace arka::flight
