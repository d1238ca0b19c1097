//! Rows one by one, written in batches.

use std::collections::VecDeque;
use std::future::IntoFuture;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::{Duration, Instant};

use arrow_array::RecordBatch;
use arrow_schema::SchemaRef;
use futures::future::BoxFuture;
use serde_core::Serialize;
use tokio::sync::Notify;
use tokio::task::AbortHandle;

use crate::client::Client;
use crate::column::Columns;
use crate::error::{Error, Result};
use crate::level::Level;
use crate::lock;
use crate::stream::{OpenStream, WriteStream, left};

const MAX_ROWS: usize = 10_000;
const MAX_BYTES: usize = 1 << 20;
const LINGER: Duration = Duration::from_millis(50);

/// What an appender is to be, from [`Client::appender`]: await it.
#[must_use = "it does nothing unless it is awaited"]
pub struct OpenAppender {
    client: Client,
    stream: OpenStream,
    max_rows: usize,
    max_bytes: usize,
    linger: Duration,
}

impl OpenAppender {
    pub(crate) fn new(client: Client, stream: OpenStream) -> OpenAppender {
        let (max_rows, max_bytes, linger) = (MAX_ROWS, MAX_BYTES, LINGER);
        OpenAppender { client, stream, max_rows, max_bytes, linger }
    }

    /// The schema of the rows; that of the table, which must be there then, where it is not given.
    pub fn schema(mut self, schema: SchemaRef) -> OpenAppender {
        self.stream = self.stream.schema(schema);
        self
    }

    /// Changes how the batches are written: producer, budget, deadline.
    pub fn stream(mut self, change: impl FnOnce(OpenStream) -> OpenStream) -> OpenAppender {
        self.stream = change(self.stream);
        self
    }

    /// Rows are written when there are so many; 10,000 where it is not given.
    pub fn max_rows(mut self, rows: usize) -> OpenAppender {
        self.max_rows = rows.max(1);
        self
    }

    /// Rows are written when they are about so large; 1 MiB where it is not given.
    pub fn max_bytes(mut self, bytes: usize) -> OpenAppender {
        self.max_bytes = bytes;
        self
    }

    /// Rows are written when the first has waited so long; 50 ms where it is not given.
    pub fn linger(mut self, linger: Duration) -> OpenAppender {
        self.linger = linger;
        self
    }

    async fn open(self) -> Result<Appender> {
        let schema = match &self.stream.schema {
            Some(schema) => Arc::clone(schema),
            None => self.client.schema(&self.stream.table).await?,
        };
        let columns = Columns::new(Arc::clone(&schema))?;
        let stream = self.stream.schema(schema).await?;
        let gathering = Arc::new(Gathering {
            stream,
            max_rows: self.max_rows,
            max_bytes: self.max_bytes,
            rows: Mutex::new(Rows::new(columns)),
            door: tokio::sync::Mutex::new(VecDeque::new()),
            due: Notify::new(),
        });
        let task = linger(Arc::clone(&gathering), self.linger);
        let task = gathering.stream.shared.endpoint.runtime().spawn(task).abort_handle();
        Ok(Appender { gathering, task })
    }
}

impl IntoFuture for OpenAppender {
    type Output = Result<Appender>;
    type IntoFuture = BoxFuture<'static, Result<Appender>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(self.open())
    }
}

struct Rows {
    columns: Columns,
    /// When the first of them came.
    first_at: Option<Instant>,
    full: bool,
    /// Why no more are taken.
    over: Option<Error>,
    /// Of rows that were taken, and then did not fit into their batch. For the next call.
    left_out: Option<Error>,
}

impl Rows {
    fn new(columns: Columns) -> Rows {
        Rows { columns, first_at: None, full: false, over: None, left_out: None }
    }

    /// What was gathered.
    fn take(&mut self) -> Vec<RecordBatch> {
        (self.first_at, self.full) = (None, false);
        let (batches, left_out) = self.columns.finish();
        self.left_out = left_out.or(self.left_out.take());
        batches
    }

    /// For how long they may yet wait for others; None: there are none.
    fn time(&self, linger: Duration) -> Option<Duration> {
        if self.full {
            return Some(Duration::ZERO);
        }
        self.first_at.map(|at| left(at, linger))
    }
}

struct Gathering {
    stream: WriteStream,
    max_rows: usize,
    max_bytes: usize,
    rows: Mutex<Rows>,
    /// Through it batches go to the stream, one after the other. What found no room in time stays there, and
    /// goes first.
    door: tokio::sync::Mutex<VecDeque<RecordBatch>>,
    /// Tells the task of the first row of a batch, and of the last.
    due: Notify,
}

