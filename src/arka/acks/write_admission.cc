#include "arka/acks/write_admission.h"

#include <utility>

namespace arka::acks {

WriteAdmission::WriteAdmission(LoopContext& context, const Clock& clock,
                               std::chrono::milliseconds timeout,
                               std::function<void(Result<ingest::Admission>)> settled)
    : context_(context),
      clock_(clock),
      timeout_(timeout),
      settled_(std::move(settled)),
      self_(std::make_shared<WriteAdmission*>(this)) {}

WriteAdmission::~WriteAdmission() { Cancel(); }

Result<std::optional<ingest::Admission>> WriteAdmission::Admit(const ingest::OpenedTable& target,
                                                               ingest::DecodedWrite write,
                                                               int64_t seq) {
  target_ = &target;
  const auto admission = TryWrite(write, seq);
  if (admission.ok()) return *admission;
  if (CodeOf(admission.status()) != ErrorCode::kBackpressure) return admission.status();
  refused_ = std::move(write);
  refused_seq_ = seq;
  why_ = admission.status();
  Wait();
  StartTimeout();
  return std::nullopt;
}

Result<ingest::Admission> WriteAdmission::TryWrite(ingest::DecodedWrite& write, int64_t seq) {
  if (producer_ != nullptr) {
    return context_.engine.Write(*target_, write, *producer_, seq, epoch_);
  }
  ARROW_ASSIGN_OR_RAISE(const Lsn lsn, context_.engine.Write(*target_, write));
  return ingest::Admission{lsn};
}

void WriteAdmission::Wait() {
  turns_ = context_.engine.turns(refused_->shortage);
  refused_->ticket = turns_->Join([&loop = context_.loop, weak = std::weak_ptr(self_)] {
    loop.Post([weak] {
      if (const auto alive = weak.lock()) (*alive)->OnTurn();
    });
  });
}

void WriteAdmission::StartTimeout() {
  refused_at_ = clock_.Now();
  context_.loop.PostAfter(timeout_, [weak = std::weak_ptr(self_), since = refused_at_] {
    const auto alive = weak.lock();
    if (alive == nullptr) return;
    WriteAdmission& admission = **alive;
    if (!admission.refused_ || admission.refused_at_ != since) return;
    admission.Leave(/*refused=*/true);
    admission.settled_(
        WithContext(admission.why_, "no room within write_buffer.admission_timeout"));
  });
}

void WriteAdmission::OnTurn() {
  if (!refused_) return;
  const ingest::Shortage waited_for = refused_->shortage;
  auto admission = TryWrite(*refused_, refused_seq_);
  if (!admission.ok() && CodeOf(admission.status()) == ErrorCode::kBackpressure) {
    why_ = admission.status();
    if (refused_->shortage == waited_for) return;  // it keeps its turn
    turns_->Leave(std::exchange(refused_->ticket, 0), /*refused=*/false);
    return Wait();
  }
  Leave(/*refused=*/false);
  settled_(std::move(admission));
}

void WriteAdmission::Leave(bool refused) {
  if (!refused_) return;
  const uint64_t ticket = refused_->ticket;
  refused_.reset();
  turns_->Leave(ticket, refused);
}

}  // namespace arka::acks
