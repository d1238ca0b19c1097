//! Rows one by one, written in batches.

use std::future::IntoFuture;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use arrow_array::RecordBatch;
use arrow_schema::SchemaRef;
use futures::future::BoxFuture;
use serde_core::Serialize;
use tokio::sync::Notify;
use tokio::task::AbortHandle;

use crate::client::Client;
use crate::column::Columns;
use crate::error::{Code, Error, Result};
use crate::level::Level;
use crate::lock;
use crate::stream::{OpenStream, WriteStream};

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
            rows: Mutex::new(Rows { columns, first_at: None, closed: false }),
            door: tokio::sync::Mutex::new(None),
            late: Mutex::new(None),
            first: Notify::new(),
        });
        let task = linger(Arc::clone(&gathering), self.linger);
        let task = gathering.stream.runtime().spawn(task).abort_handle();
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
    closed: bool,
}

struct Gathering {
    stream: WriteStream,
    max_rows: usize,
    max_bytes: usize,
    rows: Mutex<Rows>,
    /// Through it batches go to the stream, one after the other. What could not be handed over, because
    /// there was no room in time or the caller gave up, stays there and is the next to go.
    door: tokio::sync::Mutex<Option<RecordBatch>>,
    /// What a write failed with that nobody waited for.
    late: Mutex<Option<Error>>,
    /// Told of the first row of a batch.
    first: Notify,
}

impl Gathering {
    fn is_full(&self, columns: &Columns) -> bool {
        columns.rows() >= self.max_rows || columns.bytes() >= self.max_bytes
    }

    /// Hands over what was gathered.
    async fn write(&self) -> Result<()> {
        let mut door = self.door.lock().await;
        loop {
            if door.is_none() {
                let mut rows = lock(&self.rows);
                if rows.columns.rows() == 0 {
                    return Ok(());
                }
                rows.first_at = None;
                *door = Some(rows.columns.finish()?);
            }
            if let Some(batch) = door.as_ref() {
                self.stream.write(batch).await?;
                *door = None;
            }
        }
    }
}

/// Writes rows whose batch did not fill up in time. Aborted when the appender is dropped.
async fn linger(gathering: Arc<Gathering>, linger: Duration) {
    loop {
        let first_at = lock(&gathering.rows).first_at;
        match first_at.map(|at| linger.saturating_sub(at.elapsed())) {
            None => gathering.first.notified().await,
            Some(Duration::ZERO) => {
                if let Err(error) = gathering.write().await {
                    *lock(&gathering.late) = Some(error);
                }
            }
            Some(left) => tokio::time::sleep(left).await,
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
    /// to the stream's deadline. An error of a write that nobody waited for is told by the next call.
    pub async fn append<R: Serialize + ?Sized>(&self, row: &R) -> Result<()> {
        if let Some(late) = lock(&self.gathering.late).take() {
            return Err(late);
        }
        let (first, full) = {
            let mut rows = lock(&self.gathering.rows);
            if rows.closed {
                return Err(Error::new(Code::FailedPrecondition, "the appender is closed"));
            }
            rows.columns.append(row)?;
            let first = rows.first_at.is_none();
            if first {
                rows.first_at = Some(Instant::now());
            }
            (first, self.gathering.is_full(&rows.columns))
        };
        if full {
            self.gathering.write().await
        } else {
            if first {
                self.gathering.first.notify_one();
            }
            Ok(())
        }
    }

    /// Writes what was gathered, and returns when every row so far has reached the level. The server begins
    /// at once.
    pub async fn flush(&self, level: Level) -> Result<()> {
        if let Some(late) = lock(&self.gathering.late).take() {
            return Err(late);
        }
        self.gathering.write().await?;
        self.gathering.stream.flush(level).await
    }

    /// Takes no more rows, writes what was gathered, waits until every row is on the server's disk, and ends
    /// the stream.
    pub async fn close(&self) -> Result<()> {
        lock(&self.gathering.rows).closed = true;
        let late = lock(&self.gathering.late).take().map_or(Ok(()), Err);
        let written = self.gathering.write().await;
        let closed = self.gathering.stream.close().await;
        self.task.abort();
        late.and(written).and(closed)
    }

    /// What writes the batches: its acks, its lag, what it holds.
    pub fn stream(&self) -> &WriteStream {
        &self.gathering.stream
    }
}

impl Drop for Appender {
    fn drop(&mut self) {
        self.task.abort();
    }
}
