#include "arka/ingest/backlog.h"

#include <algorithm>

#include "arka/base/check.h"

namespace arka::ingest {

Backlog::Backlog(Lsn after, Lsn last, int64_t bytes)
    : phase_(Phase::kOpen), read_through_(after), last_(last), bytes_(bytes) {
  ARKA_CHECK(after <= last);
}

void Backlog::Open(Lsn last_lsn) {
  ARKA_CHECK(!active());
  *this = Backlog(last_lsn, last_lsn, 0);
}

void Backlog::OnWrite(Lsn lsn, int64_t bytes) {
  ARKA_CHECK(open() && lsn > last_);
  last_ = lsn;
  bytes_ += bytes;
}

void Backlog::OnRead(Lsn through, int64_t bytes) {
  ARKA_CHECK(active() && through >= read_through_ && through <= last_);
  read_through_ = through;
  // A write may cost less memory when it is read than when it came.
  bytes_ = all_read() ? 0 : std::max<int64_t>(0, bytes_ - bytes);
  if (all_read() && phase_ == Phase::kClosed) phase_ = Phase::kNone;
}

void Backlog::Close() {
  ARKA_CHECK(open());
  phase_ = all_read() ? Phase::kNone : Phase::kClosed;
}

}  // namespace arka::ingest
