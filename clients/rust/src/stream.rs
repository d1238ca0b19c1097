//! A stream of writes to one table, as its user sees it. What happens behind is in `connection` and `ledger`.

use std::collections::BTreeMap;
use std::future::IntoFuture;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, Weak};
use std::task::Waker;
use std::time::{Duration, Instant};

use arrow_array::RecordBatch;
use arrow_schema::SchemaRef;
use futures::future::BoxFuture;
use serde_json::json;
use tokio::sync::{Notify, Semaphore, TryAcquireError, watch};
use tokio::task::AbortHandle;

use crate::acks::{Acks, Mailbox};
use crate::connection::{Task, epoch_of, place_of};
use crate::endpoint::{SharedEndpoint, random_name, table_path};
use crate::error::{Error, Result};
use crate::ledger::{Ledger, Place};
use crate::level::{Ack, Lag, Level, Lsn, PerLevel, Watermarks};
use crate::lock;
use crate::message::{Encoder, Message};
use crate::write::{Reached, Write};

/// For the server to end a stream on which all is said.
const END_PATIENCE: Duration = Duration::from_secs(5);

/// What a stream is to be, from [`Client::open`](crate::Client::open): await it.
#[must_use = "it does nothing unless it is awaited"]
#[derive(Clone)]
pub struct OpenStream {
    pub(crate) endpoint: SharedEndpoint,
    pub(crate) table: String,
    pub(crate) schema: Option<SchemaRef>,
    pub(crate) producer: Option<String>,
    pub(crate) session: String,
    pub(crate) deadline: Duration,
    pub(crate) budget: usize,
}

impl OpenStream {
    /// The schema of every batch; that of the first, where it is not given.
    pub fn schema(mut self, schema: SchemaRef) -> OpenStream {
        self.schema = Some(schema);
        self
    }

    /// This writer's stable name: a program that is started again under the same name goes on where it
    /// was, and one that still runs under it can write no more. One name belongs to one sequence of
    /// batches. Random where it is not given.
    pub fn producer(mut self, name: impl Into<String>) -> OpenStream {
        self.producer = Some(name.into());
        self
    }

    /// The name that [`Client::durability_status`](crate::Client::durability_status) asks by; the client's where it is not given.
    pub fn session(mut self, name: impl Into<String>) -> OpenStream {
        self.session = name.into();
        self
    }

    /// How long the stream tries to get a lost connection back, and how long whatever waits does so; the
    /// client's (60 s) where it is not given.
    pub fn deadline(mut self, deadline: Duration) -> OpenStream {
        self.deadline = deadline;
        self
    }

    /// How many bytes of batches are kept until they are on the server's disk; 64 MiB where it is not
    /// given, 4 GiB at most. A larger batch is taken when there is no other.
    pub fn budget(mut self, bytes: usize) -> OpenStream {
        self.budget = bytes;
        self
    }

    async fn open(self) -> Result<WriteStream> {
        let OpenStream { endpoint, table, schema, producer, session, deadline, budget } = self;
        let path = table_path(&table)?;
        let encoder = OnceLock::new();
        if let Some(schema) = schema {
            let _ = encoder.set(Encoder::new(schema)?);
        }
        let budget = budget.clamp(1, u32::MAX as usize);
        let (producer, epoch, place) = match producer {
            None => (random_name()?, None, Place::default()),
            Some(producer) => {
                // From now on nothing is written that an earlier program of this name has on the way. It is
                // asked for once: else two programs would take the name from each other for ever.
                let began = Instant::now();
                let ask = |kind, body| endpoint.ask(left(began, deadline), kind, body);
                let claim = json!({"producer": producer, "table": table});
                let answers = ask("claim_producer", claim.clone()).await?;
                let (epoch, mut place) = (epoch_of(&answers)?, place_of(Ok(answers))?);
                if place.last_seq > 0 {
                    // What that program wrote may be in memory only. A crash would take it, and leave a
                    // gap below the numbers of this stream that nobody could fill. One may have come
                    // since the claim, so what is on disk now is asked for again.
                    let body = json!({"level": Level::LocalDisk.name(), "table": table});
                    ask("flush", body).await?;
                    place = place_of(ask("last_seq", claim).await)?;
                }
                (producer, Some(epoch), place)
            }
        };
        let shared = Arc::new(Shared {
            endpoint,
            table,
            path,
            producer,
            epoch,
            session,
            deadline,
            budget,
            encoder,
            room: Semaphore::new(budget),
            work: Notify::new(),
            ended: watch::Sender::new(false),
            state: Mutex::new(State {
                ledger: Ledger::new(budget, place.last_seq, place.lsn),
                connection: 0,
                sender: None,
                waiters: PerLevel::default(),
                next_waiter: 0,
                mailboxes: Vec::new(),
                watermarks: None,
                closing: false,
                finishing: false,
                failure: None,
                reconnects: 0,
            }),
        });
        let task = shared.endpoint.runtime().spawn(Task(Arc::clone(&shared)).run());
        Ok(WriteStream { shared, task: task.abort_handle() })
    }
}

