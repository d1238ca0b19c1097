// DataFile to and from its Avro record within a manifest entry.
#pragma once

#include "arka/base/error.h"
#include "arka/iceberg/avro_encoder.h"
#include "arka/iceberg/avro_record.h"
#include "arka/iceberg/data_file.h"

namespace arka::iceberg {

/// Encodes `file`, whose partition must be empty, as ManifestEntryAvroSchema has it.
void EncodeDataFile(AvroEncoder& out, const DataFile& file);

/// kCorruption for records that are no data_file; fields of later versions are ignored.
Result<DataFile> DecodeDataFile(const AvroRecord& record);

}  // namespace arka::iceberg
