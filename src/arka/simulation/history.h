// What the clients of a simulation did and were told: the one record that is outside the server.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "arka/base/lsn.h"
#include "arka/base/tier.h"

namespace arka::simulation {

struct SentWrite {
  int64_t number = 0;  // its rows' ids follow from it
  size_t table = 0;
  int64_t rows = 0;
  std::optional<Lsn> lsn;     // of the answer; nothing where it was refused
  Tier tier = Tier::kMemory;  // the highest that was acknowledged
  bool in_doubt = false;      // the process died before it was on disk: it may be there or not
};

struct History {
  std::vector<SentWrite> writes;     // by number
  std::vector<int64_t> foreign_ids;  // rows of another writer, by id; their table is not noted
};

}  // namespace arka::simulation
