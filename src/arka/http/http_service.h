// Everything that is answered over plain HTTP: finds the part that answers a path.
//
//   POST /api/v1/tables/{namespace}/{table}   table_writes.h
//   GET  /api/v1/acks/{session}               ack_events.h
//   POST /api/v1/query                        queries.h
//   GET  /api/v1/openapi.json                 openapi.h
//   everything else                           status_pages.h
//
// Also lets browsers' pages of other origins in, where that is configured (cors.h). Owned by the
// composition root; thread-safe.
#pragma once

#include "arka/http/ack_events.h"
#include "arka/http/cors.h"
#include "arka/http/queries.h"
#include "arka/http/status_pages.h"
#include "arka/http/table_writes.h"
#include "arka/transport/http.h"

namespace arka::http {

struct HttpOptions {
  WriteOptions writes;
  CorsOptions cors;
};

class HttpService : public transport::HttpHandler {
 public:
  /// All must outlive the service; `contexts` are bound before requests come.
  HttpService(ingest::Engine& engine, query::TableReads& reads, acks::LoopContexts& contexts,
              acks::SessionRegistry& sessions, const Clock& clock, const HttpOptions& options);

  transport::BodyTerms Admit(const transport::HttpRequest& head) override;
  transport::HttpResponse Refusal(const transport::HttpRequest& head, int status,
                                  std::string_view text) override;
  void Handle(transport::HttpRequest request, transport::HttpResponder respond) override;

  /// From here on `/readyz` says that the server stops, and nothing new is written.
  void Shutdown();

 private:
  const Cors cors_;
  StatusPages pages_;
  TableWrites writes_;
  AckEvents acks_;
  Queries queries_;
};

}  // namespace arka::http
