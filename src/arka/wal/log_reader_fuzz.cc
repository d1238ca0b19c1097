// Any bytes as a log object and as the only segment of a log: an error or records, never a crash.
#include <cstddef>
#include <cstdint>

#include "arka/testing/memory_fs.h"
#include "arka/wal/control_file.h"
#include "arka/wal/log_object.h"
#include "arka/wal/replay.h"
#include "arka/wal/segment_header.h"

namespace arka::wal {
namespace {

// Touches every byte that it is shown.
class TouchedRecords : public ReplayVisitor {
 public:
  Status OnDefinition(const Definition& definition) override {
    Touch(*definition.bytes);
    return Status::OK();
  }
  Status OnWrite(WriteRecord record) override {
    Touch(*record.header);
    Touch(*record.body);
    return Status::OK();
  }

 private:
  void Touch(const arrow::Buffer& buffer) {
    for (int64_t i = 0; i < buffer.size(); ++i) sum_ = sum_ + buffer.data()[i];
  }
  volatile uint64_t sum_ = 0;
};

void ReadAsSegment(ByteSpan bytes) {
  MemoryFs fs;
  const Result<SegmentHeader> header = DecodeSegmentHeader(bytes);
  const int64_t number = header.ok() && header->number > 0 ? header->number : 1;
  const std::string name = SegmentFileName(number);
  fs.SetContents("/log/" + name, {bytes.begin(), bytes.end()});
  LogState state;
  state.first_segment = number;
  DefinitionTable definitions;
  TouchedRecords records;
  (void)Replay(fs, "/log", {name}, state, definitions, records);
}

}  // namespace
}  // namespace arka::wal

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  arka::wal::TouchedRecords records;
  const auto object = std::make_shared<arrow::Buffer>(data, static_cast<int64_t>(size));
  (void)arka::wal::ReadLogObject({{object}}, records);
  arka::wal::ReadAsSegment({reinterpret_cast<const std::byte*>(data), size});
  return 0;
}
