// The rows of a query as the bytes of an answer, piece by piece. Not thread-safe; no I/O.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include <arrow/buffer.h>
#include <arrow/type_fwd.h>

#include "arka/base/error.h"
#include "arka/transport/http.h"

namespace arka::http {

inline constexpr std::string_view kJsonType = "application/json";

class ResultFormat {
 public:
  /// The one that the header `accept` asks for first, JSON where it takes anything; null where
  /// there is none that it takes.
  static std::unique_ptr<ResultFormat> Of(const transport::HttpRequest& request);

  virtual ~ResultFormat() = default;

  virtual std::string_view media_type() const = 0;
  /// The statement whose rows it is given, for the one that the client asks for.
  virtual std::string Statement(const std::string& sql) const { return sql; }
  virtual Result<std::shared_ptr<arrow::Buffer>> Begin(const arrow::Schema& schema) = 0;
  virtual Result<std::shared_ptr<arrow::Buffer>> Rows(const arrow::RecordBatch& rows) = 0;
  virtual std::shared_ptr<arrow::Buffer> End() = 0;
};

}  // namespace arka::http
