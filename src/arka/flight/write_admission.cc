#include "arka/flight/write_admission.h"

#include <algorithm>
#include <utility>

namespace arka::flight {

WriteAdmission::WriteAdmission(LoopContext& context, const Clock& clock, AckScheduler::SleeperId id,
                               std::chrono::milliseconds timeout,
                               std::function<void(Result<ingest::Admission>)> settled)
    : context_(context),
      clock_(clock),
      id_(id),
      timeout_(timeout),
      settled_(std::move(settled)),
      self_(std::make_shared<WriteAdmission*>(this)) {}

WriteAdmission::~WriteAdmission() { std::erase(context_.waiting_for_room, id_); }

Result<std::optional<ingest::Admission>> WriteAdmission::Admit(const ingest::OpenedTable& target,
                                                               ingest::DecodedWrite write,
                                                               int64_t seq) {
  target_ = &target;
  const auto admission = TryWrite(write, seq);
  if (admission.ok()) return *admission;
  if (CodeOf(admission.status()) != ErrorCode::kBackpressure) return admission.status();
  refused_ = std::move(write);
  refused_seq_ = seq;
  Wait(admission.status());
  return std::nullopt;
}

Result<ingest::Admission> WriteAdmission::TryWrite(ingest::DecodedWrite& write, int64_t seq) {
  if (producer_ != nullptr) return context_.engine.Write(*target_, write, *producer_, seq);
  ARROW_ASSIGN_OR_RAISE(const Lsn lsn, context_.engine.Write(*target_, write));
  return ingest::Admission{lsn};
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
  auto admission = TryWrite(*refused_, refused_seq_);
  if (!admission.ok() && CodeOf(admission.status()) == ErrorCode::kBackpressure) return false;
  refused_.reset();
  settled_(std::move(admission));
  return true;
}

}  // namespace arka::flight
