#include "arka/acks/ack_scheduler.h"

#include <algorithm>

#include "arka/base/check.h"

namespace arka::acks {

AckScheduler::SleeperId AckScheduler::Add(Sleeper& sleeper) {
  sleepers_[++last_id_] = {&sleeper};
  return last_id_;
}

void AckScheduler::Remove(SleeperId id) { sleepers_.erase(id); }

Sleeper* AckScheduler::Find(SleeperId id) {
  const auto entry = sleepers_.find(id);
  return entry == sleepers_.end() ? nullptr : entry->second.sleeper;
}

void AckScheduler::Await(SleeperId id, Tier tier, Lsn lsn, const ingest::Table* table) {
  ARKA_CHECK(tier != Tier::kMemory);
  Lsn& waiting = WaitingFor(sleepers_.at(id), tier, table);
  if (waiting != kNotWaiting && waiting <= lsn) return;
  waiting = lsn;  // a wait for a higher one is left behind, and wakes once too often
  Waits& waits = tier == Tier::kCommitted ? commit_waits_[table] : waits_[IndexOf(tier)];
  waits.push({lsn, id});
}

Lsn& AckScheduler::WaitingFor(Entry& entry, Tier tier, const ingest::Table* table) {
  if (tier != Tier::kCommitted) return entry.waiting[IndexOf(tier)];
  for (auto& [of_table, lsn] : entry.waiting_for_commits) {
    if (of_table == table) return lsn;
  }
  return entry.waiting_for_commits.emplace_back(table, kNotWaiting).second;
}

void AckScheduler::Collect(Waits& waits, Tier tier, const ingest::Table* table, Lsn reached,
                           std::vector<SleeperId>* woken) {
  while (!waits.empty() && waits.top().lsn <= reached) {
    const SleeperId id = waits.top().id;
    waits.pop();
    const auto entry = sleepers_.find(id);
    if (entry == sleepers_.end()) continue;  // the stream is gone, its wait was left behind
    WaitingFor(entry->second, tier, table) = kNotWaiting;
    woken->push_back(id);
  }
}

void AckScheduler::OnProgress(const ingest::Progress& progress) {
  std::vector<SleeperId> woken;
  if (progress.failed) {
    for (const auto& [id, entry] : sleepers_) woken.push_back(id);
  } else {
    Collect(waits_[IndexOf(Tier::kLocalDisk)], Tier::kLocalDisk, nullptr,
            progress.watermarks.disk_lsn, &woken);
    Collect(waits_[IndexOf(Tier::kObjectStorage)], Tier::kObjectStorage, nullptr,
            progress.watermarks.s3_lsn, &woken);
    if (progress.commits != commits_seen_) {
      commits_seen_ = progress.commits;
      for (auto table = commit_waits_.begin(); table != commit_waits_.end();) {
        Collect(table->second, Tier::kCommitted, table->first, table->first->committed_through(),
                &woken);
        table = table->second.empty() ? commit_waits_.erase(table) : std::next(table);
      }
    }
    std::sort(woken.begin(), woken.end());
    woken.erase(std::unique(woken.begin(), woken.end()), woken.end());
  }
  for (SleeperId id : woken) {
    if (Sleeper* sleeper = Find(id)) sleeper->Wake(progress);
  }
}

void AckScheduler::ForEach(const std::function<void(Sleeper&)>& visit) {
  std::vector<SleeperId> ids;
  for (const auto& [id, entry] : sleepers_) ids.push_back(id);
  for (SleeperId id : ids) {
    if (Sleeper* sleeper = Find(id)) visit(*sleeper);
  }
}

}  // namespace arka::acks
