// What a call of Flight SQL works with when it runs statements: may outlive the call, on the
// threads for queries.
#pragma once

#include <memory>
#include <string>

#include "arka/auth/caller.h"
#include "arka/flight/write_stream_options.h"
#include "arka/flight_sql/insert_execution.h"
#include "arka/flight_sql/prepared_statements.h"
#include "arka/ingest/engine.h"
#include "arka/query/as_of.h"
#include "arka/query/table_reads.h"

namespace arka::flight {

inline flight_sql::RowWriterOptions RowWriterOptionsOf(const WriteStreamOptions& options) {
  flight_sql::RowWriterOptions made;
  made.limits = options.limits;
  made.admission_timeout = options.admission_timeout;
  return made;
}

/// What it refers to must outlive it.
struct SqlSession {
  ingest::Engine& engine;
  query::TableReads& reads;
  flight_sql::PreparedStatements& statements;
  const WriteStreamOptions& options;
  std::shared_ptr<auth::Caller> caller;
  std::string default_namespace;
  query::AsOf as_of = {};  // of the tables that its queries read

  query::MayRead may_read() const {
    return [caller = caller](const iceberg::TableIdentifier& table) {
      return caller->Require(auth::Right::kRead, table.ToString());
    };
  }
  flight_sql::InsertContext insert_context(query::SqlQueries& queries) const {
    return {engine,
            reads.source,
            queries,
            default_namespace,
            may_read(),
            [caller = caller](const iceberg::TableIdentifier& table) {
              return caller->Require(auth::Right::kWrite, table.ToString());
            },
            RowWriterOptionsOf(options)};
  }
};

}  // namespace arka::flight
