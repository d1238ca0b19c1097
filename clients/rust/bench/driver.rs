//! The benchmark's program (bench/clients): writes for some seconds, by the library or by arrow-flight alone, and
//! prints what was reached as one line of JSON.
//!
//! usage: driver MODE --url grpc://HOST:PORT --table NAME --rows N --seconds N [--in-flight N]

use std::collections::HashMap;
use std::error::Error;
use std::sync::Arc;
use std::time::{Duration, Instant};

use arka_client::{Client, Level};
use arrow_array::RecordBatch;
use arrow_array::builder::{Int64Builder, StringBuilder};
use arrow_flight::FlightDescriptor;
use arrow_flight::encode::FlightDataEncoderBuilder;
use arrow_flight::error::FlightError;
use arrow_flight::flight_service_client::FlightServiceClient;
use arrow_schema::{DataType, Field, Schema, SchemaRef};
use futures::channel::mpsc;
use futures::{SinkExt, StreamExt};
use serde::Serialize;
use tokio::sync::Semaphore;

type Failed = Box<dyn Error + Send + Sync>;

#[tokio::main]
async fn main() -> Result<(), Failed> {
    let mut arguments = std::env::args().skip(1);
    let mode = arguments.next().ok_or("which mode?")?;
    let mut options: HashMap<String, String> = HashMap::new();
    while let (Some(name), Some(value)) = (arguments.next(), arguments.next()) {
        options.insert(name, value);
    }
    let option = |name: &str| options.get(name).cloned().ok_or(format!("{name} is missing"));
    let run = Run {
        url: option("--url")?,
        table: option("--table")?,
        rows: options.get("--rows").map_or(Ok(10), |rows| rows.parse())?,
        duration: Duration::from_secs_f64(option("--seconds")?.parse()?),
        in_flight: options.get("--in-flight").map_or(Ok(1024), |many| many.parse())?,
        schema: Arc::new(Schema::new(vec![
            Field::new("number", DataType::Int64, false),
            Field::new("text", DataType::Utf8, true),
        ])),
    };
    let told = match mode.as_str() {
        "raw-writes" => run.raw_writes().await?,
        "raw-latency" => run.raw_latency().await?,
        "writes" => run.writes().await?,
        "latency" => run.latency().await?,
        "appender" => run.appender().await?,
        _ => return Err(format!("no mode {mode:?}").into()),
    };
    println!("{told}");
    Ok(())
}

struct Run {
    url: String,
    table: String,
    rows: i64,
    duration: Duration,
    in_flight: usize,
    schema: SchemaRef,
}

#[derive(Serialize)]
struct Row {
    number: i64,
    text: String,
}

fn text_of(number: i64) -> String {
    format!("{number:020}")
}

fn writes(writes: usize, began: Instant) -> serde_json::Value {
    serde_json::json!({"writes": writes, "seconds": began.elapsed().as_secs_f64()})
}

fn latencies(mut told: Vec<Duration>) -> serde_json::Value {
    told.sort();
    let at = |part: usize| told.get(told.len() * part / 100).map(|d| d.as_nanos() as f64 / 1000.0);
    serde_json::json!({"writes": told.len(), "p50_us": at(50), "p99_us": at(99)})
}

impl Run {
    fn batch(&self, first: i64) -> Result<RecordBatch, Failed> {
        let rows = self.rows as usize;
        let mut numbers = Int64Builder::with_capacity(rows);
        let mut texts = StringBuilder::with_capacity(rows, 20 * rows);
        for number in first..first + self.rows {
            numbers.append_value(number);
            texts.append_value(text_of(number));
        }
        let columns: Vec<arrow_array::ArrayRef> =
            vec![Arc::new(numbers.finish()), Arc::new(texts.finish())];
        Ok(RecordBatch::try_new(Arc::clone(&self.schema), columns)?)
    }

