#include "batches.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <random>

#include <arrow/array/util.h>
#include <arrow/builder.h>
#include <arrow/type.h>
#include <arrow/util/byte_size.h>

namespace arka::bench {
namespace {

using arrow::Result;
using arrow::Status;

constexpr int64_t kStartMicros = 1'700'000'000'000'000;

Result<std::shared_ptr<arrow::RecordBatch>> MakeNarrow(const std::shared_ptr<arrow::Schema>& schema,
                                                       int64_t first_id, int64_t rows) {
  arrow::Int64Builder id;
  arrow::DoubleBuilder temperature;
  arrow::Int64Builder time;
  for (int64_t i = first_id; i < first_id + rows; ++i) {
    ARROW_RETURN_NOT_OK(id.Append(i));
    ARROW_RETURN_NOT_OK(temperature.Append(20 + static_cast<double>(i % 150) / 10));
    ARROW_RETURN_NOT_OK(time.Append(kStartMicros + i * 1000));
  }
  ARROW_ASSIGN_OR_RAISE(auto a, id.Finish());
  ARROW_ASSIGN_OR_RAISE(auto b, temperature.Finish());
  ARROW_ASSIGN_OR_RAISE(auto c, time.Finish());
  return arrow::RecordBatch::Make(schema, rows, {a, b, c});
}

// One order event after another; keeps the random state, so that batches differ.
class OrderEvents {
 public:
  explicit OrderEvents(std::shared_ptr<arrow::Schema> schema) : schema_(std::move(schema)) {}

  Result<std::shared_ptr<arrow::RecordBatch>> Next(int64_t rows) {
    arrow::Int64Builder event_id;
    arrow::Int64Builder customer_id;
    arrow::TimestampBuilder created(schema_->field(2)->type(), arrow::default_memory_pool());
    arrow::DoubleBuilder amount;
    arrow::DoubleBuilder latitude;
    arrow::DoubleBuilder longitude;
    arrow::Int32Builder quantity;
    arrow::StringBuilder category;
    arrow::StringBuilder country;
    arrow::StringBuilder reference;
    for (int64_t i = 0; i < rows; ++i) {
      micros_ += static_cast<int64_t>(arrival_(random_));
      ARROW_RETURN_NOT_OK(event_id.Append(next_id_++));
      ARROW_RETURN_NOT_OK(customer_id.Append(1 + static_cast<int64_t>(customer_(random_))));
      ARROW_RETURN_NOT_OK(created.Append(micros_));
      ARROW_RETURN_NOT_OK(amount.Append(std::round(amount_(random_) * 100) / 100));
      ARROW_RETURN_NOT_OK(latitude.Append(48 + place_(random_)));
      ARROW_RETURN_NOT_OK(longitude.Append(9 + place_(random_)));
      if (percent_(random_) < 3) {
        ARROW_RETURN_NOT_OK(quantity.AppendNull());
      } else {
        ARROW_RETURN_NOT_OK(quantity.Append(1 + percent_(random_) % 9));
      }
      ARROW_RETURN_NOT_OK(category.Append(kCategories[Skewed(kCategories.size())]));
      ARROW_RETURN_NOT_OK(country.Append(kCountries[Skewed(kCountries.size())]));
      ARROW_RETURN_NOT_OK(reference.Append(Reference()));
    }
    arrow::ArrayVector columns;
    for (arrow::ArrayBuilder* builder : std::initializer_list<arrow::ArrayBuilder*>{
             &event_id, &customer_id, &created, &amount, &latitude, &longitude, &quantity,
             &category, &country, &reference}) {
      ARROW_ASSIGN_OR_RAISE(auto column, builder->Finish());
      columns.push_back(std::move(column));
    }
    return arrow::RecordBatch::Make(schema_, rows, std::move(columns));
  }

 private:
  static constexpr std::array<const char*, 8> kCategories = {
      "books", "garden", "groceries", "electronics", "toys", "sports", "clothing", "music"};
  static constexpr std::array<const char*, 6> kCountries = {"DE", "FR", "AT", "CH", "NL", "PL"};

  size_t Skewed(size_t size) { return std::min<size_t>(size - 1, skew_(random_)); }

  // 25 characters that do not compress to nothing, as order references do not.
  std::string Reference() {
    static constexpr char kDigits[] = "0123456789ABCDEF";
    std::string text = "ORD-2026-";
    uint64_t bits = random_();
    for (int i = 0; i < 16; ++i, bits >>= 4) text.push_back(kDigits[bits & 15]);
    return text;
  }

  std::shared_ptr<arrow::Schema> schema_;
  std::mt19937_64 random_{20240229};
  std::exponential_distribution<double> arrival_{1.0 / 250};
  std::exponential_distribution<double> customer_{1.0 / 50'000};
  std::lognormal_distribution<double> amount_{3.2, 0.9};
  std::normal_distribution<double> place_{0, 2};
  std::uniform_int_distribution<int> percent_{0, 99};
  std::geometric_distribution<size_t> skew_{0.4};
  int64_t next_id_ = 1;
  int64_t micros_ = kStartMicros;
};

std::shared_ptr<arrow::Schema> NarrowSchema() {
  return arrow::schema({arrow::field("id", arrow::int64()),
                        arrow::field("temperature", arrow::float64()),
                        arrow::field("time", arrow::int64())});
}

std::shared_ptr<arrow::Schema> OrderSchema() {
  return arrow::schema(
      {arrow::field("event_id", arrow::int64()), arrow::field("customer_id", arrow::int64()),
       arrow::field("created", arrow::timestamp(arrow::TimeUnit::MICRO, "UTC")),
       arrow::field("amount", arrow::float64()), arrow::field("latitude", arrow::float64()),
       arrow::field("longitude", arrow::float64()), arrow::field("quantity", arrow::int32()),
       arrow::field("category", arrow::utf8()), arrow::field("country", arrow::utf8()),
       arrow::field("reference", arrow::utf8())});
}

}  // namespace

Result<Batches> MakeBatches(const std::string& kind, int64_t rows, int distinct) {
  if (kind != "narrow" && kind != "realistic") {
    return Status::Invalid("no such batch: ", kind, " (narrow, realistic)");
  }
  Batches result;
  result.schema = kind == "narrow" ? NarrowSchema() : OrderSchema();
  OrderEvents orders(result.schema);
  int64_t bytes = 0;
  for (int i = 0; i < distinct; ++i) {
    ARROW_ASSIGN_OR_RAISE(auto batch, kind == "narrow" ? MakeNarrow(result.schema, i * rows, rows)
                                                       : orders.Next(rows));
    ARROW_ASSIGN_OR_RAISE(int64_t size, arrow::util::ReferencedBufferSize(*batch));
    bytes += size;
    result.batches.push_back(std::move(batch));
  }
  result.bytes_per_batch = bytes / distinct;
  return result;
}

}  // namespace arka::bench
