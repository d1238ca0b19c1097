//! The task that carries a stream's writes to the server and brings back its acks: one connection after the
//! other, for as long as there is a need for one.

use std::collections::{HashMap, VecDeque};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant, SystemTime};

use arrow_array::cast::AsArray;
use arrow_array::types::{Int64Type, TimestampMicrosecondType};
use arrow_array::{
    Array, BooleanArray, Int64Array, RecordBatch, StringArray, TimestampMicrosecondArray,
};
use arrow_flight::utils::flight_data_to_arrow_batch;
use arrow_flight::{FlightData, FlightDescriptor};
use arrow_schema::{ArrowError, Schema, SchemaRef};
use futures::Stream;
use serde_json::{Value, json};
use tonic::Request;
use tonic::metadata::MetadataValue;

use crate::endpoint::{Backoff, Flight};
use crate::error::{Code, Error, Result};
use crate::ledger::{AckRow, Place};
use crate::level::{Level, Lsn, Watermarks};
use crate::stream::{Shared, left};

/// What is to run for as long as the stream lives. However it ends, the stream ends with it: also by a panic, or
/// with the runtime.
pub(crate) struct Task(pub(crate) Arc<Shared>);

impl Task {
    pub(crate) async fn run(self) {
        self.0.end(serve_until_the_end(&self.0).await.err().unwrap_or_else(Error::closed));
    }
}

impl Drop for Task {
    fn drop(&mut self) {
        let message = "the stream's task is gone: it panicked, or its runtime was shut down";
        self.0.end(Error::new(Code::Internal, message));
    }
}

/// There is no connection.
struct Loss {
    since: Instant,
    error: Error,
}

/// One connection after the other. Err: what the stream fails with.
async fn serve_until_the_end(shared: &Arc<Shared>) -> Result<()> {
    let mut backoff = Backoff::new();
    let mut lost: Option<Loss> = None;
    loop {
        if !await_work(shared, &mut lost).await {
            return Ok(());
        }
        let since = lost.as_ref().map_or_else(Instant::now, |loss| loss.since);
        let time = time_from(shared, since);
        if let Some(Loss { error, .. }) = lost.take_if(|_| time.is_zero()) {
            let message = format!("the connection is lost for {:.1?}: {error}", since.elapsed());
            return Err(Error::new(Code::DeadlineExceeded, message));
        }
        let (disk, owed) = {
            let ledger = &shared.state().ledger;
            (ledger.reached(Level::LocalDisk), ledger.has_unsafe())
        };
        let next = match shared.endpoint.timed(time, "no connection", dial(shared)).await {
            Ok(exchange) => {
                let Some(error) = exchange.serve(shared).await else { return Ok(()) };
                let moved = {
                    let mut state = shared.state();
                    state.reconnects += 1;
                    !owed || state.ledger.reached(Level::LocalDisk) > disk
                };
                // The deadline runs on where a connection was there, and brought nothing of what was due.
                if !moved && lost.is_some() {
                    Loss { since, error }
                } else {
                    backoff = Backoff::new();
                    Loss { since: Instant::now(), error }
                }
            }
            Err(error) => Loss { since, error },
        };
        if !next.error.retryable() {
            return Err(next.error);
        }
        let delay = backoff.next_delay().min(time_from(shared, next.since));
        lost = Some(next);
        shared.endpoint.sleep(delay).await;
    }
}

/// What is left of the deadline, which runs from the loss, or from the oldest write that is kept where that is younger.
fn time_from(shared: &Shared, lost: Instant) -> Duration {
    let oldest = shared.state().ledger.oldest_kept();
    left(oldest.map_or(lost, |oldest| oldest.max(lost)), shared.deadline)
}

/// Waits until a connection is needed; false: never again.
async fn await_work(shared: &Shared, lost: &mut Option<Loss>) -> bool {
    loop {
        {
            let state = shared.state();
            if state.finishing && !state.ledger.has_unsafe() {
                return false;
            }
            if state.needs_connection() && shared.encoder.get().is_some() {
                return true;
            }
        }
        *lost = None; // nobody misses it
        shared.work.notified().await;
    }
}

