//! What to do when the server does not keep up, and rows instead of batches.
//!
//! usage: backpressure [grpc://HOST:PORT]

use std::error::Error;
use std::sync::Arc;
use std::time::Duration;

use arka_client::{Client, Code, Level, WriteStream};
use arrow_array::{ArrayRef, Float64Array, RecordBatch, StringArray, TimestampMicrosecondArray};
use arrow_schema::{ArrowError, DataType, Field, Schema, TimeUnit};
use serde::Serialize;

fn readings(first: i64, rows: i64) -> Result<RecordBatch, ArrowError> {
    let at = DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into()));
    let schema = Schema::new(vec![
        Field::new("sensor", DataType::Utf8, false),
        Field::new("celsius", DataType::Float64, true),
        Field::new("at", at, false),
    ]);
    let rows = first..first + rows;
    let columns: Vec<ArrayRef> = vec![
        Arc::new(StringArray::from_iter_values(rows.clone().map(|_| "cellar"))),
        Arc::new(Float64Array::from_iter_values(rows.clone().map(|i| i as f64))),
        Arc::new(TimestampMicrosecondArray::from_iter_values(rows).with_timezone("UTC")),
    ];
    RecordBatch::try_new(Arc::new(schema), columns)
}

/// Waits for at most five seconds while the budget is used up; then it is the caller's to choose.
async fn write(stream: &WriteStream, batch: &RecordBatch) -> arka_client::Result<()> {
    match stream.write_within(batch, Duration::from_secs(5)).await {
        Err(error) if error.code() == Code::DeadlineExceeded => {
            eprintln!("drop it, keep it elsewhere, or try again");
            Err(error)
        }
        written => written.map(drop),
    }
}

/// Does not wait at all; says whether the batch was taken.
fn try_write(stream: &WriteStream, batch: &RecordBatch) -> arka_client::Result<bool> {
    match stream.try_write(batch) {
        Ok(_) => Ok(true),
        Err(full) if full.code() == Code::ResourceExhausted && full.retryable() => Ok(false),
        Err(error) => Err(error),
    }
}

async fn batches(client: &Client) -> Result<(), Box<dyn Error>> {
    let stream = client.open("guide.readings").budget(1 << 20).await?;
    for i in 0..100 {
        write(&stream, &readings(i * 1000, 1000)?).await?;
    }
    let mut dropped = 0;
    for _ in 0..100 {
        if !try_write(&stream, &readings(0, 1000)?)? {
            dropped += 1;
        }
    }
    println!("some may be dropped: {}", dropped <= 100);
    stream.close().await?;
    Ok(())
}

/// A row; the fields are columns by their names.
#[derive(Serialize)]
struct Reading<'a> {
    sensor: &'a str,
    celsius: Option<f64>, // None: null
    at: i64,              // in the unit of the column; or text in ISO 8601
}

async fn rows(client: &Client) -> Result<(), Box<dyn Error>> {
    let appender = client
        .appender("guide.readings")
        .max_rows(5000)
        .max_bytes(1 << 20)
        .linger(Duration::from_millis(50))
        .await?;
    for at in 0..10_000 {
        appender.append(&Reading { sensor: "attic", celsius: Some(20.5), at }).await?;
    }
    let row = serde_json::json!({"sensor": "attic", "at": "2026-11-22T08:00:00Z"});
    appender.append(&row).await?;
    let misfit = appender.append(&serde_json::json!({"sensor": 7, "at": 0})).await;
    println!("refused: {}", misfit.is_err_and(|error| error.code() == Code::InvalidArgument));
    appender.flush(Level::Committed).await?;
    println!("all rows are committed");
    appender.close().await?;
    Ok(())
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let url = std::env::args().nth(1).unwrap_or("grpc://localhost:8815".to_owned());
    let client = Client::connect(&url)?;
    batches(&client).await?;
    rows(&client).await
}
