#include "arka/ingest/producer_checkpoint.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <string_view>
#include <utility>

#include "arka/wal/byte_order.h"
#include "arka/wal/crc32c.h"

namespace arka::ingest {
namespace {

constexpr std::string_view kMagic = "ARKA-PRD";
constexpr uint32_t kVersion = 2;
constexpr uint32_t kVersionWithoutEpochs = 1;  // still read
constexpr size_t kHeaderBytes = 512;
constexpr size_t kMaxNodeBytes = 255;

enum Field : size_t {
  kVersionAt = 8,     // u32
  kCrcAt = 12,        // u32
  kLsnAt = 16,        // i64
  kBytesAt = 24,      // i64
  kProducersAt = 32,  // u32
  kLostAt = 36,       // u32
  kNodeBytesAt = 40,  // u16
  kNodeAt = 48,
  kRunningAt = 304,    // i64
  kForgottenAt = 312,  // i64
};

uint32_t CrcOf(ByteSpan bytes) {
  return wal::ExtendCrc32c(wal::Crc32c(bytes.first(kCrcAt)), bytes.subspan(kLsnAt));
}

template <typename T>
void Put(std::string* out, T value) {
  std::array<std::byte, sizeof(T)> bytes;
  wal::StoreLittle(bytes.data(), value);
  out->append(reinterpret_cast<const char*>(bytes.data()), bytes.size());
}

template <typename T>
void PutAt(std::string* out, size_t offset, T value) {
  wal::StoreLittle(reinterpret_cast<std::byte*>(out->data() + offset), value);
}

void PutProducer(std::string* out, const ProducerState& state) {
  Put(out, static_cast<uint16_t>(state.name.size()));
  Put(out, static_cast<uint16_t>(state.table_uuid.size()));
  Put(out, static_cast<uint32_t>(state.runs.size()));
  Put(out, static_cast<int64_t>(state.last_write.count()));
  Put(out, state.forgotten_seq);
  Put(out, state.forgotten_lsn.value);
  Put(out, state.epoch);
  Put(out, state.before_epoch);
  out->append(state.name);
  out->append(state.table_uuid);
  for (const SeqRun& run : state.runs) {
    Put(out, run.first_seq);
    Put(out, run.first_lsn.value);
    Put(out, run.count);
  }
}

// Takes values off the front; once something is missing, everything is 0 and ok() is false.
class Reader {
 public:
  explicit Reader(ByteSpan bytes) : bytes_(bytes) {}

  template <typename T>
  T Take() {
    const ByteSpan from = TakeBytes(sizeof(T));
    return from.empty() ? T{} : wal::LoadLittle<T>(from.data());
  }
  std::string TakeText(size_t size) {
    const ByteSpan from = TakeBytes(size);
    return {reinterpret_cast<const char*>(from.data()), from.size()};
  }
  bool ok() const { return ok_; }
  bool at_end() const { return bytes_.empty(); }

 private:
  ByteSpan TakeBytes(size_t size) {
    if (size > bytes_.size()) {
      ok_ = false;
      bytes_ = {};
      return {};
    }
    return std::exchange(bytes_, bytes_.subspan(size)).first(size);
  }

