// Reads a log that no server has open, to the end, past any damage, and says what it found.
//
// Judges as replay does (replay.h): a log without holes is one that a start takes, a log with one
// is one that it refuses. But where replay stops, this goes on: behind damage, the next group
// header that its anchor proves begins a new extent, and every other segment stands for itself.
// What it reports is what a repair keeps (log_repair.h). Opens files for reading only.
#pragma once

#include <functional>
#include <string>

#include "arka/io/fs.h"
#include "arka/wal/log.h"
#include "arka/wal/log_report.h"

namespace arka::wal {

/// Reads the log in `directory`. kNotFound where there is none; errors of reading, and of a newer
/// format version, as they are: a disk that cannot be read is not a damaged log.
Result<LogReport> VerifyLog(Fs& fs, const std::string& directory);

/// Shows `sink` every whole write of the log that `report` is of, in order, with its definition;
/// bodies are slices of what was read. The sink's first error ends it.
using WriteSink = std::function<Status(WriteRecord record, const Definition& definition)>;
Status ReadWhole(Fs& fs, const LogReport& report, const WriteSink& sink);

}  // namespace arka::wal
