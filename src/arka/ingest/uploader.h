// The uploader: copies the log's tail to the object store, as immutable objects of all tables.
//
// A loop of its own: when there is something new on disk and the interval since the last upload has
// passed, one object is put under log/<node>/<first>-<last>.arkalog; then OBJECT_STORAGE is
// reported up to its last LSN. Uploads are strictly in order, so that the newest object's last LSN
// says what is in the store. Objects and segments whose writes are all committed are let go of,
// once a checkpoint holds what else they say (CheckpointStore). A failure is logged, retried with
// back-off for ever, and never reported as progress.
#pragma once

#include <atomic>
#include <chrono>
#include <deque>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "arka/base/error.h"
#include "arka/ingest/checkpoint_store.h"
#include "arka/ingest/log_pins.h"
#include "arka/ingest/sequencer.h"
#include "arka/ingest/wake_signal.h"
#include "arka/io/clock.h"
#include "arka/io/object_store.h"
#include "arka/wal/log.h"

namespace arka::ingest {

struct UploaderOptions {
  std::string node;
  std::chrono::milliseconds interval{100};  // least time from one upload's start to the next's
  int64_t max_object_bytes = 64 << 20;
  /// Where the log uses more, whoever reads it must give way; 0: never.
  int64_t max_pinned_log_bytes = 0;
};

class Uploader {
 public:
  /// All must outlive the uploader.
  Uploader(wal::Log& log, LogPins& pins, ObjectStore& store, CheckpointStore& checkpoints,
           Clock& clock, Sequencer& sequencer, UploaderOptions options);
  ~Uploader();

  /// Reads which objects are in the store; answers the last LSN that they hold, kNoLsn where there
  /// are none. Before Sequencer::Begin.
  static Result<Lsn> FindUploaded(ObjectStore& store, const std::string& node,
                                  std::deque<std::pair<Lsn, std::string>>* objects);
  /// The first LSN that the key of a log object names.
  static Lsn FirstLsnOf(std::string_view key);
  /// Takes over what FindUploaded found.
  void Adopt(std::deque<std::pair<Lsn, std::string>> objects) { objects_ = std::move(objects); }

  void Start();
  /// There may be something to upload or to delete.
  void Notify();
  /// Uploads what is on disk by now without waiting for the interval.
  void Hurry();
  void Stop();

  /// One round: uploads what is due and deletes what is committed. Answers when to look again.
  SteadyTime Step();

  /// The last upload's error; OK after one that worked.
  Status last_error() const;

 private:
  bool UploadThrough(const protocol::Watermarks& watermarks);
  bool UploadOnce(Lsn* uploaded);
  // How far the log is not needed any more: what is committed, as far as a checkpoint covers it.
  Lsn CoverCommitted(const protocol::Watermarks& watermarks);
  void DeleteObjects(Lsn through);
  void ReleaseLog(Lsn through);
  void Report(Status status);

  wal::Log& log_;
  LogPins& pins_;
  ObjectStore& store_;
  CheckpointStore& checkpoints_;
  Clock& clock_;
  Sequencer& sequencer_;
  const UploaderOptions options_;

  WakeSignal wake_;
  std::atomic<bool> asked_to_hurry_{false};
  std::atomic<bool> idle_{false};  // the loop waits for something to do, not for the interval
  bool hurry_ = false;             // until all is uploaded; the loop's own
  std::deque<std::pair<Lsn, std::string>> objects_;  // (last LSN, key) in order; the loop's own
  SteadyTime next_upload_{};                         // the loop's own
  std::chrono::milliseconds backoff_{0};             // the loop's own
  SteadyTime next_checkpoint_{};                     // the loop's own
  std::chrono::milliseconds checkpoint_backoff_{0};  // the loop's own
  mutable std::mutex mutex_;
  Status last_error_;  // guarded by mutex_
  std::jthread thread_;
};

}  // namespace arka::ingest
