#include "arka/wal/log_refill.h"

#include <algorithm>
#include <array>
#include <deque>
#include <limits>
#include <map>
#include <utility>

#include "arka/wal/log_exchange.h"
#include "arka/wal/log_object.h"
#include "arka/wal/log_rewriter.h"
#include "arka/wal/log_verifier.h"
#include "arka/wal/segment.h"
#include "arka/wal/segment_reader.h"

namespace arka::wal {

namespace {

// As much as where a whole disk is lost: more than a server gives in weeks.
constexpr int64_t kLsnsToSkip = int64_t{1} << 40;

constexpr Lsn kAboveAllLsns{std::numeric_limits<int64_t>::max()};

struct Write {
  WriteRecord record;
  Definition definition;
};

/// The writes of the objects, one after the other, each LSN once.
class ObjectWrites : private ReplayVisitor {
 public:
  ObjectWrites(const ObjectSupply& next_object, std::string node, Lsn after)
      : next_object_(next_object), node_(std::move(node)), last_(after) {}

  /// The next write, or null after the last; it stays the next one until Drop.
  Result<Write*> Peek() {
    while (writes_.empty() && !ended_) ARROW_RETURN_NOT_OK(ReadNext());
    return writes_.empty() ? nullptr : &writes_.front();
  }
  void Drop() { writes_.pop_front(); }

 private:
  Status ReadNext() {
    ARROW_ASSIGN_OR_RAISE(const std::shared_ptr<arrow::Buffer> object, next_object_());
    ended_ = object == nullptr;
    if (ended_) return Status::OK();
    ARROW_ASSIGN_OR_RAISE(const ObjectHeader header, DecodeObjectHeader(SpanOf(*object)));
    if (header.node != node_) {
      return Error(ErrorCode::kCorruption, "wal: a log object of node '", header.node,
                   "' for the log of '", node_, "'");
    }
    definitions_.clear();
    const std::array parts = {object};
    return ReadLogObject(parts, *this);
  }
  Status OnDefinition(const Definition& definition) override {
    definitions_[definition.id] = definition;
    return Status::OK();
  }
  Status OnWrite(WriteRecord record) override {
    if (record.lsn <= last_) return Status::OK();
    last_ = record.lsn;
    const Definition& definition = definitions_.at(record.definition);
    writes_.push_back({std::move(record), definition});
    return Status::OK();
  }

  const ObjectSupply& next_object_;
  const std::string node_;
  std::map<DefinitionId, Definition> definitions_;  // of the object in hand
  std::deque<Write> writes_;
  Lsn last_;
  bool ended_ = false;
};

/// Writes into the new log; definitions are numbered anew, since an object may have numbered its
/// own in another life of the log.
class Merge {
 public:
  Merge(LogRewriter& to, ObjectWrites& objects) : to_(to), objects_(objects) {}

  Status Add(WriteRecord record, const Definition& definition) {
    const Lsn lsn = record.lsn;
    ARROW_RETURN_NOT_OK(AddObjectsBelow(lsn));
    ARROW_ASSIGN_OR_RAISE(const Write* same, objects_.Peek());
    if (same != nullptr && same->record.lsn == lsn) objects_.Drop();
    return Put(std::move(record), definition);
  }
  /// Those of the objects that come before `lsn`.
  Status AddObjectsBelow(Lsn lsn) {
    for (;;) {
      ARROW_ASSIGN_OR_RAISE(Write * write, objects_.Peek());
      if (write == nullptr || write->record.lsn >= lsn) return Status::OK();
      ARROW_RETURN_NOT_OK(Put(std::move(write->record), write->definition));
      objects_.Drop();
      ++taken_;
    }
  }

  int64_t taken() const { return taken_; }
  Lsn last() const { return last_; }

 private:
  Status Put(WriteRecord record, Definition definition) {
    const auto next_id = static_cast<uint32_t>(ids_.size() + 1);
    definition.id =
        ids_.try_emplace(definition.bytes->ToString(), DefinitionId{next_id}).first->second;
    record.definition = definition.id;
    last_ = record.lsn;
    return to_.Add(std::move(record), definition);
  }

