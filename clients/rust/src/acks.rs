//! Following acks: as a stream, by many LSNs at once, and for data that is kept until it is safe.

use std::collections::VecDeque;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use futures::Stream;

use crate::error::Result;
use crate::level::{Ack, Level, Lsn, Watermarks};
use crate::lock;
use crate::stream::{Shared, WriteStream};
use crate::write::{Reached, Write};

/// Bounds what is kept for a reader of acks who does not come.
const KEPT: usize = 1 << 18;

#[derive(Default)]
pub(crate) struct Mailbox {
    acks: VecDeque<Ack>,
    reader: Option<Waker>,
    ended: bool,
}

impl Mailbox {
    /// Answers whom to wake.
    #[must_use]
    pub(crate) fn put(&mut self, acks: &[Ack]) -> Option<Waker> {
        self.acks.extend(acks);
        let beyond = self.acks.len().saturating_sub(KEPT);
        self.acks.drain(..beyond);
        self.reader.take()
    }

    /// Answers whom to wake.
    pub(crate) fn end(&mut self) -> Option<Waker> {
        self.ended = true;
        self.reader.take()
    }
}

/// The acks of a stream, from [`WriteStream::acks`] on: every level of every write. It ends with the stream.
/// Of a reader who falls more than 262,144 acks behind, the oldest are left out.
pub struct Acks(pub(crate) Arc<Mutex<Mailbox>>);

impl Stream for Acks {
    type Item = Ack;

    fn poll_next(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Ack>> {
        let mut mailbox = lock(&self.0);
        match mailbox.acks.pop_front() {
            Some(ack) => Poll::Ready(Some(ack)),
            None if mailbox.ended => Poll::Ready(None),
            None => {
                mailbox.reader = Some(context.waker().clone());
                Poll::Pending
            }
        }
    }
}

/// Answers "have all of these LSNs reached that level?" for one stream, also for LSNs that a crash of the
/// server took: their writes are sent again, and have reached what they reach then.
pub struct AckTracker(Arc<Shared>);

impl AckTracker {
    /// Of the writes of that stream.
    pub fn new(stream: &WriteStream) -> AckTracker {
        AckTracker(Arc::clone(&stream.shared))
    }

    /// The highest level that the write with this LSN is known to have reached; `None` where nothing is
    /// known.
    pub fn level_of(&self, lsn: Lsn) -> Option<Level> {
        let ledger = &self.0.state().ledger;
        ledger.level_of(ledger.number_of(lsn).ok()?)
    }

    /// Returns once all of these LSNs have reached the level; up to the stream's deadline.
    pub async fn wait_all(&self, lsns: &[Lsn], level: Level) -> Result<()> {
        self.wait_all_within(lsns, level, self.0.deadline).await
    }

    /// [`wait_all`](AckTracker::wait_all) for so long at most.
    pub async fn wait_all_within(
        &self,
        lsns: &[Lsn],
        level: Level,
        timeout: Duration,
    ) -> Result<()> {
        let last = {
            let ledger = &self.0.state().ledger;
            lsns.iter().try_fold(0, |last, &lsn| ledger.number_of(lsn).map(|n| n.max(last)))?
        };
        Reached::new(&self.0, last, level).within(timeout).await
    }
}

/// Keeps the caller's data until the server has it safe: [`put`](LocalCache::put) it with its write, and
/// [`clean`](LocalCache::clean) up by the server's watermarks.
pub struct LocalCache<T> {
    level: Level,
    values: Vec<(Write, T)>,
}

impl<T> LocalCache<T> {
    /// An empty one, for values that are safe when their writes have reached the level.
    pub fn new(level: Level) -> LocalCache<T> {
        LocalCache { level, values: Vec::new() }
    }

    /// Keeps the value of a write.
    pub fn put(&mut self, write: &Write, value: T) {
        self.values.push((write.clone(), value));
    }

    /// Lets go of what is safe by now, and answers it. A write counts only once it is on the server's disk:
    /// before, a crash may still take its LSN, and it gets another one.
    pub fn clean(&mut self, watermarks: &Watermarks) -> Vec<T> {
        let through = watermarks.at(self.level);
        let level = self.level;
        let safe = |write: &Write| {
            let reached = write.level();
            let final_lsn = write.lsn().filter(|_| reached >= Some(Level::LocalDisk));
            reached >= Some(level) || final_lsn.is_some_and(|lsn| lsn <= through)
        };
        let (gone, kept) = std::mem::take(&mut self.values).into_iter().partition(|(w, _)| safe(w));
        self.values = kept;
        let gone: Vec<(Write, T)> = gone;
        gone.into_iter().map(|(_, value)| value).collect()
    }

    /// What is not safe yet, in the order in which it was put.
    pub fn values(&self) -> impl Iterator<Item = &T> {
        self.values.iter().map(|(_, value)| value)
    }

    /// How many values are not safe yet.
    pub fn len(&self) -> usize {
        self.values.len()
    }

    /// Whether everything is safe.
    pub fn is_empty(&self) -> bool {
        self.values.is_empty()
    }
}
