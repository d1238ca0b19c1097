#include "arka/flight_sql/row_writer.h"

#include <condition_variable>
#include <future>
#include <mutex>
#include <string>
#include <utility>

#include "arka/query/ipc_payloads.h"

namespace arka::flight_sql {
namespace {

using Opened = Result<std::shared_ptr<const ingest::OpenedTable>>;

Opened OpenTable(ingest::Engine& engine, const iceberg::TableIdentifier& table,
                 const std::shared_ptr<arrow::Schema>& schema) {
  if (auto found = engine.FindTable(table, *schema)) return found;
  auto opened = std::make_shared<std::promise<Opened>>();
  engine.OpenTable(table, schema, [opened](const Opened& result) { opened->set_value(result); });
  return opened->get_future().get();
}

// A place in the engine's turns that a thread waits for.
struct Turn {
  std::mutex mutex;
  std::condition_variable told;
  bool is_told = false;
};

// Waits where there is no room, as streams do.
Status Write(ingest::Engine& engine, const ingest::OpenedTable& target, ingest::DecodedWrite write,
             std::chrono::milliseconds patience) {
  const auto give_up = std::chrono::steady_clock::now() + patience;
  std::shared_ptr<ingest::AdmissionTurns> turns;
  const auto turn = std::make_shared<Turn>();
  const auto leave = [&](bool refused) {
    if (turns != nullptr) std::exchange(turns, nullptr)->Leave(write.ticket, refused);
  };
  while (true) {
    const auto written = engine.Write(target, write);
    if (written.ok() || CodeOf(written.status()) != ErrorCode::kBackpressure) {
      leave(/*refused=*/false);
      return written.status();
    }
    std::unique_lock lock(turn->mutex);
    if (turns == nullptr) {
      turns = engine.turns(write.shortage);
      lock.unlock();
      write.ticket = turns->Join([turn] {
        std::lock_guard told(turn->mutex);
        turn->is_told = true;
        turn->told.notify_one();
      });
      lock.lock();
    }
    if (!turn->told.wait_until(lock, give_up, [&] { return turn->is_told; })) {
      lock.unlock();
      leave(/*refused=*/true);
      return WithContext(written.status(), "no room within write_buffer.admission_timeout");
    }
    turn->is_told = false;
  }
}

}  // namespace

Result<int64_t> WriteRows(ingest::Engine& engine, const iceberg::TableIdentifier& table,
                          const std::shared_ptr<arrow::Schema>& schema, query::SqlResult& rows,
                          const RowWriterOptions& options) {
  ARROW_ASSIGN_OR_RAISE(const auto target, OpenTable(engine, table, schema));
  ARROW_ASSIGN_OR_RAISE(const auto header, query::SchemaPayloadOf(*schema));
  ARROW_ASSIGN_OR_RAISE(const auto decoder, ingest::StreamDecoder::Make(
                                                header.metadata, target->schema, options.limits));
  int64_t count = 0;
  const auto write_all = [&]() -> Status {
    while (true) {
      ARROW_ASSIGN_OR_RAISE(auto message, rows.Next());
      if (!message) break;
      ARROW_ASSIGN_OR_RAISE(auto write, decoder->Decode(message->metadata, message->body));
      if (!write) continue;
      const int64_t more = write->stored->num_rows();
      ARROW_RETURN_NOT_OK(Write(engine, *target, *std::move(write), options.admission_timeout));
      count += more;
    }
    return engine.AwaitDisk(options.disk_patience).status();
  };
  const Status written = write_all();
  if (written.ok()) return count;
  if (count == 0) return written;
  return WithContext(written, std::to_string(count) + " rows before it have been written");
}

}  // namespace arka::flight_sql
