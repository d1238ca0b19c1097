// What there is to say of a log that no server has open: its segments, what of them is whole, and
// what should be there and is not. Plain values; log_verifier.h makes them, log_repair.h acts on
// them, the CLI prints them.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "arka/wal/control_file.h"
#include "arka/wal/segment_header.h"

namespace arka::wal {

/// Frames in a row that prove each other; writes and definitions are whole and readable.
struct Extent {
  ChainPoint start;  // before the first frame
  ChainPoint end;
  int64_t writes = 0;
};

/// A place where frames should be and are not.
struct Hole {
  int64_t segment = 0;
  int64_t offset = 0;
  std::string problem{};  // what is wrong there, what was expected
  // The LSNs that stood there, as far as what lies around it tells; where last < first, it is not
  // known how many follow from first_lost on.
  // At most these: LSNs that were never written may be among them where a whole segment is gone.
  Lsn first_lost{};
  Lsn last_lost = kNoLsn;
};

struct SegmentReport {
  int64_t number = 0;
  bool present = true;                  // its file is there
  std::optional<SegmentHeader> header;  // where that could be read
  int64_t size_bytes = 0;
  std::vector<Extent> extents;
  std::vector<Hole> holes;
  /// Bytes behind the end that a start cuts off, from there to the last one that is not zero; 0:
  /// no torn tail. For the last segment only. Stale bytes of the file's earlier life look the same.
  int64_t torn_bytes = 0;

  int64_t writes() const;
  Lsn first_lsn() const;  // of the first write, kNoLsn: none
  Lsn last_lsn() const;
  /// Where its records end.
  int64_t end_offset() const;
};

struct LogReport {
  std::string directory;
  LogState state;               // as the control file has it, or made up where it is no good
  bool control_good = true;     // the control file is there and agrees with the segments
  std::string control_problem;  // else
  std::vector<SegmentReport> segments;
  std::vector<std::string> released;  // names of segments that the next start removes

  bool damaged() const;
  /// All holes, in order.
  std::vector<Hole> holes() const;
  /// Whether it holds every LSN from `first` to `last`.
  bool HoldsAll(Lsn first, Lsn last) const;
  /// Writes up to here were released, or never part of it.
  Lsn begins_after() const;
  int64_t writes() const;
  int64_t size_bytes() const;
};

}  // namespace arka::wal