  LogRewriter& to_;
  ObjectWrites& objects_;
  std::map<std::string, DefinitionId> ids_;  // by what they mean
  int64_t taken_ = 0;
  Lsn last_ = kNoLsn;
};

LogState CompleteState(LogState state, Lsn given_through) {
  // That the control file had not reserved them means that it is not the last one of this server.
  if (given_through > state.reserved_through) {
    state.reserved_through = Lsn{given_through.value + kLsnsToSkip};
  }
  state.lost_through = std::max(state.lost_through, given_through);
  state.incomplete = false;
  return state;
}

Status RemoveAside(Fs& fs, const std::string& aside) {
  ARROW_ASSIGN_OR_RAISE(const bool there, fs.Exists(aside));
  if (!there) return Status::OK();
  ARROW_ASSIGN_OR_RAISE(const std::vector<std::string> names, fs.List(aside));
  for (const std::string& name : names) ARROW_RETURN_NOT_OK(fs.Remove(aside + "/" + name));
  return Status::OK();
}

// All that the replaced log holds is in the new one, and the damaged one is kept elsewhere. Spares
// go too: the definitions in their stale bytes have other numbers.
Status Exchange(Fs& fs, LogExchange& exchange, const std::string& directory) {
  const std::string aside = directory + ".refilled";
  ARROW_ASSIGN_OR_RAISE(const std::vector<std::string> names, fs.List(directory));
  for (const std::string& name : names) {
    if (name.starts_with("spare-")) ARROW_RETURN_NOT_OK(fs.Remove(directory + "/" + name));
  }
  ARROW_RETURN_NOT_OK(exchange.Run(aside));
  return RemoveAside(fs, aside);
}

}  // namespace

Status MarkIncomplete(Fs& fs, const std::string& directory, Lsn given_through) {
  ControlFile control(fs, directory);
  ARROW_RETURN_NOT_OK(control.Read().status());
  return control.Update([&](LogState& state) {
    state.reserved_through =
        Lsn{std::max(state.reserved_through, given_through).value + kLsnsToSkip};
    state.lost_through = std::max(state.lost_through, given_through);
    state.incomplete = true;
  });
}

Result<std::optional<LogReport>> FindIncompleteLog(Fs& fs, const std::string& directory) {
  LogExchange exchange(fs, directory, kRefillSuffix);
  ARROW_ASSIGN_OR_RAISE(const bool pending, exchange.IsPending());
  if (pending) ARROW_RETURN_NOT_OK(Exchange(fs, exchange, directory));
  ControlFile control(fs, directory);
  const Result<std::optional<LogState>> state = control.Read(OpenMode::kRead);
  if (!state.ok()) {
    return CodeOf(state.status()) == ErrorCode::kCorruption
               ? Result<std::optional<LogReport>>(std::nullopt)
               : state.status();
  }
  if (!state->has_value() || !(*state)->incomplete) return std::nullopt;
  ARROW_ASSIGN_OR_RAISE(LogReport report, VerifyLog(fs, directory));
  if (report.damaged()) return std::nullopt;
  return report;
}

Result<int64_t> RefillLog(Fs& fs, Clock& clock, const LogOptions& options, const LogReport& report,
                          const ObjectSupply& next_object, Lsn given_through) {
  LogExchange exchange(fs, report.directory, kRefillSuffix);
  ARROW_RETURN_NOT_OK(exchange.Prepare());
  ObjectWrites objects(next_object, options.node, report.begins_after());
  ARROW_ASSIGN_OR_RAISE(const Write* first, objects.Peek());
  if (first == nullptr) {
    ControlFile control(fs, report.directory);
    ARROW_RETURN_NOT_OK(control.Read().status());
    ARROW_RETURN_NOT_OK(
        control.Update([&](LogState& state) { state = CompleteState(state, given_through); }));
    return 0;
  }
  ARROW_ASSIGN_OR_RAISE(
      const auto rewriter,
      LogRewriter::Make(
          fs, clock,
          {.directory = exchange.fresh(),
           .node = options.node,
           .segment_bytes = options.segment_bytes,
           .first_number = report.segments.empty() ? 1 : report.segments.back().number + 1,
           .first_epoch = report.state.epoch + 1,
           .begins_after =
               report.segments.empty() ? first->record.lsn.previous() : report.begins_after()}));
  Merge merge(*rewriter, objects);
  ARROW_RETURN_NOT_OK(ReadWhole(fs, report, [&](WriteRecord record, const Definition& definition) {
    return merge.Add(std::move(record), definition);
  }));
  ARROW_RETURN_NOT_OK(merge.AddObjectsBelow(kAboveAllLsns));
  ARROW_RETURN_NOT_OK(
      rewriter->Finish(CompleteState(report.state, std::max(given_through, merge.last()))));
  ARROW_ASSIGN_OR_RAISE(const LogReport written, VerifyLog(fs, exchange.fresh()));
  if (written.damaged() || written.writes() != report.writes() + merge.taken()) {
    return Error(ErrorCode::kInternal, "wal: the refilled log in ", exchange.fresh(), " holds ",
                 written.writes(), " writes, ", report.writes() + merge.taken(),
                 " were to be in it");
  }
  ARROW_RETURN_NOT_OK(exchange.MarkComplete());
  ARROW_RETURN_NOT_OK(Exchange(fs, exchange, report.directory));
  return merge.taken();
}

}  // namespace arka::wal
