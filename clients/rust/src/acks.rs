//! Following acks: as a stream, by many LSNs at once, and for data that is kept until it is safe.

use std::collections::{BTreeMap, VecDeque};
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};

use futures::{Stream, StreamExt};
use tokio::sync::watch;

use crate::error::{Error, Result};
use crate::level::{Ack, Level, Lsn, PerLevel, Watermarks};
use crate::lock;
use crate::stream::{Write, WriteStream};

/// Bounds what is kept for a reader of acks who does not come.
const KEPT: usize = 1 << 18;

#[derive(Default)]
pub(crate) struct Mailbox {
    acks: VecDeque<Ack>,
    reader: Option<Waker>,
    ended: bool,
}

impl Mailbox {
    pub(crate) fn put(&mut self, acks: &[Ack]) {
        self.acks.extend(acks);
        let beyond = self.acks.len().saturating_sub(KEPT);
        self.acks.drain(..beyond);
        self.wake();
    }

    pub(crate) fn end(&mut self) {
        self.ended = true;
        self.wake();
    }

    fn wake(&mut self) {
        if let Some(reader) = self.reader.take() {
            reader.wake();
        }
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

/// Answers "have all of these LSNs reached that level?" for one stream. Since writes reach each level in
/// order, it remembers four numbers, however many writes there are.
pub struct AckTracker {
    reached: watch::Receiver<Reached>,
}

#[derive(Default, Clone)]
struct Reached {
    levels: PerLevel<Option<Lsn>>,
    /// LSNs that a crash took, and those that their writes have now; while these are not on disk.
    replaced: BTreeMap<Lsn, Lsn>,
}

impl Reached {
    fn observe(&mut self, ack: &Ack) {
        if let Some(old) = ack.replaces {
            self.replaced.insert(old, ack.lsn);
        }
        self.levels[ack.level] = self.levels[ack.level].max(Some(ack.lsn));
        if ack.level == Level::LocalDisk {
            self.replaced.retain(|_, new| *new > ack.lsn);
        }
    }

    fn has(&self, mut lsn: Lsn, level: Level) -> bool {
        while let Some(&now) = self.replaced.get(&lsn) {
            lsn = now;
        }
        self.levels[level] >= Some(lsn)
    }
}

impl AckTracker {
    /// Follows the stream from now on, in a task of its own.
    pub fn new(stream: &WriteStream) -> AckTracker {
        let mut acks = stream.acks();
        let (sender, reached) = watch::channel(Reached::default());
        stream.runtime().spawn(async move {
            while let Some(ack) = acks.next().await {
                sender.send_modify(|reached| reached.observe(&ack));
            }
        });
        AckTracker { reached }
    }

    /// The highest level that the write with this LSN is known to have reached; `None` where nothing is
    /// known.
    pub fn level_of(&self, lsn: Lsn) -> Option<Level> {
        let reached = self.reached.borrow();
        Level::ALL.into_iter().rev().find(|&level| reached.has(lsn, level))
    }

    /// Returns once all of these LSNs have reached the level; fails when the stream ends before.
    pub async fn wait_all(&self, lsns: &[Lsn], level: Level) -> Result<()> {
        let mut reached = self.reached.clone();
        let all = reached.wait_for(|reached| lsns.iter().all(|&lsn| reached.has(lsn, level))).await;
        all.map(drop).map_err(|_| Error::closed())
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
