//! A program that may be started again at any time, and writes each of its batches once.
//!
//! usage: exactly_once [grpc://HOST:PORT]

use std::error::Error;
use std::sync::Arc;

use arka_client::Client;
use arrow_array::cast::AsArray;
use arrow_array::types::Int64Type;
use arrow_array::{ArrayRef, Int64Array, RecordBatch};
use arrow_schema::ArrowError;

fn line(number: i64) -> Result<RecordBatch, ArrowError> {
    let lines: ArrayRef = Arc::new(Int64Array::from(vec![number]));
    RecordBatch::try_from_iter([("line", lines)])
}

/// Writes lines up to `until`, going on after those that an earlier run has written.
async fn copy_lines(client: &Client, until: i64) -> Result<(), Box<dyn Error>> {
    let stream = client.open("guide.lines").producer("till 4").await?;
    // Every batch is one line here, so the number of batches says where to go on.
    for number in stream.last_seq() + 1..=until {
        stream.write(&line(number)?).await?;
    }
    stream.close().await?; // everything is on the server's disk
    Ok(())
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let url = std::env::args().nth(1).unwrap_or("grpc://localhost:8815".to_owned());
    let client = Client::connect(&url)?;
    copy_lines(&client, 30).await?;
    copy_lines(&client, 50).await?; // as if started again
    let sql = "SELECT count(*), count(DISTINCT line), max(line) FROM guide.lines";
    for batch in client.query(sql).await?.collect_all().await? {
        let number = |i| batch.column(i).as_primitive::<Int64Type>().value(0);
        println!("lines: {} different: {} last: {}", number(0), number(1), number(2));
    }
    Ok(())
}