  ByteSpan bytes_;
  bool ok_ = true;
};

ProducerState TakeProducer(Reader* reader, uint32_t version) {
  ProducerState state;
  const auto name_bytes = reader->Take<uint16_t>();
  const auto uuid_bytes = reader->Take<uint16_t>();
  const auto runs = reader->Take<uint32_t>();
  state.last_write = RunningTime(reader->Take<int64_t>());
  state.forgotten_seq = reader->Take<int64_t>();
  state.forgotten_lsn = Lsn{reader->Take<int64_t>()};
  if (version > kVersionWithoutEpochs) {
    state.epoch = reader->Take<int64_t>();
    state.before_epoch = reader->Take<int64_t>();
  }
  state.name = reader->TakeText(name_bytes);
  state.table_uuid = reader->TakeText(uuid_bytes);
  for (uint32_t i = 0; i < runs && reader->ok(); ++i) {
    const auto first_seq = reader->Take<int64_t>();
    const Lsn first_lsn{reader->Take<int64_t>()};
    state.runs.push_back({first_seq, first_lsn, reader->Take<int64_t>()});
  }
  return state;
}

Status Corrupt(std::string_view what) {
  return Error(ErrorCode::kCorruption, "checkpoint: ", what);
}

}  // namespace

std::shared_ptr<arrow::Buffer> EncodeCheckpoint(const ProducerCheckpoint& checkpoint,
                                                const std::string& node) {
  const std::string_view name = std::string_view(node).substr(0, kMaxNodeBytes);
  std::string out(kHeaderBytes, '\0');
  for (const ProducerState& state : checkpoint.producers) PutProducer(&out, state);
  for (const LsnRange& range : checkpoint.lost) {
    Put(&out, range.first.value);
    Put(&out, range.last.value);
  }
  out.replace(0, kMagic.size(), kMagic);
  PutAt(&out, kVersionAt, kVersion);
  PutAt(&out, kLsnAt, checkpoint.lsn.value);
  PutAt(&out, kBytesAt, static_cast<int64_t>(out.size()));
  PutAt(&out, kProducersAt, static_cast<uint32_t>(checkpoint.producers.size()));
  PutAt(&out, kLostAt, static_cast<uint32_t>(checkpoint.lost.size()));
  PutAt(&out, kNodeBytesAt, static_cast<uint16_t>(name.size()));
  out.replace(kNodeAt, name.size(), name);
  PutAt(&out, kRunningAt, static_cast<int64_t>(checkpoint.running.count()));
  PutAt(&out, kForgottenAt, checkpoint.forgotten_through.value);
  PutAt(&out, kCrcAt, CrcOf(std::as_bytes(std::span(out))));
  return arrow::Buffer::FromString(std::move(out));
}

Result<ProducerCheckpoint> DecodeCheckpoint(ByteSpan bytes) {
  if (bytes.size() < kHeaderBytes) return Corrupt("shorter than its header");
  const std::byte* at = bytes.data();
  if (std::memcmp(at, kMagic.data(), kMagic.size()) != 0) return Corrupt("no ARKA-PRD at offset 0");
  const auto version = wal::LoadLittle<uint32_t>(at + kVersionAt);
  const auto size = wal::LoadLittle<int64_t>(at + kBytesAt);
  if (size < static_cast<int64_t>(kHeaderBytes) || std::cmp_greater(size, bytes.size())) {
    return Corrupt("its length does not fit");
  }
  bytes = bytes.first(static_cast<size_t>(size));
  if (wal::LoadLittle<uint32_t>(at + kCrcAt) != CrcOf(bytes)) return Corrupt("the CRC fails");
  if (version != kVersion && version != kVersionWithoutEpochs) {
    return Error(ErrorCode::kCorruption, "checkpoint: format version ", version,
                 "; this Arka reads ", kVersionWithoutEpochs, " and ", kVersion);
  }
  ProducerCheckpoint checkpoint;
  checkpoint.lsn = Lsn{wal::LoadLittle<int64_t>(at + kLsnAt)};
  checkpoint.running = RunningTime(wal::LoadLittle<int64_t>(at + kRunningAt));
  checkpoint.forgotten_through = Lsn{wal::LoadLittle<int64_t>(at + kForgottenAt)};
  Reader reader(bytes.subspan(kHeaderBytes));
  const auto producers = wal::LoadLittle<uint32_t>(at + kProducersAt);
  const auto lost = wal::LoadLittle<uint32_t>(at + kLostAt);
  for (uint32_t i = 0; i < producers && reader.ok(); ++i) {
    checkpoint.producers.push_back(TakeProducer(&reader, version));
  }
  for (uint32_t i = 0; i < lost && reader.ok(); ++i) {
    const Lsn first{reader.Take<int64_t>()};
    checkpoint.lost.push_back({first, Lsn{reader.Take<int64_t>()}});
  }
  if (!reader.ok() || !reader.at_end()) return Corrupt("its parts do not add up to its length");
  return checkpoint;
}

}  // namespace arka::ingest
