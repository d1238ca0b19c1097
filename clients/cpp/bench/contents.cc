#include "contents.h"

#include <algorithm>
#include <cstdio>

#include <arrow/api.h>

namespace arka::client::bench {

void FormatText(int64_t number, char* text) {
  for (int at = kTextBytes - 1; at >= 0; --at, number /= 10) {
    text[at] = static_cast<char>('0' + number % 10);
  }
  text[kTextBytes] = '\0';
}

const std::shared_ptr<arrow::Schema>& Schema() {
  static const auto schema = arrow::schema(
      {arrow::field("number", arrow::int64(), false), arrow::field("text", arrow::utf8())});
  return schema;
}

arrow::Result<std::shared_ptr<arrow::RecordBatch>> Contents::Next() {
  arrow::Int64Builder numbers;
  arrow::StringBuilder texts;
  ARROW_RETURN_NOT_OK(numbers.Reserve(rows_));
  ARROW_RETURN_NOT_OK(texts.Reserve(rows_));
  char text[kTextBytes + 1];
  for (const int64_t end = number_ + rows_; number_ < end; ++number_) {
    FormatText(number_, text);
    numbers.UnsafeAppend(number_);
    ARROW_RETURN_NOT_OK(texts.Append(text, kTextBytes));
  }
  ARROW_ASSIGN_OR_RAISE(auto number, numbers.Finish());
  ARROW_ASSIGN_OR_RAISE(auto text_column, texts.Finish());
  return arrow::RecordBatch::Make(Schema(), rows_, {std::move(number), std::move(text_column)});
}

void Latencies::Add(std::chrono::steady_clock::duration latency) {
  us_.push_back(std::chrono::duration<double, std::micro>(latency).count());
}

nlohmann::json Latencies::ToJson() {
  std::sort(us_.begin(), us_.end());
  const auto at = [&](double part) {
    return us_.empty() ? 0.0 : us_[static_cast<size_t>(part * (us_.size() - 1))];
  };
  return {{"writes", us_.size()}, {"p50_us", at(0.5)}, {"p99_us", at(0.99)}};
}

}  // namespace arka::client::bench
