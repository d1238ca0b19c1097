#include "ack_ledger.h"

#include <algorithm>

#include <arrow/array.h>
#include <arrow/util/checked_cast.h>

namespace arka::bench {

using arrow::Status;

Status AckLedger::Observe(const arrow::RecordBatch& acks, Clock::time_point now) {
  if (acks.num_columns() < 2 || acks.column(0)->type_id() != arrow::Type::INT64 ||
      acks.column(1)->type_id() != arrow::Type::STRING) {
    return Status::Invalid("not an ack batch: ", acks.schema()->ToString());
  }
  const auto& lsns = arrow::internal::checked_cast<const arrow::Int64Array&>(*acks.column(0));
  const auto& levels = arrow::internal::checked_cast<const arrow::StringArray&>(*acks.column(1));
  for (int64_t i = 0; i < acks.num_rows(); ++i) {
    ARROW_RETURN_NOT_OK(ObserveOne(lsns.Value(i), levels.GetView(i), now));
  }
  ++messages_;
  last_ack_ = now;
  return Status::OK();
}

Status AckLedger::ObserveOne(int64_t lsn, std::string_view level, Clock::time_point now) {
  size_t index = last_level_;
  if (levels_[index] != level) {
    index = std::find(levels_.begin(), levels_.end(), level) - levels_.begin();
    if (index == levels_.size()) return Status::Invalid("LSN ", lsn, ": unasked level ", level);
    last_level_ = index;
  }
  const int64_t write = counts_[index]++;
  if (write < static_cast<int64_t>(lsns_.size())) {
    if (lsns_[write] != lsn) {
      return Status::Invalid("write ", write, " at ", level, ": LSN ", lsn, ", before it was ",
                             lsns_[write]);
    }
  } else {
    if (!lsns_.empty() && lsn <= lsns_.back()) {
      return Status::Invalid("LSN ", lsn, " at ", level, " after ", lsns_.back());
    }
    lsns_.push_back(lsn);
  }
  if (index > 0 && counts_[index] > counts_[index - 1]) {
    return Status::Invalid("LSN ", lsn, ": ", level, " before ", levels_[index - 1]);
  }
  if (on_ack_) on_ack_(index, write, now);
  return Status::OK();
}

Status AckLedger::CheckComplete(int64_t writes) const {
  for (size_t i = 0; i < levels_.size(); ++i) {
    if (counts_[i] != writes) {
      return Status::Invalid(writes, " writes, ", counts_[i], " acks at ", levels_[i]);
    }
  }
  return Status::OK();
}

int64_t AckLedger::total() const {
  int64_t total = 0;
  for (int64_t count : counts_) total += count;
  return total;
}

}  // namespace arka::bench
