// POST /api/v1/query: a SQL statement in, its rows out as they are made (docs/spec/wire.md,
// "HTTP"). Thread-safe.
#pragma once

#include <string_view>

#include "arka/query/table_reads.h"
#include "arka/transport/http.h"

namespace arka::http {

inline constexpr std::string_view kQueryPath = "/api/v1/query";

class Queries {
 public:
  /// `reads` must outlive the queries and the answers that they began.
  explicit Queries(query::TableReads& reads) : reads_(reads) {}

  void Handle(const transport::HttpRequest& request, transport::HttpResponder respond);

 private:
  query::TableReads& reads_;
};

}  // namespace arka::http
