#include "arka/flight/write_admission.h"

#include <algorithm>
#include <utility>

namespace arka::flight {

WriteAdmission::WriteAdmission(LoopContext& context, const Clock& clock, AckScheduler::SleeperId id,
                               std::chrono::milliseconds timeout,
                               std::function<void(Result<Lsn>)> settled)
    : context_(context),
      clock_(clock),
      id_(id),
      timeout_(timeout),
      settled_(std::move(settled)),
      self_(std::make_shared<WriteAdmission*>(this)) {}

WriteAdmission::~WriteAdmission() { std::erase(context_.waiting_for_room, id_); }

Result<std::optional<Lsn>> WriteAdmission::Admit(const ingest::OpenedTable& target,
                                                 ingest::DecodedWrite write) {
  const auto lsn = context_.engine.Write(target, write);
  if (lsn.ok()) return *lsn;
  if (CodeOf(lsn.status()) != ErrorCode::kBackpressure) return lsn.status();
  target_ = &target;
  refused_ = std::move(write);
  Wait(lsn.status());
  return std::nullopt;
}

void WriteAdmission::Wait(Status why) {
  refused_at_ = clock_.Now();
  context_.waiting_for_room.push_back(id_);
  context_.loop.PostAfter(
      timeout_, [weak = std::weak_ptr(self_), since = refused_at_, why = std::move(why)] {
        const auto alive = weak.lock();
        if (alive == nullptr) return;
        WriteAdmission& admission = **alive;
        if (!admission.refused_ || admission.refused_at_ != since) return;
        admission.refused_.reset();
        admission.settled_(WithContext(why, "no room within write_buffer.admission_timeout"));
      });
}

bool WriteAdmission::OnRoom() {
  if (!refused_) return true;
  auto lsn = context_.engine.Write(*target_, *refused_);
  if (!lsn.ok() && CodeOf(lsn.status()) == ErrorCode::kBackpressure) return false;
  refused_.reset();
  settled_(std::move(lsn));
  return true;
}

}  // namespace arka::flight
