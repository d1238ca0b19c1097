#include "arka/wal/log_import.h"

#include <algorithm>
#include <array>
#include <functional>
#include <utility>
#include <vector>

#include "arka/wal/control_file.h"
#include "arka/wal/log_object.h"
#include "arka/wal/segment_reader.h"

namespace arka::wal {
namespace {

// There from before the first segment until all is done.
constexpr char kUnfinished[] = "import.unfinished";

class NothingThere : public ReplayVisitor {
 public:
  Status OnDefinition(const Definition&) override { return Status::OK(); }
  Status OnWrite(WriteRecord) override { return Status::OK(); }
};

Status Mark(Fs& fs, const std::string& directory) {
  ARROW_ASSIGN_OR_RAISE(const auto file,
                        fs.Open(directory + "/" + kUnfinished, OpenMode::kCreateNew));
  ARROW_RETURN_NOT_OK(file->Sync());
  return fs.SyncDir(directory);
}

// The control file goes first, the mark last: at no moment does the rest look like a log.
Status RemoveUnfinished(Fs& fs, const std::string& directory, std::vector<std::string> names) {
  std::erase(names, kUnfinished);
  std::stable_partition(names.begin(), names.end(),
                        [](const std::string& name) { return name == kControlFileName; });
  for (const std::string& name : names) ARROW_RETURN_NOT_OK(fs.Remove(directory + "/" + name));
  ARROW_RETURN_NOT_OK(fs.SyncDir(directory));
  ARROW_RETURN_NOT_OK(fs.Remove(directory + "/" + kUnfinished));
  return fs.SyncDir(directory);
}

class ObjectsImport : public LogImport, private ReplayVisitor {
 public:
  ObjectsImport(Fs& fs, Clock& clock, LogOptions options)
      : fs_(fs), clock_(clock), options_(std::move(options)) {}

  Status Add(const std::shared_ptr<arrow::Buffer>& object) override {
    ARROW_ASSIGN_OR_RAISE(const ObjectHeader header, DecodeObjectHeader(SpanOf(*object)));
    if (header.node != options_.node) {
      return Error(ErrorCode::kCorruption, "wal: a log object of node '", header.node,
                   "' among those of '", options_.node, "'");
    }
    if (last_ != kNoLsn && header.first_lsn > last_.next() && header.epoch <= epoch_) {
      return Error(ErrorCode::kCorruption, "wal: the log objects of LSN ", last_.next(), " to ",
                   header.first_lsn.previous(), " are missing");
    }
    epoch_ = std::max(epoch_, header.epoch);
    new_ids_.clear();
    const std::array parts = {object};
    ARROW_RETURN_NOT_OK(ReadLogObject(parts, *this));
    return log_ == nullptr ? Status::OK() : log_->Flush();
  }

  Lsn last_lsn() const override { return last_; }
  int64_t writes() const override { return writes_; }

  Status Finish(Lsn committed, Lsn reserved_through) override {
    if (log_ != nullptr) ARROW_RETURN_NOT_OK(log_->Close());
    log_.reset();
    reserved_through = std::max({reserved_through, committed, last_});
    ARROW_RETURN_NOT_OK(UpdateControl([&](LogState& state) {
      state.reserved_through = reserved_through;
      if (state.tail.segment == 0) state.tail.last_lsn = committed;
    }));
    ARROW_RETURN_NOT_OK(fs_.Remove(options_.directory + "/" + kUnfinished));
    return fs_.SyncDir(options_.directory);
  }

 private:
  Status OnDefinition(const Definition& definition) override {
    const std::string bytes = definition.bytes->ToString();
    const auto next_id = static_cast<uint32_t>(ids_.size() + 1);
    new_ids_[definition.id] = ids_.try_emplace(bytes, DefinitionId{next_id}).first->second;
    return log_ == nullptr ? Status::OK() : DefineAll();
  }

  Status OnWrite(WriteRecord record) override {
    const Lsn lsn = record.lsn;
    if (last_ != kNoLsn && lsn <= last_) return Status::OK();  // an object before had it
    if (log_ == nullptr || lsn != last_.next()) ARROW_RETURN_NOT_OK(BeginAt(lsn));
    record.definition = new_ids_.at(record.definition);
    ARROW_ASSIGN_OR_RAISE(const Lsn given, log_->Append(std::move(record)));
    if (given != lsn) {
      return Error(ErrorCode::kInternal, "wal: the import gave LSN ", given, " to ", lsn);
    }
    last_ = lsn;
    ++writes_;
    return Status::OK();
  }

  // A log that goes on with `lsn`. LSNs have gaps only between two epochs, so this begins one.
  Status BeginAt(Lsn lsn) {
    if (log_ != nullptr) ARROW_RETURN_NOT_OK(log_->Close());
    log_.reset();
    ARROW_RETURN_NOT_OK(UpdateControl([&](LogState& state) {
      state.reserved_through = lsn.previous();
      if (state.tail.segment == 0) state.tail.last_lsn = lsn.previous();  // where the log begins
    }));
    NothingThere visitor;
    ARROW_ASSIGN_OR_RAISE(log_, Log::Open(fs_, clock_, options_, visitor));
    return DefineAll();
  }

  Status UpdateControl(const std::function<void(LogState&)>& change) {
    ControlFile control(fs_, options_.directory);
    ARROW_RETURN_NOT_OK(control.Read().status());
    return control.Update(change);
  }

  Status DefineAll() {
    for (const auto& [bytes, id] : ids_) {
      ARROW_RETURN_NOT_OK(log_->Define({id, arrow::Buffer::FromString(bytes)}));
    }
    return Status::OK();
  }

  Fs& fs_;
  Clock& clock_;
  const LogOptions options_;
  std::unique_ptr<Log> log_;                      // none before the first write
  std::map<std::string, DefinitionId> ids_;       // by what they mean
  std::map<DefinitionId, DefinitionId> new_ids_;  // of the object in hand
  Lsn last_ = kNoLsn;
  int64_t epoch_ = 0;
  int64_t writes_ = 0;
};

}  // namespace

Result<bool> LogImport::IsUnfinished(Fs& fs, const std::string& directory) {
  return fs.Exists(directory + "/" + kUnfinished);
}

Result<bool> LogImport::HoldsLog(Fs& fs, const std::string& directory) {
  ARROW_ASSIGN_OR_RAISE(const bool unfinished, IsUnfinished(fs, directory));
  if (unfinished) return false;
  return fs.Exists(directory + "/" + kControlFileName);
}

Result<std::unique_ptr<LogImport>> LogImport::Begin(Fs& fs, Clock& clock, LogOptions options) {
  ARROW_RETURN_NOT_OK(fs.CreateDirs(options.directory));
  ARROW_ASSIGN_OR_RAISE(const auto names, fs.List(options.directory));
  if (std::find(names.begin(), names.end(), kUnfinished) != names.end()) {
    ARROW_RETURN_NOT_OK(RemoveUnfinished(fs, options.directory, names));
  } else if (!names.empty()) {
    return Error(ErrorCode::kCorruption, "wal: ", options.directory,
                 " is not empty: a log is made out of log objects only where there is none. Move "
                 "the directory away if what it holds is not wanted");
  }
  ARROW_RETURN_NOT_OK(Mark(fs, options.directory));
  return std::make_unique<ObjectsImport>(fs, clock, std::move(options));
}

}  // namespace arka::wal
