// Which LSNs a session was given: what a client that comes back can ask for.
//
// A session is a name that streams of one principal share. Each stream adds its LSNs, as runs, when
// it flushes its acks; after its end they are kept for `retention`, and on until all of them are
// committed. Everything is in memory, bounded, and gone with the server. Owned by the
// FlightService, shared with HTTP; thread-safe. Invariant: what a session knows of an LSN that it
// was given is never wrong; what it had to forget it says (`forgotten_through`).
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "arka/base/error.h"
#include "arka/base/lsn.h"
#include "arka/ingest/table.h"
#include "arka/io/clock.h"

namespace arka::acks {

/// The LSNs first..last.
struct LsnRun {
  Lsn first;
  Lsn last;

  bool operator==(const LsnRun&) const = default;
};

struct SessionLimits {
  std::chrono::milliseconds retention{300'000};  // acks.retention
  size_t runs_per_stream = 1 << 16;              // the oldest are forgotten first
  size_t runs = 1 << 20;                         // over all sessions
  size_t ended_streams = 100'000;                // the first that ended are forgotten first
};

/// What one stream of a session was given.
struct SessionWrites {
  const ingest::Table* table = nullptr;  // nullptr: the stream wrote nothing
  std::vector<LsnRun> runs;              // in the order of the batches; retries have old LSNs
  Lsn forgotten_through = kNoLsn;        // runs up to here may be missing
  std::optional<WallTime> ended_at;      // nothing: the stream lives
};

/// A session from afar.
struct SessionSummary {
  std::string name;
  int64_t open_streams = 0;
  int64_t ended_streams = 0;  // that wrote something and are still kept
  Lsn last_lsn = kNoLsn;      // of the streams' last batches the highest; kNoLsn: nothing written
};

class SessionRegistry {
 private:
  struct Stream;

 public:
  /// `clock` must outlive the registry, and the registry every membership.
  SessionRegistry(const Clock& clock, SessionLimits limits) : clock_(clock), limits_(limits) {}

  /// A stream's place in its session, for as long as the stream lives.
  class Membership {
   public:
    Membership(SessionRegistry& registry, std::shared_ptr<Stream> stream)
        : registry_(registry), stream_(std::move(stream)) {}
    ~Membership();
    Membership(const Membership&) = delete;
    Membership& operator=(const Membership&) = delete;

    /// The stream was given `runs` since the last call, all of `table`.
    void Add(const ingest::Table& table, const std::vector<LsnRun>& runs);

   private:
    SessionRegistry& registry_;
    const std::shared_ptr<Stream> stream_;
  };

  /// One more stream of the session `name` of `principal`, which is made where it is not there.
  std::unique_ptr<Membership> Join(const std::string& principal, const std::string& name);

  /// What the streams of that session were given, in the order in which they joined. kNotFound,
  /// saying how to go on, where there is none.
  Result<std::vector<SessionWrites>> WritesOf(const std::string& principal,
                                              const std::string& name) const;

  /// The principal's sessions whose names come after `after`, in the order of their names, at most
  /// `limit`.
  std::vector<SessionSummary> List(const std::string& principal, const std::string& after,
                                   size_t limit) const;

  /// Forgets what has been kept long enough.
  void Sweep();

 private:
  using Key = std::pair<std::string, std::string>;  // principal, name
  struct Stream {
    Key session;
    std::mutex mutex;
    SessionWrites writes;  // guarded by mutex
  };
  using Streams = std::vector<std::shared_ptr<Stream>>;

  void End(Stream& stream);
  void Leave(const Stream& stream);
  bool IsOver(Stream& stream, WallTime now) const;
  // Both with mutex_ held.
  void ForgetFirstEnded();
  void ForgetRuns(Stream& stream);

  const Clock& clock_;
  const SessionLimits limits_;
  std::atomic<size_t> runs_{0};

  mutable std::mutex mutex_;
  std::map<Key, Streams> sessions_;  // guarded by mutex_
  size_t ended_ = 0;                 // guarded by mutex_
};

}  // namespace arka::acks
