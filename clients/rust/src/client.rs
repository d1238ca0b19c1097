//! The connection to a server: streams, appenders, queries, and what the server says of itself.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use arrow_array::RecordBatch;
use arrow_flight::decode::FlightRecordBatchStream;
use arrow_flight::error::FlightError;
use arrow_flight::{FlightDescriptor, FlightInfo, Ticket};
use arrow_schema::{Schema, SchemaRef};
use futures::{Stream, StreamExt, TryStreamExt};
use serde_json::{Value, json};
use tonic::Request;

use crate::appender::OpenAppender;
use crate::endpoint::{Endpoint, Flight, Security, SharedEndpoint, random_name, table_path};
use crate::error::{Code, Error, Result};
use crate::level::{Level, Lsn, Watermarks};
use crate::stream::OpenStream;

const DEADLINE: Duration = Duration::from_secs(60);
const BUDGET: usize = 64 << 20;
/// How many LSNs the server answers for in one call.
const LSNS_AT_ONCE: usize = 10_000;

/// How a [`Client`] is to reach its server: [`build`](ClientBuilder::build) makes it.
#[must_use = "it does nothing before build()"]
pub struct ClientBuilder {
    url: String,
    security: Security,
    session: Option<String>,
    deadline: Duration,
    budget: usize,
}

impl ClientBuilder {
    /// Logs in by name and password.
    pub fn password(mut self, username: impl Into<String>, password: impl Into<String>) -> Self {
        self.security.username = Some(username.into());
        self.security.password = password.into();
        self
    }

    /// Sends the token with every call.
    pub fn token(mut self, token: impl Into<String>) -> Self {
        self.security.token = Some(token.into());
        self
    }

    /// The certificates, as PEM text, to trust instead of the system's.
    pub fn tls_root(mut self, pem: impl Into<Vec<u8>>) -> Self {
        self.security.root = Some(pem.into());
        self
    }

    /// The client's own certificate and its key, as PEM text, for servers that ask for one.
    pub fn identity(mut self, certificate: impl Into<Vec<u8>>, key: impl Into<Vec<u8>>) -> Self {
        self.security.identity = Some((certificate.into(), key.into()));
        self
    }

    /// This client's name for its session; random where it is not given.
    pub fn session(mut self, name: impl Into<String>) -> Self {
        self.session = Some(name.into());
        self
    }

    /// How long a call is made again that failed by what may pass, such as a server that is just being
    /// started, and how long a stream tries to get its connection back; 60 s where it is not given.
    pub fn deadline(mut self, deadline: Duration) -> Self {
        self.deadline = deadline;
        self
    }

    /// The budget of the client's streams: see [`OpenStream::budget`].
    pub fn budget(mut self, bytes: usize) -> Self {
        self.budget = bytes;
        self
    }

    /// Makes the client. Nothing is sent yet.
    pub fn build(self) -> Result<Client> {
        let endpoint = Arc::new(Endpoint::new(&self.url, self.security)?);
        let session = self.session.map_or_else(random_name, Ok)?;
        Ok(Client { endpoint, session, deadline: self.deadline, budget: self.budget })
    }
}

/// The way to one Arka server. Cheap to clone; any task may use it.
#[derive(Clone)]
pub struct Client {
    endpoint: SharedEndpoint,
    session: String,
    deadline: Duration,
    budget: usize,
}

impl Client {
    /// A client of the server at the URL, `grpc://localhost:8815`, or `grpc+tls://` where the server has a
    /// certificate. It is made within the tokio runtime that it is to run on. Nothing is sent yet.
    pub fn connect(url: &str) -> Result<Client> {
        Client::builder(url).build()
    }

    /// As [`connect`](Client::connect), with credentials and other options.
    pub fn builder(url: &str) -> ClientBuilder {
        ClientBuilder {
            url: url.to_owned(),
            security: Security::default(),
            session: None,
            deadline: DEADLINE,
            budget: BUDGET,
        }
    }

    /// Opens a stream of writes to a table such as `sales.orders`, which the first write makes where it is not
    /// there. Where a producer is named, the server is asked where that is.
    pub fn open(&self, table: &str) -> OpenStream {
        OpenStream {
            endpoint: Arc::clone(&self.endpoint),
            table: table.to_owned(),
            schema: None,
            producer: None,
            session: self.session.clone(),
            deadline: self.deadline,
            budget: self.budget,
        }
    }

