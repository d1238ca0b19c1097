// One life of a deployment, made from a seed: clients write, stages do their rounds, edges fail,
// the process dies and starts again, others meddle with the tables; then all faults end and the
// oracle checks what is there.
//
// One thread plays everybody, in an order that the seed decides. Where a stage waits for a store, a
// catalog or the clock, the others go on inside that wait (as deep as kMaxDepth), so that steps
// interleave. The same seed gives the same life, to the last operation: see Outcome::trace_hash.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "arka/simulation/client_stream.h"
#include "arka/simulation/foreign_writer.h"
#include "arka/simulation/oracle.h"
#include "arka/simulation/weather.h"

namespace arka::simulation {

/// What came of a life, and how much happened in it.
struct Outcome {
  uint64_t trace_hash = 0;
  std::vector<std::string> violations;  // empty: all invariants held
  int64_t writes = 0;
  int64_t starts = 0;
  int64_t deaths = 0;
  int64_t commits = 0;
  int64_t backlogs = 0;  // rounds of the committer that found writes in the log only
  int64_t refusals = 0;  // of writes, for want of memory or disk
};

class Simulation {
 public:
  /// What goes wrong in a life.
  enum class Faults {
    kAll,    // whatever the seed has in store
    kAdded,  // what the caller adds to the plans of world(); the process dies of nothing else
  };

  explicit Simulation(uint64_t seed, Faults faults = Faults::kAll);
  ~Simulation();

  Outcome Run();

  World& world() { return world_; }
  Oracle& oracle() { return oracle_; }
  /// Called before and after every operation of the disk.
  void WatchDisk(std::function<void()> watch) { watch_disk_ = std::move(watch); }

 private:
  static constexpr int kMaxDepth = 2;
  static constexpr size_t kNone = SIZE_MAX;

  void ChooseOptions();
  void LiveFast();
  void WatchEdges();
  void Turn();
  void Meddle();
  void Write();
  void WriteAnonymously(size_t table);
  void WriteAsProducer(size_t producer);
  int64_t NewWrite(size_t table);
  bool SendSeq(size_t producer, int64_t seq);
  bool Resume(size_t producer);
  void OpenStream(size_t table);
  void Step(ingest::Engine::Stage stage);
  void TryToStart();
  void End();
  void Die(bool with_power);
  void PassTime(std::chrono::microseconds by);
  bool OnWait(SteadyTime deadline);
  void OnOperation(FaultPlan::Moment moment, const Operation& operation, bool is_disk);
  bool AllIsCommitted() const;
  void ComeToRest();
  void FinishProducers();

  const Faults faults_;
  std::function<void()> watch_disk_;
  World world_;
  History history_;
  Oracle oracle_;
  Weather weather_;
  ForeignWriter foreign_;
  Outcome outcome_;

  std::unique_ptr<ingest::Engine> engine_;
  std::vector<std::unique_ptr<ClientStream>> streams_;      // by table, of this process
  std::vector<std::shared_ptr<ingest::Producer>> handles_;  // by producer, of this process
  std::array<bool, 3> busy_ = {};                           // stages inside a step
  bool opening_ = false;
  bool starting_ = false;
  bool dead_ = false;  // the process has died inside of what it does, and unwinds
  bool rest_ = false;  // the faults are over
  int depth_ = 0;
  size_t hidden_table_ = kNone;
  size_t away_at_start_ = kNone;  // the table that was hidden when this process started
};

/// Run of a fresh Simulation.
Outcome Simulate(uint64_t seed);

}  // namespace arka::simulation
