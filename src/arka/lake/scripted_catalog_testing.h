// A catalog of one table, in memory, whose answers to CommitTable a test writes down beforehand.
#pragma once

#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "arka/iceberg/catalog.h"
#include "arka/iceberg/table_creation.h"

namespace arka::lake {

enum class Answer {
  kLands,          // done
  kConflict,       // it does not land
  kLost,           // unknown; it never lands
  kLandsLost,      // unknown; it has landed
  kComesLate,      // unknown; it reaches the table when LandLate is called
  kRefused,        // another error; it does not land
  kLandsConflict,  // a conflict with itself: it has landed, and was sent twice on its way
};

class ScriptedCatalog final : public iceberg::Catalog {
 public:
  explicit ScriptedCatalog(const std::string& location) {
    iceberg::Schema schema;
    schema.fields = {{1, "id", iceberg::TypeId::kLong, false, "", ""}};
    metadata_ = *iceberg::NewTableMetadata({schema, {}, std::nullopt}, location, kUuid, WallTime{});
  }

  static constexpr char kUuid[] = "11111111-2222-4333-8444-555555555555";

  /// Answers to come; after them everything lands where its requirements hold.
  std::deque<Answer> script;
  /// Called before a commit reaches the table.
  std::function<void()> before_commit = [] {};
  /// Called before a load; an error is answered instead of the table.
  std::function<Status()> before_load = [] { return Status::OK(); };
  int commits = 0;

  const iceberg::TableMetadata& metadata() const { return metadata_; }
  iceberg::TableMetadata& mutable_metadata() { return metadata_; }

  /// The late commit arrives; whether it landed. False where none is under way.
  bool LandLate() {
    if (!late_) return false;
    const auto [requirements, updates] = *std::exchange(late_, std::nullopt);
    return Land(requirements, updates).ok();
  }

  Result<iceberg::Table> LoadTable(const iceberg::TableIdentifier& identifier) override {
    ARROW_RETURN_NOT_OK(before_load());
    return Current(identifier);
  }

  Result<iceberg::Table> CommitTable(const iceberg::TableIdentifier& identifier,
                                     const std::vector<iceberg::TableRequirement>& requirements,
                                     const std::vector<iceberg::TableUpdate>& updates) override {
    ++commits;
    before_commit();
    Answer answer = Answer::kLands;
    if (!script.empty()) {
      answer = script.front();
      script.pop_front();
    }
    switch (answer) {
      case Answer::kConflict:
        return Error(ErrorCode::kCommitConflict, "scripted");
      case Answer::kRefused:
        return Error(ErrorCode::kPermissionDenied, "scripted");
      case Answer::kComesLate:
        late_ = {requirements, updates};
        break;
      case Answer::kLost:
        break;
      case Answer::kLandsConflict:
        ARROW_RETURN_NOT_OK(Land(requirements, updates));
        return Error(ErrorCode::kCommitConflict, "scripted");
      case Answer::kLandsLost:
        ARROW_RETURN_NOT_OK(Land(requirements, updates));
        break;
      case Answer::kLands:
        ARROW_RETURN_NOT_OK(Land(requirements, updates));
        return Current(identifier);
    }
    return Error(ErrorCode::kCommitUnknown, "scripted");
  }

  Result<iceberg::Table> CreateTable(const iceberg::TableIdentifier&,
                                     const iceberg::TableCreation&) override {
    return Error(ErrorCode::kUnimplemented, "scripted");
  }
  Result<std::vector<iceberg::TableIdentifier>> ListTables() override {
    return Error(ErrorCode::kUnimplemented, "scripted");
  }
  Status DropTable(const iceberg::TableIdentifier&) override {
    return Error(ErrorCode::kUnimplemented, "scripted");
  }

 private:
  Result<iceberg::Table> Current(const iceberg::TableIdentifier& identifier) const {
    return iceberg::Table{identifier, "memory://metadata",
                          std::make_shared<iceberg::TableMetadata>(metadata_)};
  }

  Status Land(const std::vector<iceberg::TableRequirement>& requirements,
              const std::vector<iceberg::TableUpdate>& updates) {
    ARROW_ASSIGN_OR_RAISE(metadata_, iceberg::Apply(metadata_, requirements, updates, WallTime{}));
    return Status::OK();
  }

  iceberg::TableMetadata metadata_;
  std::optional<
      std::pair<std::vector<iceberg::TableRequirement>, std::vector<iceberg::TableUpdate>>>
      late_;
};

}  // namespace arka::lake
