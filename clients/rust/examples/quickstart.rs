//! Writes three rows and waits until they are in the object store.
//!
//! usage: quickstart [grpc://HOST:PORT]

use std::error::Error;
use std::sync::Arc;

use arka_client::{Client, Level};
use arrow_array::{Int64Array, RecordBatch, StringArray};
use arrow_schema::{ArrowError, DataType, Field, Schema};
use futures::TryStreamExt;

fn people() -> Result<RecordBatch, ArrowError> {
    let schema = Schema::new(vec![
        Field::new("id", DataType::Int64, false),
        Field::new("name", DataType::Utf8, true),
    ]);
    let ids = Int64Array::from(vec![1, 2, 3]);
    let names = StringArray::from(vec!["Alice", "Bob", "Carol"]);
    RecordBatch::try_new(Arc::new(schema), vec![Arc::new(ids), Arc::new(names)])
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let url = std::env::args().nth(1).unwrap_or("grpc://localhost:8815".to_owned());

    let client = Client::connect(&url)?;
    let stream = client.open("guide.people").await?;
    let write = stream.write(&people()?).await?;
    let lsn = write.wait(Level::ObjectStorage).await?;
    println!("in the object store: {}", lsn.0 >= 1000);
    stream.close().await?;

    let mut rows = client.query("SELECT id, name FROM guide.people ORDER BY id LIMIT 3").await?;
    while let Some(batch) = rows.try_next().await? {
        println!("rows: {}", batch.num_rows());
    }
    Ok(())
}
