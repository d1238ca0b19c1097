// Everything outside the process, in memory and under fault plans: what outlives the engines that a
// simulation starts and kills.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "arka/iceberg_testing/faulty_catalog.h"
#include "arka/iceberg_testing/memory_catalog.h"
#include "arka/ingest/engine.h"
#include "arka/simulation/choices.h"
#include "arka/simulation/trace.h"
#include "arka/simulation/unruly_catalog.h"
#include "arka/simulation/world_clock.h"
#include "arka/testing/fault_plan.h"
#include "arka/testing/faulty_fs.h"
#include "arka/testing/faulty_object_store.h"
#include "arka/testing/memory_fs.h"
#include "arka/testing/memory_object_store.h"
#include "arka/testing/seeded_random.h"

namespace arka::simulation {

struct World {
  explicit World(uint64_t seed) : choices(seed), random(seed) {}

  Choices choices;
  Trace trace;
  WorldClock clock;
  SeededRandom random;  // the product's own

  MemoryFs disk;
  MemoryObjectStore object_memory;
  MemoryObjectStore warehouse_memory;
  iceberg::MemoryCatalog catalog_memory{warehouse_memory, random, clock};
  UnrulyCatalog catalog_unruly{catalog_memory};

  FaultPlan disk_faults, object_faults, warehouse_faults, catalog_faults;
  FaultyFs fs{disk, disk_faults};
  FaultyObjectStore objects{object_memory, object_faults};
  FaultyObjectStore warehouse{warehouse_memory, warehouse_faults};
  iceberg::FaultyCatalog catalog{catalog_unruly, catalog_faults};

  ingest::EngineOptions options;
  std::vector<iceberg::TableIdentifier> tables;

  ingest::EngineSeams seams() { return {fs, clock, random, objects, warehouse, catalog}; }
};

}  // namespace arka::simulation
