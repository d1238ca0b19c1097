//! The handle of one write, and waiting for what becomes of it.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use crate::error::{Error, Result};
use crate::ledger::LsnCell;
use crate::level::{Level, Lsn};
use crate::stream::Shared;

/// One batch that was handed to a stream. As a future it is done when the server has named the write: with
/// its LSN, which a crash of the server may take as long as the write is below `LocalDisk`; the write then
/// gets another. It fails with `DEADLINE_EXCEEDED` after the stream's deadline, which harms nothing.
pub struct Write {
    shared: Arc<Shared>,
    number: u64,
    lsn: LsnCell,
    named: Option<Pin<Box<dyn Future<Output = Result<()>> + Send + Sync>>>,
}

impl Write {
    pub(crate) fn new(shared: Arc<Shared>, number: u64, lsn: LsnCell) -> Write {
        Write { shared, number, lsn, named: None }
    }

    /// The LSN that the write has by now, where it has one.
    pub fn lsn(&self) -> Option<Lsn> {
        self.lsn.get()
    }

    /// How durable the write is by now; `None`: not acknowledged.
    pub fn level(&self) -> Option<Level> {
        self.shared.state().ledger.level_of(self.number)
    }

    /// Returns when the write, and all before it in its stream, have reached the level; up to the stream's
    /// deadline (`DEADLINE_EXCEEDED`, which harms nothing). The LSN is final from `LocalDisk` on.
    pub async fn wait(&self, level: Level) -> Result<Lsn> {
        self.wait_within(level, self.shared.deadline).await
    }

    /// [`wait`](Write::wait) for so long at most.
    pub async fn wait_within(&self, level: Level, timeout: Duration) -> Result<Lsn> {
        Reached::new(&self.shared, self.number, level).within(timeout).await?;
        self.lsn.get().ok_or_else(Error::closed)
    }
}

impl Clone for Write {
    fn clone(&self) -> Write {
        Write::new(Arc::clone(&self.shared), self.number, self.lsn.clone())
    }
}

impl Future for Write {
    type Output = Result<Lsn>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Result<Lsn>> {
        let waiting = self.named.take().unwrap_or_else(|| {
            let named = Reached::new(&self.shared, self.number, Level::Memory);
            Box::pin(named.within(self.shared.deadline))
        });
        let done = self.named.insert(waiting).as_mut().poll(context);
        if done.is_ready() {
            self.named = None;
        }
        done.map(|done| done.and_then(|()| self.lsn.get().ok_or_else(Error::closed)))
    }
}

/// Done when a write and all before it have reached a level.
pub(crate) struct Reached {
    shared: Arc<Shared>,
    number: u64,
    level: Level,
    id: Option<u64>,
}

impl Reached {
    pub(crate) fn new(shared: &Arc<Shared>, number: u64, level: Level) -> Reached {
        Reached { shared: Arc::clone(shared), number, level, id: None }
    }

    pub(crate) async fn within(self, timeout: Duration) -> Result<()> {
        let shared = Arc::clone(&self.shared);
        let what = format!("{} was not reached", self.level);
        shared.endpoint.timed(timeout, &what, self).await
    }
}

impl Future for Reached {
    type Output = Result<()>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Result<()>> {
        let shared = Arc::clone(&self.shared);
        let mut state = shared.state();
        if state.ledger.reached(self.level) >= self.number {
            return Poll::Ready(Ok(()));
        }
        if let Some(failure) = &state.failure {
            return Poll::Ready(Err(failure.clone()));
        }
        let id = self.id.unwrap_or(state.next_waiter);
        if self.id.is_none() {
            self.id = Some(id);
            state.next_waiter += 1;
        }
        let before = state.waiters[self.level].insert((self.number, id), context.waker().clone());
        drop(state);
        drop(before); // not under the lock: it may be the last that holds a task
        shared.work.notify_one(); // a connection may be needed to hear of it
        Poll::Pending
    }
}

impl Drop for Reached {
    fn drop(&mut self) {
        if let Some(id) = self.id {
            let _waker = self.shared.state().waiters[self.level].remove(&(self.number, id));
        }
    }
}