/// Connects, finds out where the server is, and opens the exchange.
async fn dial(shared: &Arc<Shared>) -> Result<Exchange> {
    let endpoint = &shared.endpoint;
    let flight = endpoint.dial().await?;
    if shared.state().ledger.may_be_known() {
        let body = json!({"producer": shared.producer, "table": shared.table});
        let place = place_of(endpoint.action(&flight, "last_seq", &body).await)?;
        shared.state().ledger.find_place(&place, &shared.producer, &shared.table)?;
    }
    let epoch = shared.epoch.map(|epoch| epoch.to_string());
    let headers = [
        ("arka-producer", Some(shared.producer.as_str())),
        ("arka-producer-epoch", epoch.as_deref()),
        ("arka-session", Some(shared.session.as_str())),
        ("arka-ack-until", Some(Level::LocalDisk.name())),
        ("arka-watermarks", Some("true")),
    ];
    let mut parsed = Vec::with_capacity(headers.len());
    for (name, value) in headers.into_iter().filter_map(|(name, value)| Some((name, value?))) {
        let value = MetadataValue::try_from(value).map_err(|_| {
            Error::new(Code::InvalidArgument, format!("{value:?} cannot be the header {name}"))
        })?;
        parsed.push((name, value));
    }
    let request = || {
        let mut request = Request::new(Outgoing::begin(Arc::clone(shared)));
        for (name, value) in &parsed {
            request.metadata_mut().insert(*name, value.clone());
        }
        request
    };
    let call = |mut flight: Flight, request| async move { flight.do_exchange(request).await };
    let answers = endpoint.call(&flight, request, call).await?.into_inner();
    Ok(Exchange { answers })
}

/// What `last_seq` and `claim_producer` answered. Where there is no such table, nothing is known.
pub(crate) fn place_of(answers: Result<Vec<Value>>) -> Result<Place> {
    let answers = match answers {
        Err(error) if error.code() == Code::NotFound => return Ok(Place::default()),
        answers => answers?,
    };
    let number = |key: &str| answers.first()?.get(key)?.as_i64();
    let last_seq =
        number("last_seq").ok_or_else(|| Error::violation("an answer without last_seq"))?;
    let (lsn, forgotten_through) = (number("lsn").map(Lsn), number("forgotten_through").map(Lsn));
    Ok(Place { last_seq, lsn, forgotten_through })
}

pub(crate) fn epoch_of(answers: &[Value]) -> Result<i64> {
    let epoch = answers.first().and_then(|answer| answer.get("epoch")?.as_i64());
    epoch.ok_or_else(|| Error::violation("a claim without an epoch"))
}

/// What goes out on one connection: the schema, then whatever there is to send, for as long as the
/// connection is the stream's.
struct Outgoing {
    shared: Arc<Shared>,
    connection: u64,
    next: VecDeque<FlightData>,
    dictionaries: Option<Arc<Vec<FlightData>>>,
}

impl Outgoing {
    fn begin(shared: Arc<Shared>) -> Outgoing {
        let connection = {
            let mut state = shared.state();
            state.connection += 1;
            state.ledger.begin();
            state.connection
        };
        let mut path = vec!["streaming_write".to_owned()];
        path.extend(shared.path.iter().cloned());
        let first = shared.encoder.get().map(|encoder| FlightData {
            flight_descriptor: Some(FlightDescriptor::new_path(path)),
            ..encoder.schema_data()
        });
        let next = first.into_iter().collect();
        Outgoing { shared, connection, next, dictionaries: None }
    }
}

impl Stream for Outgoing {
    type Item = FlightData;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<FlightData>> {
        if let Some(data) = self.next.pop_front() {
            return Poll::Ready(Some(data));
        }
        let shared = Arc::clone(&self.shared);
        let mut state = shared.state();
        if state.connection != self.connection {
            return Poll::Ready(None);
        }
        let Some((seq, message)) = state.ledger.next_to_send() else {
            if state.finishing {
                return Poll::Ready(None);
            }
            state.sender = Some(context.waker().clone());
            return Poll::Pending;
        };
        drop(state);
        let data = message.data(seq);
        let Some(dictionaries) = message.dictionaries() else { return Poll::Ready(Some(data)) };
        if !self.dictionaries.as_ref().is_some_and(|sent| Arc::ptr_eq(sent, dictionaries)) {
            self.next.extend(dictionaries.iter().cloned());
            self.dictionaries = Some(Arc::clone(dictionaries));
        }
        self.next.push_back(data);
        Poll::Ready(self.next.pop_front())
    }
}

/// One DoExchange that the server has taken.
struct Exchange {
    answers: tonic::Streaming<FlightData>,
}

impl Exchange {
    /// Reads acks until the connection ends. Answers what ended it; None: it is the end of the stream.
    async fn serve(mut self, shared: &Shared) -> Option<Error> {
        match self.read(shared).await {
            Ok(()) if shared.state().finishing => None,
            Ok(()) => Some(Error::new(Code::Unavailable, "the server ended the stream")),
            // It had been let in: by a password or its token, which are good for a time. The next dial tells.
            Err(error)
                if error.code() == Code::Unauthenticated && shared.endpoint.has_password() =>
            {
                Some(error.with_retryable())
            }
            Err(error) => Some(error),
        }
    }