impl Gathering {
    /// The rows, where more may come.
    fn rows(&self) -> Result<MutexGuard<'_, Rows>> {
        let mut rows = lock(&self.rows);
        match rows.over.clone().or_else(|| rows.left_out.take()) {
            Some(error) => Err(error),
            None => Ok(rows),
        }
    }

    /// Adds a row. Never waits.
    fn put<R: Serialize + ?Sized>(&self, row: &R) -> Result<()> {
        let mut rows = self.rows()?;
        rows.columns.append(row)?;
        rows.full = rows.columns.rows() >= self.max_rows || rows.columns.bytes() >= self.max_bytes;
        if rows.first_at.is_none() || rows.full {
            rows.first_at.get_or_insert_with(Instant::now);
            self.due.notify_one();
        }
        Ok(())
    }

    /// Hands over what was gathered, as soon as there is room for it.
    async fn write(&self, timeout: Duration) -> Result<()> {
        let written = async {
            let mut door = self.door.lock().await;
            self.empty(&mut door).await?;
            door.extend(lock(&self.rows).take());
            self.empty(&mut door).await
        };
        self.stream.shared.endpoint.timed(timeout, "no room for rows in the budget", written).await
    }

    async fn empty(&self, door: &mut VecDeque<RecordBatch>) -> Result<()> {
        while let Some(batch) = door.front() {
            self.stream.write_within(batch, Duration::MAX).await?;
            door.pop_front();
        }
        Ok(())
    }
}

/// Writes batches that are full, or whose first row has waited long enough. Aborted when the appender is
/// dropped.
async fn linger(gathering: Arc<Gathering>, linger: Duration) {
    loop {
        let time = lock(&gathering.rows).time(linger);
        let due = gathering.due.notified();
        match time {
            None => due.await,
            Some(Duration::ZERO) => {
                if let Err(error) = gathering.write(Duration::MAX).await {
                    lock(&gathering.rows).over.get_or_insert(error);
                    return;
                }
            }
            Some(time) => {
                let _ = tokio::time::timeout(time, due).await;
            }
        }
    }
}

/// Gathers rows into batches and writes them by a [`WriteStream`]. Any task may use it. Dropped without
/// [`close`](Appender::close), what is not on the server's disk yet may be lost.
pub struct Appender {
    gathering: Arc<Gathering>,
    task: AbortHandle,
}

impl Appender {
    /// Adds a row: a struct that derives `serde::Serialize`, or a map, whose fields are columns by their
    /// names. A column that the row does not have is null. A row that does not fit is refused as a whole,
    /// with `INVALID_ARGUMENT` and the column's name.
    ///
    /// Returns at once, unless a batch is full and the stream's budget is used up: then it waits for room, up
    /// to the stream's deadline. After an error, or dropped while it waits, it has not taken the row; the error
    /// may be of rows before that were left out, since they did not fit into their batch together.
    pub async fn append<R: Serialize + ?Sized>(&self, row: &R) -> Result<()> {
        let full = self.gathering.rows()?.full;
        if full {
            self.gathering.write(self.stream().deadline()).await?;
        }
        self.gathering.put(row)
    }

    /// Writes what was gathered, and returns when every row so far has reached the level. The server begins
    /// at once. Up to the stream's deadline.
    pub async fn flush(&self, level: Level) -> Result<()> {
        self.flush_within(level, self.stream().deadline()).await
    }

    /// [`flush`](Appender::flush) that waits so long at most.
    pub async fn flush_within(&self, level: Level, timeout: Duration) -> Result<()> {
        let began = Instant::now();
        self.gathering.write(timeout).await?;
        self.stream().flush_within(level, left(began, timeout)).await?;
        self.left_out()
    }

    /// Takes no more rows, writes what was gathered, waits until every row is on the server's disk, and ends
    /// the stream. Never longer than the stream's deadline.
    pub async fn close(&self) -> Result<()> {
        self.close_within(Level::LocalDisk, self.stream().deadline()).await
    }

    /// [`close`](Appender::close) that waits for another level, or so long at most.
    pub async fn close_within(&self, level: Level, timeout: Duration) -> Result<()> {
        let began = Instant::now();
        lock(&self.gathering.rows).over.get_or_insert_with(Error::closed);
        let written = self.gathering.write(timeout).await;
        let closed = self.stream().close_within(level, left(began, timeout)).await;
        self.task.abort();
        written.and(closed).and(self.left_out())
    }

    fn left_out(&self) -> Result<()> {
        lock(&self.gathering.rows).left_out.take().map_or(Ok(()), Err)
    }

    /// What writes the batches: its acks, its lag, what it holds.
    pub fn stream(&self) -> &WriteStream {
        &self.gathering.stream
    }

    /// The rows that are not known to be on the server's disk, in order: after an error, what to put
    /// elsewhere.
    pub async fn pending(&self) -> Result<Vec<RecordBatch>> {
        let mut door = self.gathering.door.lock().await;
        door.extend(lock(&self.gathering.rows).take());
        let mut pending = self.stream().pending()?;
        pending.extend(door.iter().cloned());
        Ok(pending)
    }
}

impl Drop for Appender {
    fn drop(&mut self) {
        self.task.abort();
    }
}
