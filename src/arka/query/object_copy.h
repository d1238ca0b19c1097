// One object of a store, copied to a file of this machine, range by range.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <string>

#include "arka/base/error.h"
#include "arka/io/fs.h"
#include "arka/io/object_store.h"

namespace arka::query {

struct ObjectCopy {
  std::string uri;
  int64_t size_bytes = 0;  // as the manifest has it
  std::string path;        // where the copy shall be
};

/// While it is not whole, a copy has this behind its name.
inline constexpr char kPartSuffix[] = ".part";

/// Makes the copy, which has its name only once it is whole; after an error nothing is left of it.
/// `allocated` is called when the disk has room for all of it. Blocks. kCorruption where the object
/// has another size than it should, kShuttingDown once `stopping` is set, kBackpressure where the
/// disk is full, errors of the store.
Status CopyObject(ObjectStore& store, Fs& fs, const ObjectCopy& copy, int64_t range_bytes,
                  const std::atomic<bool>& stopping, const std::function<void()>& allocated);

}  // namespace arka::query