    /// Whether or not anybody wants to know.
    async fn read(&mut self, shared: &Shared) -> Result<()> {
        let mut schema: Option<SchemaRef> = None;
        while let Some(data) = self.answers.message().await? {
            match &schema {
                None => {
                    let told = Schema::try_from(&data).map_err(unreadable)?;
                    schema = Some(Arc::new(told));
                }
                Some(schema) if !data.data_header.is_empty() => {
                    let batch =
                        flight_data_to_arrow_batch(&data, Arc::clone(schema), &HashMap::new())
                            .map_err(unreadable)?;
                    take(shared, &AckBatch::new(&batch)?)?;
                }
                Some(_) => {}
            }
        }
        Ok(())
    }
}

fn unreadable(error: ArrowError) -> Error {
    Error::violation(format!("acks that cannot be read: {error}"))
}

/// Takes one batch of acks in.
fn take(shared: &Shared, acks: &AckBatch<'_>) -> Result<()> {
    let (mut freed, mut told) = (0, Vec::new());
    let mut state = shared.state();
    let mut taken = Ok(());
    for row in 0..acks.lsn.len() {
        if acks.is_watermark.value(row) {
            if let Some(watermarks) = acks.watermarks(row) {
                state.ledger.take_watermarks(&watermarks, &mut told);
                state.watermarks = Some(watermarks);
            }
        } else {
            taken = acks.row(row).and_then(|ack| state.ledger.take(&ack, &mut freed, &mut told));
        }
        if taken.is_err() {
            break;
        }
    }
    let woken = state.tell(&told);
    drop(state);
    woken.into_iter().for_each(Waker::wake);
    shared.free(freed);
    taken
}

/// The columns of a batch of acks.
struct AckBatch<'a> {
    lsn: &'a Int64Array,
    level: &'a StringArray,
    time: &'a TimestampMicrosecondArray,
    is_watermark: &'a BooleanArray,
    disk: &'a Int64Array,
    storage: &'a Int64Array,
    committed: &'a Int64Array,
    snapshot_id: &'a Int64Array,
}

impl<'a> AckBatch<'a> {
    fn new(batch: &'a RecordBatch) -> Result<AckBatch<'a>> {
        let column = |name: &str| {
            let missing = || Error::violation(format!("acks without a proper column {name}"));
            batch.column_by_name(name).ok_or_else(missing)
        };
        let wrong = |name: &'static str| {
            move || Error::violation(format!("acks without a proper column {name}"))
        };
        let number = |name: &'static str| {
            column(name)?.as_primitive_opt::<Int64Type>().ok_or_else(wrong(name))
        };
        Ok(AckBatch {
            lsn: number("lsn")?,
            level: column("durability_level")?
                .as_string_opt()
                .ok_or_else(wrong("durability_level"))?,
            time: column("timestamp")?
                .as_primitive_opt::<TimestampMicrosecondType>()
                .ok_or_else(wrong("timestamp"))?,
            is_watermark: column("is_watermark_update")?
                .as_boolean_opt()
                .ok_or_else(wrong("is_watermark_update"))?,
            disk: number("disk_lsn")?,
            storage: number("s3_lsn")?,
            committed: number("committed_lsn")?,
            snapshot_id: number("snapshot_id")?,
        })
    }

    fn watermarks(&self, row: usize) -> Option<Watermarks> {
        let at = |column: &Int64Array| column.is_valid(row).then(|| Lsn(column.value(row)));
        let (disk, storage, committed) = (at(self.disk)?, at(self.storage)?, at(self.committed)?);
        Some(Watermarks { disk, storage, committed })
    }

    fn row(&self, row: usize) -> Result<AckRow> {
        let name = self.level.value(row);
        let level = name.parse().map_err(|_| {
            Error::violation(format!("an ack of level {name:?}, which there is not"))
        })?;
        let since_1970 = u64::try_from(self.time.value(row)).ok().map(Duration::from_micros);
        Ok(AckRow {
            lsn: Lsn(self.lsn.value(row)),
            level,
            time: since_1970.and_then(|passed| SystemTime::UNIX_EPOCH.checked_add(passed)),
            snapshot_id: self.snapshot_id.is_valid(row).then(|| self.snapshot_id.value(row)),
        })
    }
}