impl IntoFuture for OpenStream {
    type Output = Result<WriteStream>;
    type IntoFuture = BoxFuture<'static, Result<WriteStream>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(self.open())
    }
}

/// What a stream, its handles and its task share.
pub(crate) struct Shared {
    pub(crate) endpoint: SharedEndpoint,
    pub(crate) table: String,
    pub(crate) path: Vec<String>,
    pub(crate) producer: String,
    /// Of the claim to a producer's name that was given.
    pub(crate) epoch: Option<i64>,
    pub(crate) session: String,
    pub(crate) deadline: Duration,
    budget: usize,
    pub(crate) encoder: OnceLock<Encoder>,
    /// A permit is a byte of the budget.
    room: Semaphore,
    /// There may be a need for a connection; for the task.
    pub(crate) work: Notify,
    /// True once nothing more will be acknowledged.
    ended: watch::Sender<bool>,
    state: Mutex<State>,
}

pub(crate) struct State {
    pub(crate) ledger: Ledger,
    /// Counts the connections: what still holds an older number has had its time.
    pub(crate) connection: u64,
    /// Of the connection's messages, where there was none to send.
    pub(crate) sender: Option<Waker>,
    /// By level, then by the number of the write that it waits for.
    pub(crate) waiters: PerLevel<BTreeMap<(u64, u64), Waker>>,
    pub(crate) next_waiter: u64,
    mailboxes: Vec<Weak<Mutex<Mailbox>>>,
    pub(crate) watermarks: Option<Watermarks>,
    /// Nothing more is taken on.
    pub(crate) closing: bool,
    /// Half-closed once everything is sent.
    pub(crate) finishing: bool,
    pub(crate) failure: Option<Error>,
    pub(crate) reconnects: u64,
}

impl State {
    /// Whether a connection is needed: something is to be sent, or somebody wants to hear of acks.
    pub(crate) fn needs_connection(&self) -> bool {
        let listened_to = || {
            self.ledger.reached(Level::Committed) < self.ledger.last()
                && self.mailboxes.iter().any(|mailbox| mailbox.strong_count() > 0)
        };
        self.ledger.has_unsafe() || self.waiters.iter().any(|all| !all.is_empty()) || listened_to()
    }

    pub(crate) fn wake_sender(&mut self) {
        if let Some(sender) = self.sender.take() {
            sender.wake();
        }
    }

    /// Hands acks on. Answers whom to wake once the lock is released.
    #[must_use]
    pub(crate) fn tell(&mut self, acks: &[Ack]) -> Vec<Waker> {
        let mut woken = Vec::new();
        for level in Level::ALL {
            let through = self.ledger.reached(level);
            let waiting = &mut self.waiters[level];
            while waiting.first_key_value().is_some_and(|(&(number, _), _)| number <= through) {
                woken.extend(waiting.pop_first().map(|(_, waker)| waker));
            }
        }
        if !acks.is_empty() {
            self.mailboxes.retain(|mailbox| {
                let there = mailbox.upgrade();
                there.inspect(|mailbox| woken.extend(lock(mailbox).put(acks))).is_some()
            });
        }
        woken
    }
}

impl Shared {
    pub(crate) fn state(&self) -> MutexGuard<'_, State> {
        lock(&self.state)
    }

    /// There is room for so many bytes more in the budget.
    pub(crate) fn free(&self, permits: usize) {
        self.room.add_permits(permits);
    }

    /// The stream is over, by this error where there was none before.
    pub(crate) fn end(&self, error: Error) {
        let mut state = self.state();
        if state.failure.is_none() {
            state.failure = Some(error);
        }
        state.connection += 1;
        let mut woken: Vec<Waker> = state.sender.take().into_iter().collect();
        for waiting in state.waiters.iter_mut() {
            woken.extend(std::mem::take(waiting).into_values());
        }
        for mailbox in state.mailboxes.drain(..).filter_map(|mailbox| mailbox.upgrade()) {
            woken.extend(lock(&mailbox).end());
        }
        drop(state);
        woken.into_iter().for_each(Waker::wake);
        self.room.close();
        self.ended.send_replace(true);
    }

    fn may_write(&self, state: &State) -> Result<()> {
        match &state.failure {
            Some(failure) => Err(failure.clone()),
            None if state.closing => Err(Error::closed()),
            None => Ok(()),
        }
    }

    fn encode(&self, batch: &RecordBatch) -> Result<Message> {
        self.may_write(&self.state())?;
        if self.encoder.get().is_none() {
            let _ = self.encoder.set(Encoder::new(batch.schema())?); // or another write has just done so
        }
        let encoder = self.encoder.get().ok_or_else(Error::closed)?;
        encoder.encode(batch)
    }

    /// Takes on a write for which there is room.
    fn push(self: &Arc<Self>, message: Message, permits: usize) -> Result<Write> {
        let mut state = self.state();
        if let Err(error) = self.may_write(&state) {
            drop(state);
            self.free(permits);
            return Err(error);
        }
        let (number, lsn) = state.ledger.push(message);
        state.wake_sender();
        drop(state);
        self.work.notify_one();
        Ok(Write::new(Arc::clone(self), number, lsn))
    }

    /// Why no permit can be had any more.
    fn over(&self) -> Error {
        self.state().failure.clone().unwrap_or_else(Error::closed)
    }
}

