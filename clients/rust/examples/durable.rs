//! Waits only for what matters, follows acks and watermarks, and asks afterwards what became of it.
//!
//! usage: durable [grpc://HOST:PORT]

use std::error::Error;
use std::sync::Arc;
use std::time::Duration;

use arka_client::{AckTracker, Client, Level, LocalCache, WriteStream};
use arrow_array::{ArrayRef, Float64Array, RecordBatch};
use arrow_schema::ArrowError;
use futures::StreamExt;

fn payment(amount: f64) -> Result<RecordBatch, ArrowError> {
    let amounts: ArrayRef = Arc::new(Float64Array::from(vec![amount]));
    RecordBatch::try_from_iter([("amount", amounts)])
}

/// Returns at once for ordinary batches, for critical ones when they are in the object store.
async fn write_with_policy(
    stream: &WriteStream,
    batch: &RecordBatch,
    critical: bool,
) -> arka_client::Result<()> {
    if critical {
        stream.write_durable(batch, Level::ObjectStorage).await?;
    } else {
        stream.write(batch).await?;
    }
    Ok(())
}

/// Follows the acks of a stream in a tracker, and waits by LSN.
async fn track(client: &Client) -> Result<(), Box<dyn Error>> {
    let stream = client.open("guide.payments").await?;
    let tracker = AckTracker::new(&stream);
    let mut lsns = Vec::new();
    for amount in 0..10 {
        let write = stream.write(&payment(f64::from(amount))?).await?;
        lsns.push(write.await?); // one at a time is slow: a round trip for each
    }
    tracker.wait_all(&lsns, Level::LocalDisk).await?;
    println!("on disk: {}", lsns.len());

    let lag = stream.lag(Level::Committed);
    println!("lag is known: {}", lag.writes <= 10 && lag.oldest < Duration::from_secs(60));
    stream.flush(Level::Committed).await?;
    stream.close().await?;

    let before_the_last = lsns[8];
    let told = client.durability_status(stream.session(), Some(before_the_last)).await?;
    for event in told.iter().filter(|event| event.lsn == lsns[9]) {
        println!("the last one reached {}", event.level);
    }
    Ok(())
}

/// Sees every ack as it comes.
async fn listen(client: &Client) -> Result<(), Box<dyn Error>> {
    let stream = client.open("guide.payments").await?;
    let mut acks = stream.acks();
    let listener = tokio::spawn(async move {
        let mut on_disk = 0;
        while let Some(ack) = acks.next().await {
            if ack.level == Level::LocalDisk {
                on_disk += 1;
            }
        }
        on_disk
    });
    for amount in 0..10 {
        stream.write(&payment(f64::from(amount))?).await?;
    }
    stream.close().await?; // ends the acks, too
    println!("acks of the disk: {}", listener.await?);
    Ok(())
}

/// Keeps its own copy of what it writes until the server's watermarks say that it is safe.
async fn cache(client: &Client) -> Result<(), Box<dyn Error>> {
    let stream = client.open("guide.payments").await?;
    let mut kept = LocalCache::new(Level::ObjectStorage);
    for amount in 0..10 {
        let amount = f64::from(amount);
        kept.put(&stream.write(&payment(amount)?).await?, amount);
    }
    stream.flush(Level::ObjectStorage).await?;
    let safe = kept.clean(&client.watermarks().await?);
    println!("safe: {}, still to be kept: {}", safe.len(), kept.len());
    stream.close().await?;
    Ok(())
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let url = std::env::args().nth(1).unwrap_or("grpc://localhost:8815".to_owned());
    let client = Client::connect(&url)?;
    let stream = client.open("guide.payments").await?;
    write_with_policy(&stream, &payment(1.0)?, false).await?;
    write_with_policy(&stream, &payment(1000.0)?, true).await?;
    stream.close().await?;
    track(&client).await?;
    listen(&client).await?;
    cache(&client).await?;
    println!("the server is ready: {}", client.status().await?.ready());
    Ok(())
}
