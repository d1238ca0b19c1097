// POST /api/v1/tables/{namespace}/{table}: rows as an Arrow IPC stream, NDJSON or CSV
// (docs/spec/wire.md, "HTTP").
//
// Judges a request by its head, before its body is taken in, and owns the writes that are under
// way (table_write.h). Thread-safe.
#pragma once

#include <atomic>
#include <map>
#include <memory>
#include <mutex>

#include "arka/http/table_write.h"
#include "arka/http/write_request.h"
#include "arka/transport/http.h"

namespace arka::http {

class TableWrites {
 public:
  explicit TableWrites(WriteContext context) : context_(context) {}

  transport::BodyTerms Admit(const transport::HttpRequest& head) const;
  void Handle(transport::HttpRequest request, transport::HttpResponder respond);

  /// No more are taken. Those under way end by themselves.
  void Shutdown() { shutting_down_ = true; }

 private:
  Status Check(const transport::HttpRequest& head) const;

  const WriteContext context_;
  std::atomic<bool> shutting_down_{false};
  std::mutex mutex_;
  std::map<const TableWrite*, std::shared_ptr<TableWrite>> under_way_;  // guarded by mutex_
};

}  // namespace arka::http