    /// Opens a stream of rows to a table.
    pub fn appender(&self, table: &str) -> OpenAppender {
        OpenAppender::new(self.clone(), self.open(table))
    }

    /// The name by which the server knows this client's writes.
    pub fn session(&self) -> &str {
        &self.session
    }

    /// Returns once every write to the table that was in the server's memory before the call has reached the
    /// level, whoever wrote it; where no table is named, every write. Upload and commit are begun at once.
    /// The answer is the last LSN that the server had given before the call.
    pub async fn flush(&self, table: Option<&str>, level: Level) -> Result<Option<Lsn>> {
        let mut body = json!({"level": level.name()});
        if let (Some(table), Some(body)) = (table, body.as_object_mut()) {
            body.insert("table".to_owned(), table.into());
        }
        let answers = self.endpoint.ask(self.deadline, "flush", body).await?;
        Ok(answers.first().and_then(|answer| number(answer, "lsn")).map(Lsn))
    }

    /// What became of a session's writes above `after`, the last LSN that the caller knows of, and what of the
    /// others may have been missed while a connection was lost; `None`: of all. `NOT_FOUND` where the
    /// server does not know the session (any more).
    pub async fn durability_status(
        &self,
        session: &str,
        after: Option<Lsn>,
    ) -> Result<Vec<Durability>> {
        let body = json!({"session": session, "after_lsn": after.map_or(0, |lsn| lsn.0)});
        let answers = self.endpoint.ask(self.deadline, "durability_status", body).await?;
        listed(&answers, "events")
            .map(|event| {
                let snapshot_id = number(event, "snapshot_id");
                Ok(Durability { lsn: lsn_of(event)?, level: level_of(event)?, snapshot_id })
            })
            .collect()
    }

    /// The levels of these LSNs, whoever wrote them, in their order. `NOT_FOUND`, naming it, where the server
    /// never gave one.
    pub async fn levels(&self, lsns: &[Lsn]) -> Result<Vec<LsnStatus>> {
        let mut levels = Vec::with_capacity(lsns.len());
        for part in lsns.chunks(LSNS_AT_ONCE) {
            let part: Vec<i64> = part.iter().map(|lsn| lsn.0).collect();
            let body = json!({"lsns": part});
            let answers = self.endpoint.ask(self.deadline, "durability_status", body).await?;
            for told in listed(&answers, "levels") {
                let lost = told.get("lost").and_then(Value::as_bool) == Some(true);
                let level = if lost { None } else { Some(level_of(told)?) };
                levels.push(LsnStatus { lsn: lsn_of(told)?, level });
            }
        }
        Ok(levels)
    }

    /// Asks the server how it is.
    pub async fn status(&self) -> Result<Status> {
        let answers = self.endpoint.ask(self.deadline, "status", json!({})).await?;
        answers.into_iter().next().map(Status).ok_or_else(|| Error::violation("no status"))
    }

    /// How far the whole server is.
    pub async fn watermarks(&self) -> Result<Watermarks> {
        Ok(self.status().await?.watermarks())
    }

    /// The schema of a table.
    pub async fn schema(&self, table: &str) -> Result<SchemaRef> {
        let path = table_path(table)?;
        let request = || Request::new(FlightDescriptor::new_path(path.clone()));
        let call = |mut flight: Flight, request| async move { flight.get_schema(request).await };
        let calls = self.endpoint.calls();
        let asked = || self.endpoint.call(calls, request, call);
        let answer = self.endpoint.retried(self.deadline, asked).await?.into_inner();
        let schema = Schema::try_from(answer);
        schema.map(Arc::new).map_err(|e| Error::violation(format!("no schema: {e}")))
    }

    /// Runs a SELECT over every row that was acknowledged before, committed or not.
    pub async fn query(&self, sql: &str) -> Result<Rows> {
        self.endpoint.retried(self.deadline, || self.query_once(sql)).await
    }

