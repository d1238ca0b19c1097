#include "arka/simulation/simulation.h"

#include <algorithm>
#include <utility>

#include "arka/simulation/row_content.h"

namespace arka::simulation {
namespace {

using std::chrono::microseconds;
using std::chrono::milliseconds;
using Stage = ingest::Engine::Stage;

constexpr Stage kStages[] = {Stage::kLog, Stage::kUploader, Stage::kCommitter};

}  // namespace

Simulation::Simulation(uint64_t seed, Faults faults)
    : faults_(faults),
      world_(seed),
      oracle_(world_, history_),
      weather_(world_),
      foreign_(world_, history_) {
  ChooseOptions();
  if (faults_ == Faults::kAdded) LiveFast();
  WatchEdges();
}

Simulation::~Simulation() { weather_.CutOff(); }

void Simulation::ChooseOptions() {
  Choices& choices = world_.choices;
  const int64_t tables = choices.Between(1, 3);
  for (int64_t i = 0; i < tables; ++i) {
    world_.tables.push_back({"sales", "t" + std::to_string(i)});
  }
  streams_.resize(world_.tables.size());
  const int64_t producers = choices.Between(0, 3);
  for (int64_t i = 0; i < producers; ++i) {
    history_.producers.push_back(
        {"p" + std::to_string(i), static_cast<size_t>(choices.Below(tables)), {}, 0});
  }
  handles_.resize(history_.producers.size());
  ingest::EngineOptions& options = world_.options;
  options.stepped = true;
  options.version = "simulation";
  options.log.directory = "data/log";
  options.log.segment_bytes = 1024 * choices.Spread(4, 256);
  options.log.spare_segments = static_cast<int>(choices.Below(3));
  options.log.recycled_segments = static_cast<int>(choices.Below(4));
  options.log.lsn_block = choices.Spread(1, 10'000);
  options.log.max_group_bytes = choices.Spread(1 << 10, 1 << 20);
  options.upload_interval = milliseconds(choices.Spread(1, 2000));
  options.commit_interval = milliseconds(choices.Spread(50, 20'000));
  options.max_buffer_bytes = choices.Spread(1 << 8, 1 << 18);
  options.producers.expire_after = milliseconds(choices.Spread(1, 1'000'000));
  options.producers.runs_kept = static_cast<size_t>(choices.Spread(1, 1000));
  options.max_unflushed_bytes = choices.Spread(1 << 12, 1 << 19);
  if (choices.OneIn(3)) options.log.max_bytes = options.log.segment_bytes * choices.Between(4, 20);
}

// A short life in which every stage does everything.
void Simulation::LiveFast() {
  ingest::EngineOptions& options = world_.options;
  options.log.segment_bytes = 8 << 10;
  options.log.lsn_block = 16;
  options.upload_interval = milliseconds(20);
  options.commit_interval = milliseconds(200);
  options.max_buffer_bytes = 1 << 10;
}

void Simulation::WatchEdges() {
  world_.clock.SetWaiting([this](SteadyTime deadline) { return OnWait(deadline); });
  world_.catalog_unruly.SetLandedListener([this](const iceberg::Table& table) {
    world_.trace.Note("landed: ", table.identifier.ToString(), " snapshot ",
                      table.metadata->current_snapshot_id);
    ++outcome_.commits;
    oracle_.OnLanded(table);
  });
  world_.disk_faults.Observe([this](FaultPlan::Moment moment, const Operation& operation) {
    OnOperation(moment, operation, /*is_disk=*/true);
  });
  for (FaultPlan* plan :
       {&world_.object_faults, &world_.warehouse_faults, &world_.catalog_faults}) {
    plan->Observe([this](FaultPlan::Moment moment, const Operation& operation) {
      OnOperation(moment, operation, /*is_disk=*/false);
    });
  }
}

// Something happens at an edge: the process may die here, and where it waits for an answer from
// afar, the rest of it goes on.
void Simulation::OnOperation(FaultPlan::Moment moment, const Operation& operation, bool is_disk) {
  if (dead_) return;
  const bool before = moment == FaultPlan::Moment::kBefore;
  world_.trace.Note(before ? "  > " : "  < ", operation.kind, " ", operation.target, " ",
                    operation.offset, "+", operation.size_bytes);
  if (!before && operation.kind == "delete" && operation.target.ends_with("o") == false) {
    oracle_.OnDeleted(operation.target);
  }
  if (is_disk && watch_disk_) watch_disk_();
  if (rest_ || faults_ == Faults::kAdded) return;
  Choices& choices = world_.choices;
  if (choices.OneIn(is_disk ? 1500 : 400)) return Die(choices.OneIn(2));
  if (is_disk || depth_ >= kMaxDepth || starting_) return;
  if (!choices.OneIn(6)) return;
  const int64_t turns = choices.Between(1, 4);
  for (int64_t i = 0; i < turns && !dead_; ++i) Turn();
}

// What waits by the clock (a back-off) lets everybody else go on until then.
bool Simulation::OnWait(SteadyTime deadline) {
  if (dead_) return false;
  const auto left = std::chrono::duration_cast<microseconds>(deadline - world_.clock.Now());
  if (depth_ < kMaxDepth && !rest_) Turn();
  if (dead_) return false;
  PassTime(std::min(left, microseconds(world_.choices.Spread(1000, 1'000'000))));
  return true;
}

void Simulation::PassTime(microseconds by) { world_.clock.Advance(std::max(by, microseconds(1))); }

void Simulation::Step(Stage stage) {
  bool& busy = busy_[static_cast<size_t>(stage)];
  if (engine_ == nullptr || starting_ || busy || dead_) return;
  busy = true;
  world_.trace.Note("step ", static_cast<int>(stage));
  if (stage == Stage::kCommitter && engine_->status().backlog_bytes > 0) ++outcome_.backlogs;
  engine_->Step(stage);
  busy = false;
}

void Simulation::Turn() {
  ++depth_;
  Choices& choices = world_.choices;
  const int64_t choice = choices.Below(100);
  if (engine_ == nullptr) {
    if (choice < 30) TryToStart();
    if (choice >= 80 && faults_ == Faults::kAll) Meddle();
    PassTime(microseconds(choices.Spread(1000, 2'000'000)));
  } else if (choice < 34) {
    Write();
  } else if (choice < 52) {
    Step(Stage::kLog);
  } else if (choice < 64) {
    Step(Stage::kUploader);
  } else if (choice < 76) {
    Step(Stage::kCommitter);
  } else if (choice < 88) {
    PassTime(microseconds(choices.Spread(1000, 5'000'000)));
  } else if (faults_ == Faults::kAll) {
    Meddle();
  }
  --depth_;
}

void Simulation::Meddle() {
  Choices& choices = world_.choices;
  const auto table = static_cast<size_t>(choices.Below(static_cast<int64_t>(world_.tables.size())));
  Status status;
  switch (choices.Below(16)) {
    case 0:
    case 1:
    case 2:
    case 3:
      return weather_.Change();
    case 4:
    case 5:
      return OpenStream(table);
    case 6:
    case 7:
      world_.trace.Note("foreign append ", table);
      status = foreign_.Append(table);
      break;
    case 8:
    case 9:
      world_.trace.Note("foreign expiry ", table);
      status = foreign_.Expire(table);
      break;
    case 10:
    case 11:
      world_.trace.Note("late commit of ", world_.catalog_unruly.late_count());
      return world_.catalog_unruly.ApplyLate();
    case 12:
      return world_.clock.JumpWall(std::chrono::seconds(choices.Between(-100'000, 100'000)));
    case 13:
      if (hidden_table_ != kNone) {
        world_.catalog_unruly.Show(world_.tables[std::exchange(hidden_table_, kNone)]);
      } else if (choices.OneIn(4)) {
        world_.catalog_unruly.Hide(world_.tables[hidden_table_ = table]);
      }
      world_.trace.Note("hidden table: ", static_cast<int64_t>(hidden_table_));
      return;
    default:
      if (engine_ == nullptr || dead_ || starting_ || !choices.OneIn(4)) return;
      if (choices.OneIn(3) && depth_ == 1) return End();
      return Die(choices.OneIn(2));
  }
  if (!status.ok()) oracle_.Violate("another writer cannot go on: " + status.message());
}

void Simulation::OpenStream(size_t table) {
  if (engine_ == nullptr || dead_ || starting_ || opening_) return;
  opening_ = true;
  auto opened = ClientStream::Open(*engine_, world_.tables[table]);
  opening_ = false;
  world_.trace.Note("open ", table, ": ", opened.ok() ? "ok" : opened.status().message());
  if (opened.ok() && !dead_) streams_[table] = std::move(*opened);
}

void Simulation::Write() {
  if (dead_ || starting_) return;
  Choices& choices = world_.choices;
  const auto table = choices.Below(static_cast<int64_t>(world_.tables.size()));
  const auto producer = choices.Below(static_cast<int64_t>(history_.producers.size()) + 1);
  const bool anonymous = producer == static_cast<int64_t>(history_.producers.size());
  const int64_t count = choices.OneIn(4) ? choices.Between(1, 10) : 1;
  for (int64_t i = 0; i < count && !dead_; ++i) {
    anonymous ? WriteAnonymously(table) : WriteAsProducer(producer);
  }
}

int64_t Simulation::NewWrite(size_t table) {
  SentWrite& write = history_.writes.emplace_back();
  write.number = static_cast<int64_t>(history_.writes.size()) - 1;
  write.table = table;
  write.rows = world_.choices.OneIn(20) ? 0 : world_.choices.Between(1, kMaxRows);
  ++outcome_.writes;
  return write.number;
}

void Simulation::WriteAnonymously(size_t table) {
  if (streams_[table] == nullptr) return OpenStream(table);
  SentWrite& write = history_.writes[NewWrite(table)];
  const auto lsn = streams_[table]->Write(FirstId(write.number), write.rows);
  world_.trace.Note("write ", write.number, " to ", table, ": ",
                    lsn.ok() ? std::to_string(lsn->value) : lsn.status().message());
  if (dead_) {
    write.in_doubt = true;
  } else if (lsn.ok()) {
    oracle_.OnAnswered(write, *lsn);
  } else {
    write.refused = true;
    if (CodeOf(lsn.status()) == ErrorCode::kBackpressure) ++outcome_.refusals;
  }
}

// The next of its writes, or, now and then, one that was answered before.
void Simulation::WriteAsProducer(size_t producer) {
  ProducerClient& client = history_.producers[producer];
  if (!Resume(producer)) return;
  if (client.sent_seq > 0 && world_.choices.OneIn(5)) {
    SendSeq(producer, world_.choices.Between(1, client.sent_seq));
    return;
  }
  if (client.sent_seq == static_cast<int64_t>(client.writes.size())) {
    client.writes.push_back(NewWrite(client.table));
  }
  SendSeq(producer, client.sent_seq + 1);
}

// After a reconnect a producer goes on where the server says, or sends again some that it has.
bool Simulation::Resume(size_t producer) {
  ProducerClient& client = history_.producers[producer];
  if (handles_[producer] != nullptr) return true;
  if (streams_[client.table] == nullptr) OpenStream(client.table);
  if (dead_ || streams_[client.table] == nullptr) return false;
  auto opened = streams_[client.table]->OpenProducer(client.name);
  const auto last = engine_->LastSeqOf(world_.tables[client.table], client.name);
  if (!opened.ok() || !last.ok()) {
    oracle_.Violate("a producer cannot go on: " + opened.status().message() +
                    last.status().message());
    return false;
  }
  world_.trace.Note("producer ", client.name, " resumes after ", last->seq);
  oracle_.OnResumed(client, last->seq);
  handles_[producer] = std::move(*opened);
  client.sent_seq = world_.choices.OneIn(2) ? last->seq : world_.choices.Between(0, last->seq);
  return true;
}

bool Simulation::SendSeq(size_t producer, int64_t seq) {
  ProducerClient& client = history_.producers[producer];
  SentWrite& write = history_.writes[client.writes[seq - 1]];
  const auto answer =
      streams_[client.table]->Write(FirstId(write.number), write.rows, *handles_[producer], seq);
  world_.trace.Note("write ", write.number, " of ", client.name, " as seq ", seq, ": ",
                    !answer.ok()       ? answer.status().message()
                    : answer->is_retry ? "retry of " + std::to_string(answer->lsn.value)
                                       : std::to_string(answer->lsn.value));
  if (dead_ || !answer.ok()) {
    write.in_doubt |= !write.lsn;
    if (!dead_ && CodeOf(answer.status()) == ErrorCode::kInvalidRequest) {
      oracle_.Violate("producer " + client.name + ": " + answer.status().message());
    }
    return false;
  }
  if (answer->is_retry) {
    oracle_.OnRetried(write, answer->lsn, answer->committed_long_ago);
  } else {
    oracle_.OnAnswered(write, answer->lsn);
  }
  client.sent_seq = std::max(client.sent_seq, seq);
  return true;
}

void Simulation::TryToStart() {
  starting_ = true;
  away_at_start_ = hidden_table_;
  ++outcome_.starts;
  const Status directory = world_.fs.CreateDirs("data");
  auto made = directory.ok() ? ingest::Engine::Make(world_.seams(), world_.options)
                             : Result<std::unique_ptr<ingest::Engine>>(directory);
  starting_ = false;
  world_.trace.Note("start: ", made.ok() ? "ok" : made.status().message());
  if (dead_) {
    if (made.ok()) engine_ = std::move(*made);
    return;
  }
  if (!made.ok()) {
    if (CodeOf(made.status()) == ErrorCode::kCorruption || rest_) {
      oracle_.Violate("a start fails: " + made.status().message());
    }
    return;
  }
  engine_ = std::move(*made);
  engine_->AddProgressListener([this] {
    if (!dead_ && engine_ != nullptr) oracle_.OnProgress(engine_->progress().watermarks);
  });
  engine_->Start();
  const bool some_away = away_at_start_ != kNone;
  oracle_.OnStarted(engine_->progress().watermarks, some_away, [this](size_t table) {
    return streams_[table] == nullptr ? kNoLsn : streams_[table]->table().committed_through();
  });
}

// In order: as the server stops when it is told to and cannot wait for the rest to be committed.
void Simulation::End() {
  world_.trace.Note("end");
  for (auto& stream : streams_) stream.reset();
  for (auto& handle : handles_) handle.reset();
  oracle_.OnEnded();
  engine_.reset();
}

void Simulation::Die(bool with_power) {
  if (engine_ == nullptr && !starting_) return;
  world_.trace.Note(with_power ? "DIES without power" : "DIES");
  ++outcome_.deaths;
  dead_ = true;
  oracle_.OnEnded();
  weather_.CutOff();
  if (with_power) {
    constexpr PowerLoss kModes[] = {PowerLoss::kDropUnsynced, PowerLoss::kKeepPrefix,
                                    PowerLoss::kTearSectors, PowerLoss::kTearPages};
    world_.disk.LosePower(world_.choices.Next(), kModes[world_.choices.Below(4)]);
  } else {
    world_.disk.Crash();
  }
}

bool Simulation::AllIsCommitted() const {
  if (engine_ == nullptr) return false;
  const auto watermarks = engine_->progress().watermarks;
  return watermarks.committed_lsn == watermarks.last_lsn;
}

// All faults are over: everything that is in the log comes to its table by itself. Only a poisoned
// log, rightly, wants a restart.
void Simulation::ComeToRest() {
  rest_ = true;
  weather_.Calm();
  hidden_table_ = kNone;
  for (const auto& identifier : world_.tables) world_.catalog_unruly.Show(identifier);
  while (world_.catalog_unruly.late_count() > 0) world_.catalog_unruly.ApplyLate();
  const SteadyTime patience = world_.clock.Now() + std::chrono::minutes(10);
  while (!AllIsCommitted() && oracle_.violations().empty()) {
    if (world_.clock.Now() > patience) {
      const Status problem = engine_ == nullptr ? Status::OK() : engine_->failure();
      oracle_.Violate("ten minutes after the last fault not all is committed: " +
                      (engine_ == nullptr ? std::string("no start") : engine_->status().problem) +
                      problem.message());
      return;
    }
    if (engine_ != nullptr && engine_->progress().failed) End();
    if (engine_ == nullptr) TryToStart();
    if (engine_ != nullptr) FinishProducers();
    for (const Stage stage : kStages) Step(stage);
    PassTime(milliseconds(25));
  }
}

// Every producer gets answers for all its writes.
void Simulation::FinishProducers() {
  for (size_t i = 0; i < history_.producers.size(); ++i) {
    const ProducerClient& client = history_.producers[i];
    if (!Resume(i)) continue;
    while (client.sent_seq < static_cast<int64_t>(client.writes.size())) {
      if (!SendSeq(i, client.sent_seq + 1)) break;
    }
  }
}

Outcome Simulation::Run() {
  const int64_t turns = faults_ == Faults::kAll ? world_.choices.Between(50, 600) : 80;
  for (int64_t turn = 0; turn < turns && oracle_.violations().empty(); ++turn) {
    Turn();
    if (dead_ || (engine_ != nullptr && engine_->progress().failed && world_.choices.OneIn(10))) {
      End();
      if (std::exchange(dead_, false)) weather_.Calm();
    }
  }
  if (oracle_.violations().empty()) ComeToRest();
  if (oracle_.violations().empty()) oracle_.CheckEnd();
  if (oracle_.violations().empty()) {  // and a restart finds nothing to do again
    End();
    ComeToRest();
    oracle_.CheckEnd();
  }
  outcome_.violations = oracle_.violations();
  outcome_.trace_hash = world_.trace.hash();
  dead_ = true;
  return outcome_;
}

Outcome Simulate(uint64_t seed) { return Simulation(seed).Run(); }

}  // namespace arka::simulation
