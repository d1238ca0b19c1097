#include "arka/protocol/ack_batch.h"

#include <algorithm>
#include <cstring>
#include <string>
#include <string_view>

#include <arrow/array.h>
#include <arrow/buffer.h>
#include <arrow/util/bit_util.h>

namespace arka::protocol {
namespace {

enum Column {
  kLsn,
  kLevel,
  kIsDurabilityUpdate,
  kTimestamp,
  kIsWatermarkUpdate,
  kDiskLsn,
  kS3Lsn,
  kCommittedLsn,
  kSnapshotId,
  kColumnCount
};

int64_t PaddedTo8(int64_t bytes) { return (bytes + 7) / 8 * 8; }

// Hands out zeroed, 8-byte aligned pieces of one allocation.
class Arena {
 public:
  explicit Arena(int64_t size_bytes)
      : buffer_(arrow::Buffer::FromString(std::string(size_bytes, '\0'))) {}

  // The bytes are writable until the batch is made.
  template <typename T>
  T* Take(int64_t count, std::shared_ptr<arrow::Buffer>* slice) {
    const int64_t bytes = count * static_cast<int64_t>(sizeof(T));
    *slice = arrow::SliceBuffer(buffer_, at_, bytes);
    auto* out = reinterpret_cast<T*>(const_cast<uint8_t*>(buffer_->data()) + at_);
    at_ += PaddedTo8(bytes);
    return out;
  }

