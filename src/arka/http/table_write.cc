#include "arka/http/table_write.h"

#include <algorithm>
#include <string>
#include <utility>

#include "arka/acks/engine_lookups.h"
#include "arka/http/error_answer.h"
#include "arka/http/row_text.h"
#include "arka/lake/arrow_schema.h"

namespace arka::http {
namespace {

constexpr size_t kBatchesPerTurn = 64;  // then the loop's other calls have theirs
constexpr std::chrono::milliseconds kLookForGoneTables{500};  // nobody is woken when a table goes

/// The body as a stream cut into messages. Blocks.
Result<std::shared_ptr<StreamBody>> Cut(const query::ReadSource& source,
                                        const WriteRequest& request,
                                        std::shared_ptr<arrow::Buffer> body, int64_t max_rows) {
  if (request.format != RowFormat::kArrowStream) {
    const auto table = query::LoadTable(source, request.table);
    if (!table.ok() && CodeOf(table.status()) == ErrorCode::kNotFound) {
      return Error(ErrorCode::kNotFound, "no table ", request.table.ToString(),
                   " yet, and text does not say its columns' types; make it first: POST an Arrow ",
                   "stream to it, or use Flight's action create_table");
    }
    ARROW_RETURN_NOT_OK(table.status());
    const auto schema = lake::ArrowSchemaOf(*table->metadata->current_schema());
    ARROW_ASSIGN_OR_RAISE(body, ParseRows(request.format, body, schema, max_rows));
  }
  ARROW_ASSIGN_OR_RAISE(auto stream, CutStream(body));
  return std::make_shared<StreamBody>(std::move(stream));
}

}  // namespace

TableWrite::TableWrite(const WriteContext& context, WriteRequest request,
                       transport::HttpRequest http, transport::HttpResponder respond,
                       std::function<void()> ended)
    : context_(context),
      loop_(context.contexts.Of(*http.loop)),
      request_(std::move(request)),
      http_(std::move(http)),
      respond_(std::move(respond)),
      ended_(std::move(ended)),
      self_(std::make_shared<TableWrite*>(this)),
      id_(loop_.scheduler.Add(*this)),
      admission_(loop_, context.clock, context.options.admission_timeout,
                 [this](auto admission) { OnSettled(admission); }) {}

TableWrite::~TableWrite() { loop_.scheduler.Remove(id_); }

template <typename Made>
void TableWrite::Aside(std::function<Made()> work, void (TableWrite::*done)(Made)) {
  context_.reads.Run(
      [&loop = loop_.loop, weak = std::weak_ptr(self_), work = std::move(work), done] {
        if (weak.expired()) return;
        loop.Post([weak, made = work(), done] {
          if (const auto alive = weak.lock()) ((**alive).*done)(made);
        });
      });
}

void TableWrite::Begin() {
  using Made = Result<std::shared_ptr<StreamBody>>;
  Aside<Made>(
      [&source = context_.reads.source, request = request_, body = http_.body,
       max_rows = context_.options.limits.max_rows] {
        return Cut(source, request, body, max_rows);
      },
      &TableWrite::OnCut);
}

void TableWrite::OnCut(Result<std::shared_ptr<StreamBody>> stream) {
  if (IsOver()) return;
  if (!stream.ok()) return Fail(stream.status());
  stream_ = std::move(*stream);
  if (auto opened = context_.engine.FindTable(request_.table, *stream_->schema)) {
    return OnOpened(std::move(opened));
  }
  context_.engine.OpenTable(request_.table, stream_->schema,
                            [&loop = loop_.loop, weak = std::weak_ptr(self_)](
                                Result<std::shared_ptr<const ingest::OpenedTable>> opened) {
                              loop.Post([weak, opened = std::move(opened)] {
                                if (const auto alive = weak.lock()) (*alive)->OnOpened(opened);
                              });
                            });
}

void TableWrite::OnOpened(Result<std::shared_ptr<const ingest::OpenedTable>> opened) {
  if (IsOver()) return;
  if (!opened.ok()) return Fail(opened.status());
  target_ = std::move(*opened);
  const Status prepared = Prepare();
  if (!prepared.ok()) return Fail(prepared);
  using Made = Result<std::shared_ptr<std::vector<ingest::DecodedWrite>>>;
  Aside<Made>(
      [stream = stream_, schema = target_->schema, limits = context_.options.limits]() -> Made {
        ARROW_ASSIGN_OR_RAISE(auto writes, DecodeStream(*stream, schema, limits));
        return std::make_shared<std::vector<ingest::DecodedWrite>>(std::move(writes));
      },
      &TableWrite::OnDecoded);
}

Status TableWrite::Prepare() {
  if (!request_.session.empty())
    session_ = context_.sessions.Join(http_.caller->principal(), request_.session);
  if (request_.producer.empty()) return Status::OK();
  ARROW_ASSIGN_OR_RAISE(auto producer, context_.engine.OpenProducer(*target_, request_.producer,
                                                                    request_.producer_epoch));
  admission_.SetProducer(std::move(producer), request_.producer_epoch);
  return Status::OK();
}

void TableWrite::OnDecoded(Result<std::shared_ptr<std::vector<ingest::DecodedWrite>>> writes) {
  if (IsOver()) return;
  if (!writes.ok()) return Fail(writes.status());
  stream_.reset();
  writes_ = std::move(*writes);
  WriteNext();
}

void TableWrite::WriteNext() {
  for (size_t turn = 0; turn < kBatchesPerTurn; ++turn) {
    if (IsOver()) return;
    const size_t next = written_.size();
    if (next == writes_->size()) return WaitForLevel();
    rows_ = (*writes_)[next].stored->num_rows();
    const auto admission = admission_.Admit(*target_, std::move((*writes_)[next]),
                                            request_.first_seq + static_cast<int64_t>(next));
    if (!admission.ok()) return Fail(admission.status());
    if (!admission->has_value()) return;  // it waits, and OnSettled follows
    OnWritten(**admission);
  }
  loop_.loop.Post([weak = std::weak_ptr(self_)] {
    if (const auto alive = weak.lock()) (*alive)->WriteNext();
  });
}

void TableWrite::OnWritten(const ingest::Admission& admission) {
  written_.push_back({admission, rows_});
  last_lsn_ = std::max(last_lsn_, admission.lsn);
  if (admission.committed_long_ago) return;
  awaited_lsn_ = std::max(awaited_lsn_, admission.lsn);
  if (session_) session_->Add(*target_->table, {{admission.lsn, admission.lsn}});
}

void TableWrite::OnSettled(const Result<ingest::Admission>& admission) {
  if (admission.ok()) OnWritten(*admission);
  // What follows may be refused as well and queue up again, so it is not done in this turn.
  loop_.loop.Post([weak = std::weak_ptr(self_), status = admission.status()] {
    const auto alive = weak.lock();
    if (alive == nullptr) return;
    status.ok() ? (*alive)->WriteNext() : (*alive)->Fail(status);
  });
}

void TableWrite::WaitForLevel() {
  all_written_ = true;
  writes_.reset();
  http_.body.reset();
  Look(context_.engine.progress());
}

void TableWrite::Look(const ingest::Progress& progress) {
  if (over_ || !all_written_) return;
  if (HasReached(progress)) return Answer();
  if (progress.failed) return Fail(context_.engine.failure());
  loop_.scheduler.Await(id_, request_.level, awaited_lsn_, target_->table);
  if (request_.level != Tier::kCommitted) return;
  const Status there = target_->table->CheckThere();
  there.ok() ? LookAgainLater() : Fail(there);
}

bool TableWrite::HasReached(const ingest::Progress& progress) const {
  if (awaited_lsn_ == kNoLsn || request_.level == Tier::kMemory) return true;
  const Lsn reached = request_.level == Tier::kCommitted
                          ? target_->table->committed_through()
                          : acks::ReachedOf(progress).lsn[IndexOf(request_.level)];
  return reached >= awaited_lsn_;
}

void TableWrite::LookAgainLater() {
  if (std::exchange(look_is_due_, true)) return;
  loop_.loop.PostAfter(kLookForGoneTables, [weak = std::weak_ptr(self_)] {
    const auto alive = weak.lock();
    if (alive == nullptr) return;
    (*alive)->look_is_due_ = false;
    (*alive)->Look((*alive)->context_.engine.progress());
  });
}

/// Whether it has ended, or ends here because nobody waits for it any more or the server stops.
bool TableWrite::IsOver() {
  if (over_) return true;
  if (stopping_) {
    Fail(Error(ErrorCode::kShuttingDown,
               "the server is shutting down; send the rest again once it is back"));
  } else if (http_.client.expired()) {
    End();
  }
  return over_;
}

void TableWrite::Shutdown() {
  stopping_ = true;
  if (!all_written_ && admission_.waiting()) IsOver();
}

void TableWrite::EndIfIdle() {
  if (!over_ && http_.client.expired()) End();
}

void TableWrite::Answer() {
  auto writes = nlohmann::ordered_json::array();
  int64_t rows = 0;
  for (const Written& write : written_) {
    const Tier level = write.admission.committed_long_ago ? Tier::kCommitted : request_.level;
    writes.push_back({{"lsn", write.admission.lsn.value},
                      {"durability_level", TierName(level)},
                      {"rows", write.rows}});
    rows += write.rows;
  }
  nlohmann::ordered_json last_lsn;
  if (!written_.empty()) last_lsn = last_lsn_.value;
  respond_(JsonAnswer(200, {{"table", request_.table.ToString()},
                            {"rows", rows},
                            {"writes", std::move(writes)},
                            {"last_lsn", std::move(last_lsn)}}));
  End();
}

void TableWrite::Fail(const Status& status) {
  if (over_) return;
  Status error = status;
  if (writes_ != nullptr) {
    error = WithContext(error, "batch " + std::to_string(written_.size()) + " of the body");
  }
  nlohmann::ordered_json more = nlohmann::ordered_json::object();
  auto written = nlohmann::ordered_json::array();
  for (const Written& write : written_) {
    const auto level = context_.engine.LevelOf(write.admission.lsn);
    nlohmann::ordered_json name;
    if (level.ok() && level->tier) name = TierName(*level->tier);
    written.push_back({{"lsn", write.admission.lsn.value},
                       {"durability_level", std::move(name)},
                       {"rows", write.rows}});
  }
  more["written"] = std::move(written);
  respond_(ErrorAnswer(error, std::move(more)));
  End();
}

void TableWrite::End() {
  over_ = true;
  admission_.Cancel();
  // Not in this turn: who called may still be at work with this.
  loop_.loop.Post([weak = std::weak_ptr(self_)] {
    if (const auto alive = weak.lock()) (*alive)->ended_();
  });
}

}  // namespace arka::http
