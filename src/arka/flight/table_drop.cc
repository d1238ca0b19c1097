#include "arka/flight/table_drop.h"

#include <utility>

namespace arka::flight {
namespace {

void Keep(ingest::Engine& engine, ingest::Table* table) {
  engine.ChangeTables([table](ingest::TableChanges& changes) { changes.KeepAfterAll(table); });
}

}  // namespace

TableDrop::TableDrop(acks::LoopContext& context, iceberg::TableIdentifier table,
                     std::function<void(Result<std::string>)> done)
    : context_(context),
      identifier_(std::move(table)),
      done_(std::move(done)),
      wait_(context, Tier::kCommitted,
            [this](const Status& committed) { OnCommitted(committed); }) {}

void TableDrop::Begin() {
  context_.engine.ChangeTables([&engine = context_.engine, &loop = context_.loop,
                                weak = std::weak_ptr(self_),
                                table = identifier_](ingest::TableChanges& changes) {
    loop.Post([&engine, weak, begun = changes.BeginDrop(table)] {
      if (const auto alive = weak.lock()) return (*alive)->OnBegun(begun);
      if (begun.ok() && *begun != nullptr) Keep(engine, *begun);
    });
  });
}

void TableDrop::GiveUp() {
  if (table_ != nullptr && !dropping_) Keep(context_.engine, table_);
  table_ = nullptr;
}

void TableDrop::OnBegun(const Result<ingest::Table*>& begun) {
  if (!begun.ok()) return done_(begun.status());
  table_ = *begun;
  wait_.BeginFor(table_);
}

void TableDrop::OnCommitted(const Status& committed) {
  if (!committed.ok()) {
    GiveUp();
    return done_(WithContext(committed,
                             "table " + identifier_.ToString() +
                                 " is not dropped: what was written to it could not be committed"));
  }
  dropping_ = true;
  context_.engine.ChangeTables([&loop = context_.loop, weak = std::weak_ptr(self_),
                                table = identifier_](ingest::TableChanges& changes) {
    loop.Post([weak, dropped = changes.Drop(table)] {
      if (const auto alive = weak.lock()) (*alive)->done_(dropped);
    });
  });
}

}  // namespace arka::flight
