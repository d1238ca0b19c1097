#include "arka/acks/session_registry.h"

#include <algorithm>
#include <utility>

namespace arka::acks {

SessionRegistry::Membership::~Membership() { registry_.End(*stream_); }

std::unique_ptr<SessionRegistry::Membership> SessionRegistry::Join(const std::string& principal,
                                                                   const std::string& name) {
  auto stream = std::make_shared<Stream>();
  stream->session = {principal, name};
  std::lock_guard lock(mutex_);
  sessions_[stream->session].push_back(stream);
  return std::make_unique<Membership>(*this, std::move(stream));
}

void SessionRegistry::Membership::Add(const ingest::Table& table, const std::vector<LsnRun>& runs) {
  std::lock_guard lock(stream_->mutex);
  SessionWrites& writes = stream_->writes;
  writes.table = &table;
  for (const LsnRun& run : runs) {
    if (!writes.runs.empty() && writes.runs.back().last.next() == run.first) {
      writes.runs.back().last = run.last;
      continue;
    }
    const bool full = registry_.runs_ >= registry_.limits_.runs && !writes.runs.empty();
    if (full || writes.runs.size() >= registry_.limits_.runs_per_stream) {
      // A batch of them, so that what moves down moves rarely.
      const size_t count = std::max<size_t>(1, writes.runs.size() / 8);
      for (size_t i = 0; i < count; ++i) {
        writes.forgotten_through = std::max(writes.forgotten_through, writes.runs[i].last);
      }
      writes.runs.erase(writes.runs.begin(), writes.runs.begin() + static_cast<int64_t>(count));
      registry_.runs_ -= count;
    }
    writes.runs.push_back(run);
    ++registry_.runs_;
  }
}

// The table is not looked at here: the stream may be one that outlived the engine.
void SessionRegistry::End(Stream& stream) {
  std::lock_guard lock(mutex_);
  {
    std::lock_guard stream_lock(stream.mutex);
    if (stream.writes.table == nullptr) return Leave(stream);  // it wrote nothing: nothing to tell
    stream.writes.ended_at = clock_.WallNow();
    stream.writes.runs.shrink_to_fit();
  }
  if (++ended_ > limits_.ended_streams) ForgetFirstEnded();
}

void SessionRegistry::Leave(const Stream& stream) {
  const auto session = sessions_.find(stream.session);
  std::erase_if(session->second, [&](const auto& other) { return other.get() == &stream; });
  if (session->second.empty()) sessions_.erase(session);
}

Result<std::vector<SessionWrites>> SessionRegistry::WritesOf(const std::string& principal,
                                                             const std::string& name) const {
  std::lock_guard lock(mutex_);
  const auto session = sessions_.find({principal, name});
  if (session == sessions_.end()) {
    return Error(ErrorCode::kNotFound, "no session '", name,
                 "'; sessions live in the server's memory, for acks.retention (",
                 limits_.retention.count() / 1000,
                 " s) after their last stream. After a restart of the server or later than that, "
                 "ask last_seq where a producer is to go on, or durability_status for the level of "
                 "single LSNs: {\"lsns\": [...]}");
  }
  std::vector<SessionWrites> all;
  for (const auto& stream : session->second) {
    std::lock_guard stream_lock(stream->mutex);
    all.push_back(stream->writes);
  }
  return all;
}

std::vector<SessionSummary> SessionRegistry::List(const std::string& principal,
                                                  const std::string& after, size_t limit) const {
  std::vector<SessionSummary> listed;
  std::lock_guard lock(mutex_);
  for (auto session = sessions_.upper_bound({principal, after});
       session != sessions_.end() && session->first.first == principal && listed.size() < limit;
       ++session) {
    SessionSummary& summary = listed.emplace_back();
    summary.name = session->first.second;
    for (const auto& stream : session->second) {
      std::lock_guard stream_lock(stream->mutex);
      const SessionWrites& writes = stream->writes;
      ++(writes.ended_at ? summary.ended_streams : summary.open_streams);
      if (!writes.runs.empty()) {
        summary.last_lsn = std::max(summary.last_lsn, writes.runs.back().last);
      }
    }
  }
  return listed;
}

bool SessionRegistry::IsOver(Stream& stream, WallTime now) const {
  std::lock_guard lock(stream.mutex);
  const SessionWrites& writes = stream.writes;
  if (!writes.ended_at || now - *writes.ended_at < limits_.retention) return false;
  return std::all_of(writes.runs.begin(), writes.runs.end(), [&](const LsnRun& run) {
    return run.last <= writes.table->committed_through();
  });
}

void SessionRegistry::Sweep() {
  const WallTime now = clock_.WallNow();
  std::lock_guard lock(mutex_);
  for (auto session = sessions_.begin(); session != sessions_.end();) {
    std::erase_if(session->second, [&](const std::shared_ptr<Stream>& stream) {
      if (!IsOver(*stream, now)) return false;
      ForgetRuns(*stream);
      --ended_;
      return true;
    });
    session = session->second.empty() ? sessions_.erase(session) : std::next(session);
  }
}

void SessionRegistry::ForgetFirstEnded() {
  // An eighth of them at once, so that this comes rarely.
  std::vector<std::pair<WallTime, Stream*>> ended;
  for (const auto& [name, streams] : sessions_) {
    for (const auto& stream : streams) {
      std::lock_guard lock(stream->mutex);
      if (stream->writes.ended_at) ended.emplace_back(*stream->writes.ended_at, stream.get());
    }
  }
  const size_t count = std::max<size_t>(1, ended.size() / 8);
  std::nth_element(ended.begin(), ended.begin() + static_cast<int64_t>(count - 1), ended.end());
  std::vector<Stream*> first;
  for (size_t i = 0; i < count; ++i) first.push_back(ended[i].second);
  std::sort(first.begin(), first.end());
  for (auto session = sessions_.begin(); session != sessions_.end();) {
    std::erase_if(session->second, [&](const std::shared_ptr<Stream>& stream) {
      if (!std::binary_search(first.begin(), first.end(), stream.get())) return false;
      ForgetRuns(*stream);
      --ended_;
      return true;
    });
    session = session->second.empty() ? sessions_.erase(session) : std::next(session);
  }
}

void SessionRegistry::ForgetRuns(Stream& stream) {
  std::lock_guard lock(stream.mutex);
  runs_ -= stream.writes.runs.size();
  stream.writes.runs.clear();
}

}  // namespace arka::acks