    async fn query_once(&self, sql: &str) -> Result<Rows> {
        let calls = self.endpoint.calls();
        let request = || Request::new(FlightDescriptor::new_cmd(sql.to_owned()));
        let call =
            |mut flight: Flight, request| async move { flight.get_flight_info(request).await };
        let info: FlightInfo = self.endpoint.call(calls, request, call).await?.into_inner();
        let ticket: Option<Ticket> = info.endpoint.into_iter().next().and_then(|one| one.ticket);
        let ticket = ticket.ok_or_else(|| Error::violation("a query without a ticket"))?;
        let request = || Request::new(ticket.clone());
        let call = |mut flight: Flight, request| async move { flight.do_get(request).await };
        let answer = self.endpoint.call(calls, request, call).await?.into_inner();
        let answer = answer.map_err(|status| FlightError::Tonic(Box::new(status)));
        Ok(Rows(FlightRecordBatchStream::new_from_flight_data(answer)))
    }
}

/// The answer to a query: a stream of record batches, which ends the query when it is dropped.
pub struct Rows(FlightRecordBatchStream);

impl Rows {
    /// All of them at once.
    pub async fn collect_all(self) -> Result<Vec<RecordBatch>> {
        self.try_collect().await
    }
}

impl Stream for Rows {
    type Item = Result<RecordBatch>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let next = self.0.poll_next_unpin(context);
        next.map(|next| {
            next.map(|batch| {
                batch.map_err(|error| match error {
                    FlightError::Tonic(status) => Error::from(*status),
                    other => Error::violation(format!("an answer that cannot be read: {other}")),
                })
            })
        })
    }
}

/// One level that a write of a session has reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Durability {
    /// The write.
    pub lsn: Lsn,
    /// What it has reached.
    pub level: Level,
    /// The Iceberg snapshot that holds a committed write, where it is known.
    pub snapshot_id: Option<i64>,
}

/// How durable the write with an LSN is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct LsnStatus {
    /// The LSN that was asked for.
    pub lsn: Lsn,
    /// `None`: a crash took the LSN before it was on disk, or the write was given up with its table.
    pub level: Option<Level>,
}

/// How the server is. What it says beyond this is in [`text`](Status::text), the JSON that the wire contract
/// describes.
#[derive(Debug, Clone)]
pub struct Status(Value);

impl Status {
    /// Whether writes are taken.
    pub fn ready(&self) -> bool {
        self.0.get("ready").and_then(Value::as_bool) == Some(true)
    }

    /// What is wrong, in words; empty: nothing.
    pub fn problem(&self) -> &str {
        self.0.get("problem").and_then(Value::as_str).unwrap_or_default()
    }

    /// The server's version.
    pub fn version(&self) -> &str {
        self.0.get("version").and_then(Value::as_str).unwrap_or_default()
    }

    /// The last LSN that was given.
    pub fn last_lsn(&self) -> Lsn {
        Lsn(number(&self.0, "last_lsn").unwrap_or_default())
    }

    /// How far the server is.
    pub fn watermarks(&self) -> Watermarks {
        let at = |key| Lsn(number(&self.0, key).unwrap_or_default());
        Watermarks { disk: at("disk_lsn"), storage: at("s3_lsn"), committed: at("committed_lsn") }
    }

    /// The age of the oldest write that is not in the object store.
    pub fn lag(&self) -> Duration {
        let seconds = self.0.get("lag_seconds").and_then(Value::as_f64).unwrap_or_default();
        Duration::try_from_secs_f64(seconds).unwrap_or_default()
    }

    /// All that the server said, as JSON.
    pub fn text(&self) -> String {
        self.0.to_string()
    }
}

fn number(object: &Value, key: &str) -> Option<i64> {
    object.get(key).and_then(Value::as_i64)
}

fn listed<'a>(answers: &'a [Value], key: &'a str) -> impl Iterator<Item = &'a Value> {
    answers.iter().filter_map(move |answer| answer.get(key)?.as_array()).flatten()
}

fn lsn_of(told: &Value) -> Result<Lsn> {
    number(told, "lsn").map(Lsn).ok_or_else(|| Error::violation(format!("no LSN in {told}")))
}

fn level_of(told: &Value) -> Result<Level> {
    let name = told.get("durability_level").and_then(Value::as_str).unwrap_or_default();
    name.parse().map_err(|error: Error| Error::new(Code::Internal, error.message()))
}
