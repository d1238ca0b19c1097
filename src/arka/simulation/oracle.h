// Holds what clients were told against what is there: the nine invariants of the failure model.
//
// Looks at every move of a watermark, at every landed commit, at every deleted file, after every
// start and at the end. It knows the history and the seams' true state, and nothing of the server's
// insides but its progress. What it finds goes to `violations`. Not thread-safe.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "arka/ingest/engine.h"
#include "arka/simulation/history.h"
#include "arka/simulation/table_reader.h"
#include "arka/simulation/world.h"

namespace arka::simulation {

class Oracle {
 public:
  /// Both outlive the oracle.
  Oracle(World& world, History& history)
      : world_(world), history_(history), reader_(world.warehouse_memory) {}

  /// A process has started; `table_committed` says what a table of it reports as committed. Where
  /// `some_away`, a table cannot say how far it is committed, and watermarks may begin lower.
  void OnStarted(const protocol::Watermarks& watermarks, bool some_away,
                 std::function<Lsn(size_t table)> table_committed);
  /// The process has died, or ended.
  void OnEnded();
  void OnAnswered(SentWrite& write, Lsn lsn);
  /// A write with a seq was answered as one that is there already. `forgotten`: as `lsn` or below.
  void OnRetried(SentWrite& write, Lsn lsn, bool forgotten);
  /// A producer has come back and was told that `last_seq` is its last.
  void OnResumed(const ProducerClient& producer, int64_t last_seq);
  /// A watermark has moved, and clients have heard it by now.
  void OnProgress(const protocol::Watermarks& watermarks);
  void OnLanded(const iceberg::Table& table);
  void OnDeleted(const std::string& warehouse_key);

  /// All faults are over and all that is to be committed is: whether everything is there, once.
  void CheckEnd();

  const std::vector<std::string>& violations() const { return violations_; }
  void Violate(std::string what);

  /// LOCAL_DISK means that it is still there when the power goes this very moment.
  void CheckPowerLossNow();

 private:
  void CheckWatermarks(const protocol::Watermarks& now);
  void CheckObjects();
  void CheckCommitted(const SentWrite& write);
  void CheckRows(size_t table);
  Result<std::map<int64_t, int>> Rows(size_t table);
  void ExpectFiles(const iceberg::Table& table);

  World& world_;
  History& history_;
  TableReader reader_;
  std::vector<std::string> violations_;
  std::function<Lsn(size_t)> table_committed_;
  std::optional<protocol::Watermarks> last_;  // of this process
  protocol::Watermarks highest_;              // ever told
  Lsn highest_lsn_ = kNoLsn;                  // ever given
  std::map<Lsn, int64_t> open_;               // writes not COMMITTED yet and not in doubt, by LSN
  std::map<std::string, std::set<std::string>> live_keys_;  // files of all snapshots, by table UUID
};

}  // namespace arka::simulation
