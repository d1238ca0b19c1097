// Log objects: a run of a segment's frames made readable alone, for the object store.
//
// A 512-byte header, the definitions that the run uses and does not hold itself, then the frames
// byte for byte as in the segment (docs/spec/log.md, "Objects"). Pure.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <vector>

#include "arka/wal/log.h"
#include "arka/wal/record.h"
#include "arka/wal/segment_header.h"

namespace arka::wal {

inline constexpr int64_t kObjectHeaderBytes = 512;

struct ObjectHeader {
  std::string node;
  int64_t epoch = 0;
  Lsn first_lsn;
  Lsn last_lsn;
  ChainPoint start;  // the place in the segment where the run begins
  uint32_t end_crc = 0;
  int64_t definition_bytes = 0;
  int64_t run_bytes = 0;
  uint32_t crc = 0;  // of this header; seeds the chain of the definitions
};

/// The first part of an object: header and `definitions` as frames. `header`'s definition_bytes and
/// crc are set.
Result<std::shared_ptr<arrow::Buffer>> EncodeObjectHead(ObjectHeader& header,
                                                        const std::vector<Definition>& definitions);

/// kCorruption where `bytes` are not an object's header, or one of another version.
Result<ObjectHeader> DecodeObjectHeader(ByteSpan bytes);

/// Shows `visitor` what the object whose concatenated bytes `parts` are holds: definitions before
/// what uses them, writes in order of LSN. kCorruption, naming the offset, for damage of any kind;
/// the visitor may have seen what lies before it. One part is read in place, several are joined.
Status ReadLogObject(std::span<const std::shared_ptr<arrow::Buffer>> parts, ReplayVisitor& visitor);

}  // namespace arka::wal
