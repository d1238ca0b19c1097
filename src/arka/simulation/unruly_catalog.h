// A catalog as bad as real ones: commits that land a minute later, tables that go and come back.
//
// Decorates the MemoryCatalog; what merely fails is a FaultyCatalog's work, around this one. Tells
// an observer of every commit at the moment it lands. Not thread-safe.
#pragma once

#include <deque>
#include <functional>
#include <set>
#include <vector>

#include "arka/iceberg/catalog.h"

namespace arka::simulation {

class UnrulyCatalog final : public iceberg::Catalog {
 public:
  using LandedListener = std::function<void(const iceberg::Table&)>;

  explicit UnrulyCatalog(iceberg::Catalog& base) : base_(base) {}

  void SetLandedListener(LandedListener listener) { on_landed_ = std::move(listener); }

  /// Asked of every commit: whether it is answered kCommitUnknown now and applied later, if ever.
  void DelayCommits(std::function<bool()> whether) { delays_ = std::move(whether); }
  /// Applies the oldest of the delayed commits, on whatever base there is by now.
  void ApplyLate();
  size_t late_count() const { return late_.size(); }

  /// A commit of somebody else, who has better luck: applied and answered at once.
  Result<iceberg::Table> CommitAtOnce(const iceberg::TableIdentifier& identifier,
                                      const std::vector<iceberg::TableRequirement>& requirements,
                                      const std::vector<iceberg::TableUpdate>& updates) {
    return Land({identifier, requirements, updates});
  }

  /// As if dropped, or renamed by somebody; and back again, with all that it had.
  void Hide(const iceberg::TableIdentifier& identifier) { hidden_.insert(identifier); }
  void Show(const iceberg::TableIdentifier& identifier) { hidden_.erase(identifier); }
  bool IsHidden(const iceberg::TableIdentifier& identifier) const {
    return hidden_.contains(identifier);
  }

  Result<iceberg::Table> LoadTable(const iceberg::TableIdentifier& identifier) override;
  Result<iceberg::Table> CreateTable(const iceberg::TableIdentifier& identifier,
                                     const iceberg::TableCreation& creation) override;
  Result<iceberg::Table> CommitTable(const iceberg::TableIdentifier& identifier,
                                     const std::vector<iceberg::TableRequirement>& requirements,
                                     const std::vector<iceberg::TableUpdate>& updates) override;
  Result<std::vector<iceberg::TableIdentifier>> ListTables() override;
  Status DropTable(const iceberg::TableIdentifier& identifier) override;

 private:
  struct LateCommit {
    iceberg::TableIdentifier identifier;
    std::vector<iceberg::TableRequirement> requirements;
    std::vector<iceberg::TableUpdate> updates;
  };

  Result<iceberg::Table> Land(const LateCommit& commit);

  iceberg::Catalog& base_;
  LandedListener on_landed_;
  std::function<bool()> delays_;
  std::deque<LateCommit> late_;
  std::set<iceberg::TableIdentifier> hidden_;
};

}  // namespace arka::simulation