    /// A DoExchange with arrow-flight alone: what is sent into it, and how many answers of at least one
    /// row, or one message of another kind, have come.
    async fn exchange(
        &self,
        answered: impl Fn(usize) + Send + 'static,
    ) -> Result<
        (
            mpsc::Sender<Result<RecordBatch, FlightError>>,
            tokio::task::JoinHandle<Result<(), Failed>>,
        ),
        Failed,
    > {
        let address = self.url.replace("grpc://", "http://");
        let channel =
            tonic::transport::Endpoint::from_shared(address)?.tcp_nodelay(true).connect().await?;
        let mut client = FlightServiceClient::new(channel);
        let (sender, batches) = mpsc::channel(64);
        let mut path = vec!["streaming_write".to_owned()];
        path.extend(self.table.split('.').map(str::to_owned));
        let data = FlightDataEncoderBuilder::new()
            .with_schema(Arc::clone(&self.schema))
            .with_flight_descriptor(Some(FlightDescriptor::new_path(path)))
            .build(batches)
            .filter_map(|data| async move { data.ok() });
        let mut request = tonic::Request::new(data);
        request.metadata_mut().insert("arka-acks", "MEMORY".parse()?);
        request.metadata_mut().insert("arka-ack-until", "MEMORY".parse()?);
        let mut answers = client.do_exchange(request).await?.into_inner();
        let reader = tokio::spawn(async move {
            while let Some(answer) = answers.message().await? {
                answered(rows_of(&answer));
            }
            Ok(())
        });
        Ok((sender, reader))
    }

    async fn raw_writes(&self) -> Result<serde_json::Value, Failed> {
        let room = Arc::new(Semaphore::new(self.in_flight));
        let freed = Arc::clone(&room);
        let (mut sender, reader) = self.exchange(move |rows| freed.add_permits(rows)).await?;
        let (began, mut written) = (Instant::now(), 0);
        while began.elapsed() < self.duration {
            room.acquire().await?.forget();
            sender.send(Ok(self.batch(written as i64 * self.rows)?)).await?;
            written += 1;
        }
        drop(sender);
        reader.await??;
        Ok(writes(written, began))
    }

    async fn raw_latency(&self) -> Result<serde_json::Value, Failed> {
        let room = Arc::new(Semaphore::new(0));
        let freed = Arc::clone(&room);
        let (mut sender, reader) = self.exchange(move |rows| freed.add_permits(rows)).await?;
        let (began, mut told) = (Instant::now(), Vec::new());
        while began.elapsed() < self.duration {
            let batch = self.batch(told.len() as i64 * self.rows)?;
            let sent_at = Instant::now();
            sender.send(Ok(batch)).await?;
            room.acquire().await?.forget();
            told.push(sent_at.elapsed());
        }
        drop(sender);
        reader.await??;
        Ok(latencies(told))
    }

    async fn writes(&self) -> Result<serde_json::Value, Failed> {
        let stream = Client::connect(&self.url)?.open(&self.table).await?;
        let (began, mut written) = (Instant::now(), 0);
        while began.elapsed() < self.duration {
            stream.write(&self.batch(written as i64 * self.rows)?).await?;
            written += 1;
        }
        stream.flush(Level::LocalDisk).await?;
        let told = writes(written, began);
        stream.close().await?;
        Ok(told)
    }

    async fn latency(&self) -> Result<serde_json::Value, Failed> {
        let stream = Client::connect(&self.url)?.open(&self.table).await?;
        let (began, mut told) = (Instant::now(), Vec::new());
        while began.elapsed() < self.duration {
            let batch = self.batch(told.len() as i64 * self.rows)?;
            let sent_at = Instant::now();
            stream.write(&batch).await?.await?;
            told.push(sent_at.elapsed());
        }
        stream.close().await?;
        Ok(latencies(told))
    }

    async fn appender(&self) -> Result<serde_json::Value, Failed> {
        let client = Client::connect(&self.url)?;
        let appender = client.appender(&self.table).schema(Arc::clone(&self.schema)).await?;
        let (began, mut rows) = (Instant::now(), 0);
        while rows % 1024 != 0 || began.elapsed() < self.duration {
            appender.append(&Row { number: rows, text: text_of(rows) }).await?;
            rows += 1;
        }
        appender.flush(Level::LocalDisk).await?;
        let told = serde_json::json!({"rows": rows, "seconds": began.elapsed().as_secs_f64()});
        appender.close().await?;
        Ok(told)
    }
}

/// How many writes an answer is of: the rows of an ack batch; of another small message one.
fn rows_of(answer: &arrow_flight::FlightData) -> usize {
    let batch = arrow_ipc::root_as_message(&answer.data_header).ok();
    let schema = batch.is_some_and(|message| message.header_as_schema().is_some());
    let rows =
        batch.and_then(|message| message.header_as_record_batch()).map(|batch| batch.length());
    if schema { 0 } else { rows.map_or(1, |rows| rows as usize) }
}
