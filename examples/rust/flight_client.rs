//! The example of the guide with nothing but arrow-flight: write a hundred batches, and read their acks meanwhile.
//!
//! usage: flight_client [HOST:PORT] [LEVEL]
//!
//! The rows go to the table arka.my_table. LEVEL is how long to stay: MEMORY, LOCAL_DISK, OBJECT_STORAGE (the
//! default) or COMMITTED, when the rows are in the Iceberg table.

use std::collections::HashMap;
use std::error::Error;
use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::{Int64Array, RecordBatch, StringArray};
use arrow_flight::decode::FlightRecordBatchStream;
use arrow_flight::encode::FlightDataEncoderBuilder;
use arrow_flight::{FlightClient, FlightDescriptor};
use arrow_schema::{DataType, Field, Schema, SchemaRef};
use futures::{Stream, TryStreamExt, stream};
use tonic::transport::Endpoint;

type Batch = arrow_flight::error::Result<RecordBatch>;

fn schema() -> SchemaRef {
    Arc::new(Schema::new(vec![
        Field::new("id", DataType::Int64, false),
        Field::new("name", DataType::Utf8, true),
    ]))
}

/// The batches. They are made as they are sent; each is one write with one LSN.
fn batches(count: i64) -> impl Stream<Item = Batch> + Send + 'static {
    stream::iter((0..count).map(|i| {
        let names = StringArray::from(vec![format!("name {i}")]);
        let columns = vec![Arc::new(Int64Array::from(vec![i])) as _, Arc::new(names) as _];
        Ok(RecordBatch::try_new(schema(), columns)?)
    }))
}

/// Counts the acks of each level until the server ends the stream.
async fn read_acks(
    mut acks: FlightRecordBatchStream,
) -> Result<HashMap<String, usize>, Box<dyn Error>> {
    let mut counts = HashMap::new();
    while let Some(batch) = acks.try_next().await? {
        // As many acks as were due at that moment.
        for level in batch.column(1).as_string::<i32>().iter().flatten() {
            *counts.entry(level.to_owned()).or_default() += 1;
        }
    }
    Ok(counts)
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let address = arguments.next().unwrap_or("localhost:8815".to_owned());
    let level = arguments.next().unwrap_or("OBJECT_STORAGE".to_owned());

    let channel = Endpoint::from_shared(format!("http://{address}"))?.connect().await?;
    let mut client = FlightClient::new(channel);
    // The header says after which level the stream may end.
    client.add_header("arka-ack-until", &level)?;

    let messages = FlightDataEncoderBuilder::new()
        .with_schema(schema())
        .with_flight_descriptor(Some(FlightDescriptor::new_path(vec!["streaming_write".into()])))
        .with_max_flight_data_size(usize::MAX) // or a large batch would be several writes
        .build(batches(100));
    // What goes out is taken from the stream while the acks are read.
    let acks = client.do_exchange(messages).await?;
    let counts = read_acks(acks).await?; // the server's word on what went wrong comes here

    for level in ["MEMORY", "LOCAL_DISK", "OBJECT_STORAGE", "COMMITTED"] {
        if let Some(count) = counts.get(level) {
            println!("{count} writes reached {level}");
        }
    }
    Ok(())
}
