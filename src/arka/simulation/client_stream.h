// One client's stream into one table, as the services would feed it to the engine. Belongs to one
// process: it ends with it.
#pragma once

#include <memory>

#include "arka/ingest/engine.h"

namespace arka::simulation {

class ClientStream {
 public:
  /// Opens the table; the engine is a stepped one and answers at once.
  static Result<std::unique_ptr<ClientStream>> Open(ingest::Engine& engine,
                                                    const iceberg::TableIdentifier& identifier);

  /// One write of the rows first_id, first_id + 1, …
  Result<Lsn> Write(int64_t first_id, int64_t rows);
  /// The same as the write `seq` of a producer.
  Result<ingest::Admission> Write(int64_t first_id, int64_t rows, ingest::Producer& producer,
                                  int64_t seq);
  Result<std::shared_ptr<ingest::Producer>> OpenProducer(const std::string& name) {
    return engine_.OpenProducer(*target_, name);
  }

  const ingest::Table& table() const { return *target_->table; }

 private:
  explicit ClientStream(ingest::Engine& engine) : engine_(engine) {}

  Result<ingest::DecodedWrite> Decoded(int64_t first_id, int64_t rows);

  ingest::Engine& engine_;
  std::shared_ptr<const ingest::OpenedTable> target_;
  std::unique_ptr<ingest::StreamDecoder> decoder_;
};

}  // namespace arka::simulation