/// Writes record batches to one table, each of them once, in the order of the calls. Any task may use it.
/// Dropped without [`close`](WriteStream::close), what is not on the server's disk yet may be lost.
pub struct WriteStream {
    pub(crate) shared: Arc<Shared>,
    task: AbortHandle,
}

impl WriteStream {
    /// Hands one batch over. Returns at once, unless the budget is used up: then it waits for room, up to
    /// the stream's deadline (`DEADLINE_EXCEEDED`). Dropped while it waits, it has written nothing.
    pub async fn write(&self, batch: &RecordBatch) -> Result<Write> {
        self.write_within(batch, self.shared.deadline).await
    }

    /// [`write`](WriteStream::write) that waits for room so long at most.
    pub async fn write_within(&self, batch: &RecordBatch, timeout: Duration) -> Result<Write> {
        let message = self.shared.encode(batch)?;
        let permits = message.size.min(self.shared.budget);
        let room = &self.shared.room;
        match room.try_acquire_many(permits as u32) {
            Ok(room) => room.forget(),
            Err(TryAcquireError::Closed) => return Err(self.shared.over()),
            Err(TryAcquireError::NoPermits) => {
                let acquired = async {
                    room.acquire_many(permits as u32).await.map_err(|_| self.shared.over())
                };
                let what = format!("no room for {} bytes in the budget", message.size);
                self.shared.endpoint.timed(timeout, &what, acquired).await?.forget();
            }
        }
        self.shared.push(message, permits)
    }

    /// [`write`](WriteStream::write) that fails with `RESOURCE_EXHAUSTED` instead of waiting for room.
    pub fn try_write(&self, batch: &RecordBatch) -> Result<Write> {
        let message = self.shared.encode(batch)?;
        let permits = message.size.min(self.shared.budget);
        match self.shared.room.try_acquire_many(permits as u32) {
            Ok(room) => room.forget(),
            Err(TryAcquireError::Closed) => return Err(self.shared.over()),
            Err(TryAcquireError::NoPermits) => {
                return Err(Error::no_room(message.size, self.shared.budget));
            }
        }
        self.shared.push(message, permits)
    }

    /// Writes one batch, and returns when it has reached the level.
    pub async fn write_durable(&self, batch: &RecordBatch, level: Level) -> Result<Lsn> {
        self.write(batch).await?.wait(level).await
    }

    /// Returns when the write of this stream with that LSN, and all before it, have reached the level; where
    /// `None` is given, every write so far. Up to the stream's deadline.
    pub async fn wait_for_durability(
        &self,
        lsn: impl Into<Option<Lsn>>,
        level: Level,
    ) -> Result<()> {
        self.wait_for_durability_within(lsn, level, self.shared.deadline).await
    }

    /// [`wait_for_durability`](WriteStream::wait_for_durability) for so long at most.
    pub async fn wait_for_durability_within(
        &self,
        lsn: impl Into<Option<Lsn>>,
        level: Level,
        timeout: Duration,
    ) -> Result<()> {
        let number = {
            let ledger = &self.shared.state().ledger;
            lsn.into().map_or(Ok(ledger.last()), |lsn| ledger.number_of(lsn))?
        };
        self.wait(number, level, timeout).await
    }

    /// Returns when every write so far has reached the level, and has the server hurry: upload and commit
    /// begin at once, not at their next interval. Up to the stream's deadline.
    pub async fn flush(&self, level: Level) -> Result<()> {
        self.flush_within(level, self.shared.deadline).await
    }

