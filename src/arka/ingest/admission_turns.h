// Who is next where writes have to wait for room: one queue for the whole server, first come, first
// served, so that no stream that keeps asking overtakes one that waits.
//
// A writer that was refused takes a ticket, and is told whenever there may be room and it is its
// turn; once it was admitted, or gave up, the next is told. Shared by the Engine and those who
// wait, who may live longer. Thread-safe.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <list>
#include <mutex>

namespace arka::ingest {

/// What a refused write has to wait for; each has its own queue.
enum class Shortage : uint8_t {
  kRoom,       // of memory or disk
  kProducers,  // places to remember producers' writes in
};

class AdmissionTurns {
 public:
  /// 0 is no ticket.
  using Ticket = uint64_t;

  /// Whether somebody waits: a newcomer then has to wait as well.
  bool any_waiting() const { return waiting_.load() > 0; }
  int64_t waiting() const { return waiting_.load(); }
  /// How many writes ever had to wait, and how many of them gave up.
  int64_t total_waited() const { return total_waited_.load(); }
  int64_t total_refused() const { return total_refused_.load(); }

  /// Joins the end of the queue. `your_turn` is called, on any thread and perhaps more than once,
  /// when it is worth trying again: at once where nobody is before it. It must be quick, call
  /// nothing here, and may come after Leave.
  Ticket Join(std::function<void()> your_turn);
  /// Was admitted, or (`refused`) gave up. The next is told.
  void Leave(Ticket ticket, bool refused);
  /// There may be room: tells the one whose turn it is.
  void OnRoom();
  /// Nobody is told any more; whoever waits may still leave.
  void Close();

 private:
  struct Waiter {
    Ticket ticket;
    std::function<void()> your_turn;
  };

  void TellFirst();  // with mutex_ held

  std::atomic<int64_t> waiting_{0};
  std::atomic<int64_t> total_waited_{0};
  std::atomic<int64_t> total_refused_{0};
  std::mutex mutex_;
  std::list<Waiter> queue_;  // guarded by mutex_
  Ticket last_ticket_ = 0;   // guarded by mutex_
};

}  // namespace arka::ingest
