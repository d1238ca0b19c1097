// Rows one by one, gathered into batches: a write of one row costs nearly what one of a thousand
// does.
//
// Made by Client::OpenAppender(). Any thread may call any method. A batch is written when it is
// full or its first row has waited for `linger`. A row is taken whole or not at all: where Append()
// fails, it is not in. Close() before the end: the destructor drops what is not on the server's
// disk.
#pragma once

#include "arka_client/stream.h"

#include <chrono>
#include <cstdint>
#include <initializer_list>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <variant>

#include <arrow/scalar.h>
#include <arrow/status.h>

namespace arka::client {

/// One value of a row: null, a bool, a number, a text or bytes (not copied before the row is
/// taken), a point in time for timestamps and dates, or, for every other type, an arrow::Scalar of
/// exactly the column's type.
class Cell {
 public:
  /// Of any year, which nanoseconds in 64 bits cannot say.
  struct Time {
    int64_t seconds;      // since 1970
    int64_t nanoseconds;  // from 0 on, beyond those
  };
  using Value = std::variant<std::monostate, bool, int64_t, uint64_t, double, std::string_view,
                             Time, std::shared_ptr<arrow::Scalar>>;

  Cell(std::nullopt_t) {}              // NOLINT: a row is written as its values
  Cell(bool value) : value_(value) {}  // NOLINT
  Cell(const char* value) {            // NOLINT
    if (value) value_ = std::string_view(value);
  }
  Cell(std::string_view value) : value_(value) {}                           // NOLINT
  Cell(const std::string& value) : value_(std::string_view(value)) {}       // NOLINT
  Cell(std::shared_ptr<arrow::Scalar> value) : value_(std::move(value)) {}  // NOLINT

  template <typename Number>
  requires std::is_arithmetic_v<Number> Cell(Number value) {  // NOLINT
    if constexpr (std::is_floating_point_v<Number>) {
      value_ = static_cast<double>(value);
    } else if constexpr (std::is_signed_v<Number>) {
      value_ = static_cast<int64_t>(value);
    } else {
      value_ = static_cast<uint64_t>(value);
    }
  }

  template <typename Duration>
  Cell(std::chrono::sys_time<Duration> value) {  // NOLINT
    const std::chrono::sys_seconds whole = std::chrono::floor<std::chrono::seconds>(value);
    const std::chrono::nanoseconds rest =
        std::chrono::duration_cast<std::chrono::nanoseconds>(value - whole);
    value_ = Time{whole.time_since_epoch().count(), rest.count()};
  }

  /// Null where it is empty.
  template <typename T>
  Cell(const std::optional<T>& value) {  // NOLINT
    if (value) value_ = Cell(*value).value_;
  }

  const Value& value() const { return value_; }

 private:
  Value value_;
};

struct AppenderOptions {
  /// A batch is written when it has so many rows, or about so many bytes, or when its first row is
  /// so old. No column may be encoded as a dictionary: it is one of its values here.
  int64_t max_rows = 10'000;
  int64_t max_bytes = 1 << 20;
  std::chrono::milliseconds linger{50};
  /// How the batches are written. Without a schema it is that of the table, which has to be there
  /// then.
  StreamOptions stream;
};

class RowBuffer;

class Appender {
 public:
  ~Appender();
  Appender(const Appender&) = delete;
  Appender& operator=(const Appender&) = delete;

  /// Takes a row, its values in the order of the schema's columns: Append({7, "seven"}). Waits
  /// where the stream's budget is used up. INVALID_ARGUMENT, naming the column, for a value that
  /// does not fit it, and for too few or too many of them.
  arrow::Status Append(std::initializer_list<Cell> row);
  arrow::Status Append(std::span<const Cell> row);
  /// Takes a row by the columns' names: AppendNamed({{"number", 7}, {"text", "seven"}}). A column
  /// that the row does not have is null.
  arrow::Status AppendNamed(std::initializer_list<std::pair<std::string_view, Cell>> row);

  /// Writes what there is, and waits until every row so far has reached `level`.
  arrow::Status Flush(Tier level = Tier::kLocalDisk, Timeout timeout = {});
  /// Writes what there is, and closes the stream once every row has reached `level`.
  arrow::Status Close(Tier level = Tier::kLocalDisk, Timeout timeout = {});

  /// What writes the batches: its acks, its lag, what it keeps.
  Stream& stream();

 private:
  friend class Client;
  struct State;
  Appender(std::unique_ptr<Stream> stream, std::shared_ptr<Outbox> outbox,
           std::unique_ptr<RowBuffer> rows, const AppenderOptions& options);

  const std::unique_ptr<State> state_;
};

}  // namespace arka::client
