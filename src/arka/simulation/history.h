// What the clients of a simulation did and were told: the one record that is outside the server.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "arka/base/lsn.h"
#include "arka/base/tier.h"

namespace arka::simulation {

struct SentWrite {
  int64_t number = 0;  // its rows' ids follow from it
  size_t table = 0;
  int64_t rows = 0;
  std::optional<Lsn> lsn;     // of the answer
  Tier tier = Tier::kMemory;  // the highest that was acknowledged
  bool refused = false;       // answered with an error, and never sent again
  bool there = false;     // a producer was told that it is, by a process that found it in the log
  bool in_doubt = false;  // not acknowledged by a process that could keep it: there or not
};

/// A client that numbers its writes to one table, and sends again what was not acknowledged.
struct ProducerClient {
  std::string name;
  size_t table = 0;
  std::vector<int64_t> writes;  // their numbers, by seq - 1
  int64_t sent_seq = 0;         // the last one that the process of now has answered
};

struct History {
  std::vector<SentWrite> writes;  // by number
  std::vector<ProducerClient> producers;
  std::vector<int64_t> foreign_ids;  // rows of another writer, by id; their table is not noted
};

}  // namespace arka::simulation
