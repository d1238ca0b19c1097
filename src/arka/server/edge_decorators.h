// What a test puts before the edges of a server's process: to fail there, to die, to jump in time.
//
// Each function is given the real part and answers what the server uses in its stead, which the
// caller owns and which outlives the server. An empty one leaves the part as it is; `arka` itself
// decorates nothing. Called once each, while the server starts.
#pragma once

#include <functional>

#include "arka/iceberg/catalog.h"
#include "arka/io/clock.h"
#include "arka/io/fs.h"
#include "arka/io/object_store.h"

namespace arka {

struct EdgeDecorators {
  std::function<Fs&(Fs&)> fs = {};  // also under the stores of file:// roots
  std::function<Clock&(Clock&)> clock = {};
  std::function<ObjectStore&(ObjectStore&)> objects = {};    // for the log
  std::function<ObjectStore&(ObjectStore&)> warehouse = {};  // for the tables
  std::function<iceberg::Catalog&(iceberg::Catalog&)> catalog = {};
};

}  // namespace arka