    /// [`flush`](WriteStream::flush) that waits so long at most.
    pub async fn flush_within(&self, level: Level, timeout: Duration) -> Result<()> {
        let began = Instant::now();
        let (last, there) = {
            let ledger = &self.shared.state().ledger;
            (ledger.last(), ledger.reached(level) >= ledger.last())
        };
        if level > Level::LocalDisk && !there {
            // The action speaks of what is in memory when it is called.
            self.wait(last, Level::LocalDisk, timeout).await?;
            let body = json!({"level": level.name(), "table": self.shared.table});
            self.shared.endpoint.ask(left(began, timeout), "flush", body).await?;
        }
        self.wait(last, level, left(began, timeout)).await
    }

    async fn wait(&self, number: u64, level: Level, timeout: Duration) -> Result<()> {
        Reached::new(&self.shared, number, level).within(timeout).await
    }

    /// The acks of the stream from now on.
    pub fn acks(&self) -> Acks {
        let mailbox = Arc::new(Mutex::new(Mailbox::default()));
        let mut state = self.shared.state();
        if state.failure.is_some() {
            lock(&mailbox).end();
        } else {
            state.mailboxes.push(Arc::downgrade(&mailbox));
        }
        drop(state);
        self.shared.work.notify_one();
        Acks(mailbox)
    }

    /// The last that the server told on this stream; `None` before the first.
    pub fn watermarks(&self) -> Option<Watermarks> {
        self.shared.state().watermarks
    }

    /// What of the stream's writes has not reached the level.
    pub fn lag(&self, level: Level) -> Lag {
        self.shared.state().ledger.lag(level)
    }

    /// The name under which the writes are numbered.
    pub fn producer(&self) -> &str {
        &self.shared.producer
    }

    /// The name that [`Client::durability_status`](crate::Client::durability_status) asks by.
    pub fn session(&self) -> &str {
        &self.shared.session
    }

    /// How many batches this producer has written to the table, earlier programs' included: where a program
    /// that is started again goes on.
    pub fn last_seq(&self) -> i64 {
        self.shared.state().ledger.last_seq()
    }

    /// Bytes of the batches that are not on the server's disk: at most the budget, or one batch.
    pub fn held_bytes(&self) -> usize {
        self.shared.state().ledger.held()
    }

    /// How often the connection was lost.
    pub fn reconnects(&self) -> u64 {
        self.shared.state().reconnects
    }

    /// The batches that are not known to be on the server's disk, in order: after an error, what to put
    /// elsewhere.
    pub fn pending(&self) -> Result<Vec<RecordBatch>> {
        let messages = self.shared.state().ledger.pending();
        let Some(encoder) = self.shared.encoder.get() else { return Ok(Vec::new()) };
        messages.iter().map(|message| encoder.decode(message)).collect()
    }

    /// Takes no more writes, waits until all are on the server's disk, and ends the stream. Never longer than
    /// the deadline: then it fails with `DEADLINE_EXCEEDED`, and the stream is over all the same.
    pub async fn close(&self) -> Result<()> {
        self.close_within(Level::LocalDisk, self.shared.deadline).await
    }

    /// [`close`](WriteStream::close) that waits for another level, or so long at most.
    pub async fn close_within(&self, level: Level, timeout: Duration) -> Result<()> {
        let began = Instant::now();
        let last = {
            let mut state = self.shared.state();
            state.closing = true;
            state.ledger.last()
        };
        let mut done = self.wait(last, level, timeout).await;
        if done.is_ok() {
            {
                let mut state = self.shared.state();
                state.finishing = true;
                state.wake_sender();
            }
            self.shared.work.notify_one();
            let mut ended = self.shared.ended.subscribe();
            let ended = async { Ok(ended.wait_for(|&ended| ended).await.map(drop).ok()) };
            let patience = left(began, timeout).min(END_PATIENCE);
            let _ = self.shared.endpoint.timed(patience, "no end", ended).await; // all is said
        } else if let Err(error) = done {
            let writes = self.lag(Level::LocalDisk).writes;
            let message =
                format!("{} ({writes} writes are not known to be on disk)", error.message());
            done = Err(error.with_message(message));
        }
        self.abort();
        done
    }

    /// Ends the stream at once. Whether what is [`pending`](WriteStream::pending) was written is not known.
    pub fn abort(&self) {
        self.shared.end(Error::closed());
        self.task.abort();
    }

    pub(crate) fn deadline(&self) -> Duration {
        self.shared.deadline
    }
}

impl Drop for WriteStream {
    fn drop(&mut self) {
        self.abort();
    }
}

/// What is left of a time that began to run then.
pub(crate) fn left(began: Instant, timeout: Duration) -> Duration {
    timeout.saturating_sub(began.elapsed())
}