 private:
  std::shared_ptr<arrow::Buffer> buffer_;
  int64_t at_ = 0;
};

}  // namespace

const std::shared_ptr<arrow::Schema>& AckSchema() {
  static const auto schema = arrow::schema({
      arrow::field("lsn", arrow::int64(), /*nullable=*/false),
      arrow::field("durability_level", arrow::utf8(), false),
      arrow::field("is_durability_update", arrow::boolean(), false),
      arrow::field("timestamp", arrow::timestamp(arrow::TimeUnit::MICRO, "UTC"), false),
      arrow::field("is_watermark_update", arrow::boolean(), false),
      arrow::field("disk_lsn", arrow::int64()),
      arrow::field("s3_lsn", arrow::int64()),
      arrow::field("committed_lsn", arrow::int64()),
      arrow::field("snapshot_id", arrow::int64()),
  });
  return schema;
}

std::shared_ptr<arrow::RecordBatch> MakeAckBatch(const std::vector<AckRun>& runs,
                                                 const std::optional<Watermarks>& watermarks,
                                                 int64_t watermark_timestamp_us) {
  int64_t rows = watermarks ? 1 : 0;
  int64_t level_bytes = watermarks ? TierName(Tier::kMemory).size() : 0;
  int64_t snapshots = 0;
  for (const AckRun& run : runs) {
    rows += run.rows();
    level_bytes += run.rows() * static_cast<int64_t>(TierName(run.tier).size());
    if (run.snapshot_id != 0) snapshots += run.rows();
  }
  const int64_t bitmap_bytes = arrow::bit_util::BytesForBits(rows);
  Arena arena(4 * PaddedTo8(bitmap_bytes) + 4 * 8 * rows + PaddedTo8(4 * (rows + 1)) +
              PaddedTo8(level_bytes) + 8 * rows);

  std::shared_ptr<arrow::Buffer> lsn_slice, offset_slice, level_slice, update_slice, time_slice,
      watermark_slice, null_slice, disk_slice, s3_slice, committed_slice, snapshot_valid_slice,
      snapshot_slice;
  auto* lsn = arena.Take<int64_t>(rows, &lsn_slice);
  auto* offset = arena.Take<int32_t>(rows + 1, &offset_slice);
  auto* level = arena.Take<char>(level_bytes, &level_slice);
  auto* is_update = arena.Take<uint8_t>(bitmap_bytes, &update_slice);
  auto* timestamp = arena.Take<int64_t>(rows, &time_slice);
  auto* is_watermark = arena.Take<uint8_t>(bitmap_bytes, &watermark_slice);
  auto* watermark_valid = arena.Take<uint8_t>(bitmap_bytes, &null_slice);
  auto* disk = arena.Take<int64_t>(rows, &disk_slice);
  auto* snapshot_valid = arena.Take<uint8_t>(bitmap_bytes, &snapshot_valid_slice);
  auto* snapshot = arena.Take<int64_t>(rows, &snapshot_slice);
  // Without a watermark row the three columns are null throughout and share one run of zeros.
  s3_slice = committed_slice = disk_slice;

  int64_t row = 0;
  int32_t at = 0;
  const auto put_level = [&](std::string_view name) {
    std::memcpy(level + at, name.data(), name.size());
    at += static_cast<int32_t>(name.size());
    offset[row + 1] = at;
  };
  for (const AckRun& run : runs) {
    const std::string_view name = TierName(run.tier);
    if (run.tier != Tier::kMemory) {
      arrow::bit_util::SetBitsTo(is_update, row, run.rows(), true);
    }
    if (run.snapshot_id != 0) arrow::bit_util::SetBitsTo(snapshot_valid, row, run.rows(), true);
    for (int64_t value = run.first.value; value <= run.last.value; ++value, ++row) {
      lsn[row] = value;
      timestamp[row] = run.timestamp_us;
      snapshot[row] = run.snapshot_id;
      put_level(name);
    }
  }
  if (watermarks) {
    lsn[row] = watermarks->last_lsn.value;
    timestamp[row] = watermark_timestamp_us;
    put_level(TierName(Tier::kMemory));
    arrow::bit_util::SetBit(is_watermark, row);
    arrow::bit_util::SetBit(watermark_valid, row);
    Arena more(2 * 8 * rows);
    disk[row] = watermarks->disk_lsn.value;
    more.Take<int64_t>(rows, &s3_slice)[row] = watermarks->s3_lsn.value;
    more.Take<int64_t>(rows, &committed_slice)[row] = watermarks->committed_lsn.value;
  }

  const auto& schema = *AckSchema();
  const int64_t watermark_nulls = watermarks ? rows - 1 : rows;
  std::vector<std::shared_ptr<arrow::ArrayData>> columns(kColumnCount);
  const auto column = [&](Column c, std::vector<std::shared_ptr<arrow::Buffer>> buffers,
                          int64_t nulls) {
    columns[c] = arrow::ArrayData::Make(schema.field(c)->type(), rows, std::move(buffers), nulls);
  };
  column(kLsn, {nullptr, lsn_slice}, 0);
  column(kLevel, {nullptr, offset_slice, level_slice}, 0);
  column(kIsDurabilityUpdate, {nullptr, update_slice}, 0);
  column(kTimestamp, {nullptr, time_slice}, 0);
  column(kIsWatermarkUpdate, {nullptr, watermark_slice}, 0);
  column(kDiskLsn, {null_slice, disk_slice}, watermark_nulls);
  column(kS3Lsn, {null_slice, s3_slice}, watermark_nulls);
  column(kCommittedLsn, {null_slice, committed_slice}, watermark_nulls);
  column(kSnapshotId, {snapshot_valid_slice, snapshot_slice}, rows - snapshots);
  return arrow::RecordBatch::Make(AckSchema(), rows, std::move(columns));
}

Result<AckBatchContents> ReadAckBatch(const arrow::RecordBatch& batch) {
  if (!batch.schema()->Equals(*AckSchema(), /*check_metadata=*/false)) {
    return Error(ErrorCode::kInvalidRequest, "ack batch: unexpected schema ",
                 batch.schema()->ToString());
  }
  for (int i = 0; i < batch.num_columns(); ++i) {
    const arrow::Field& field = *AckSchema()->field(i);
    if (!field.nullable() && batch.column(i)->null_count() > 0) {
      return Error(ErrorCode::kInvalidRequest, "ack batch: null in ", field.name());
    }
  }
  const auto int64s = [&](Column c) -> const arrow::Int64Array& {
    return static_cast<const arrow::Int64Array&>(*batch.column(c));
  };
  const auto& levels = static_cast<const arrow::StringArray&>(*batch.column(kLevel));
  const auto& times = static_cast<const arrow::TimestampArray&>(*batch.column(kTimestamp));
  const auto& is_watermark =
      static_cast<const arrow::BooleanArray&>(*batch.column(kIsWatermarkUpdate));
  AckBatchContents contents;
  for (int64_t i = 0; i < batch.num_rows(); ++i) {
    const Lsn lsn{int64s(kLsn).Value(i)};
    if (is_watermark.Value(i)) {
      for (const Column c : {kDiskLsn, kS3Lsn, kCommittedLsn}) {
        if (int64s(c).IsNull(i)) {
          return Error(ErrorCode::kInvalidRequest, "ack batch: a watermark is null at row ", i);
        }
      }
      contents.watermarks.push_back({lsn, Lsn{int64s(kDiskLsn).Value(i)},
                                     Lsn{int64s(kS3Lsn).Value(i)},
                                     Lsn{int64s(kCommittedLsn).Value(i)}});
      continue;
    }
    const auto tier = ParseTier(levels.GetView(i));
    if (!tier) {
      return Error(ErrorCode::kInvalidRequest, "ack batch: unknown level '", levels.GetView(i),
                   "' at row ", i);
    }
    const auto& snapshots = int64s(kSnapshotId);
    contents.rows.push_back(
        {lsn, lsn, *tier, times.Value(i), snapshots.IsNull(i) ? 0 : snapshots.Value(i)});
  }
  return contents;
}

}  // namespace arka::protocol
