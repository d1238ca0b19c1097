//! Streams against a server that does what the test says, at the moment that the test says.

mod fake;

use std::sync::Arc;
use std::time::{Duration, Instant};

use arka_client::{AckTracker, Appender, Client, Code, Level, Lsn};
use arrow_array::{ArrayRef, Int64Array, RecordBatch};
use fake::Fake;
use serde_json::json;
use tonic::Status;

const MEMORY: &[&str] = &["MEMORY"];
const ON_DISK: &[&str] = &["MEMORY", "LOCAL_DISK"];
const LONG: Duration = Duration::from_secs(20);

fn batch(rows: i64) -> RecordBatch {
    let column: ArrayRef = Arc::new(Int64Array::from_iter_values(0..rows));
    RecordBatch::try_from_iter([("number", column)]).unwrap()
}

fn cut() -> Status {
    Status::unavailable("cut")
}

fn client(fake: &Fake, deadline: Duration) -> Client {
    Client::builder(&fake.url).deadline(deadline).build().unwrap()
}

#[tokio::test]
async fn a_name_is_claimed_once_and_what_fails_after_that_goes_on_from_last_seq() {
    let mut fake = Fake::start(|kind, before| match (kind, before) {
        ("claim_producer", 0) => Ok(json!({"epoch": 5, "last_seq": 3, "lsn": 1002})),
        ("flush", 1) => Ok(json!({"lsn": 1002, "level": "LOCAL_DISK"})),
        // A crash came after the claim, and took one.
        ("last_seq", 1..) => Ok(json!({"last_seq": 2, "lsn": 1001})),
        _ => Err(cut()),
    });
    let stream = client(&fake, LONG).open("sales.orders").producer("till 4").await.unwrap();
    assert_eq!(fake.asked(), ["claim_producer", "flush", "flush", "last_seq", "last_seq"]);
    assert_eq!(stream.last_seq(), 2);
    let write = stream.write(&batch(1)).await.unwrap();
    for _ in 0..2 {
        let mut connection = fake.connection().await;
        assert_eq!(connection.header("arka-producer"), Some("till 4"));
        assert_eq!(connection.header("arka-producer-epoch"), Some("5"));
        assert_eq!(connection.batch().await, (3, 1));
        connection.fail(cut());
    }
    let mut connection = fake.connection().await;
    assert_eq!(connection.batch().await, (3, 1));
    connection.ack(1002, ON_DISK);
    assert_eq!(write.wait(Level::LocalDisk).await.unwrap(), Lsn(1002));
    assert_eq!(fake.asked().iter().filter(|kind| *kind == "claim_producer").count(), 1);
}

#[tokio::test]
async fn a_producer_that_was_forgotten_before_its_first_write_begins_at_1() {
    let mut fake = Fake::start(|kind, before| match (kind, before) {
        ("claim_producer", _) => Ok(json!({"epoch": 5, "last_seq": 3, "lsn": 1002})),
        ("last_seq", 1..) => Ok(json!({"last_seq": 0, "lsn": null, "forgotten_through": 1500})),
        _ => Ok(json!({"last_seq": 3, "lsn": 1002})),
    });
    let stream = client(&fake, LONG).open("sales.orders").producer("till 4").await.unwrap();
    assert_eq!(stream.last_seq(), 3);
    stream.write(&batch(1)).await.unwrap();
    assert_eq!(fake.connection().await.batch().await, (1, 1));
}

#[tokio::test]
async fn what_a_crash_took_is_not_on_disk_because_what_was_written_since_is() {
    let mut fake = Fake::new();
    let stream = client(&fake, LONG).open("sales.orders").await.unwrap();
    let tracker = AckTracker::new(&stream);
    for _ in 0..2 {
        stream.write(&batch(1)).await.unwrap();
    }
    let mut connection = fake.connection().await;
    let mut lsns = Vec::new();
    for lsn in [1000, 1001] {
        connection.batch().await;
        connection.ack(lsn, MEMORY);
        lsns.push(Lsn(lsn));
    }
    stream.wait_for_durability(None, Level::Memory).await.unwrap();
    connection.fail(cut());

    // The server has lost both. The first is on disk now, of the second nothing was heard.
    let mut connection = fake.connection().await;
    connection.batch().await;
    connection.ack(1005, &["MEMORY", "LOCAL_DISK", "OBJECT_STORAGE", "COMMITTED"]);
    stream.wait_for_durability(lsns[0], Level::Committed).await.unwrap();
    assert_eq!(tracker.level_of(lsns[0]), Some(Level::Committed));
    assert_eq!(tracker.level_of(lsns[1]), None);
    for level in Level::ALL {
        let short = Duration::from_millis(10);
        let late = stream.wait_for_durability_within(lsns[1], level, short).await.unwrap_err();
        assert_eq!(late.code(), Code::DeadlineExceeded, "{level}");
        let late = tracker.wait_all_within(&lsns, level, short).await.unwrap_err();
        assert_eq!(late.code(), Code::DeadlineExceeded, "{level}");
    }
    connection.batch().await;
    connection.ack(1006, ON_DISK);
    tracker.wait_all(&lsns, Level::LocalDisk).await.unwrap();
    assert_eq!(tracker.level_of(lsns[1]), Some(Level::LocalDisk));
}

#[tokio::test]
async fn a_token_that_has_expired_is_exchanged_again_for_every_stream() {
    let mut fake = Fake::new();
    let client = Client::builder(&fake.url).password("writer", "secret").build().unwrap();
    client.status().await.unwrap(); // the password is exchanged
    let mut streams = Vec::new();
    let mut connections = Vec::new();
    for _ in 0..3 {
        let stream = client.open("sales.orders").await.unwrap();
        let write = stream.write(&batch(1)).await.unwrap();
        connections.push(fake.connection().await);
        streams.push((stream, write));
    }
    assert!(connections.iter().all(|c| c.header("authorization") == Some("Bearer first")));
    fake.renew_token("Bearer second");
    for connection in connections {
        connection.fail(Status::unauthenticated("the token has expired"));
    }
    let mut again = Vec::new();
    for _ in &streams {
        let mut connection = fake.connection().await;
        connection.batch().await;
        connection.ack(1000, ON_DISK);
        again.push(connection);
    }
    for (_, write) in &streams {
        write.wait(Level::LocalDisk).await.unwrap();
    }
}

#[tokio::test]
async fn the_deadline_runs_from_the_loss_of_a_connection_and_not_from_its_beginning() {
    let mut fake = Fake::new();
    let deadline = Duration::from_millis(500);
    let stream = client(&fake, deadline).open("sales.orders").await.unwrap();
    let write = stream.write(&batch(1)).await.unwrap();
    let mut connection = fake.connection().await;
    connection.batch().await;
    tokio::time::sleep(deadline * 2).await; // its disk is slow
    connection.fail(cut());
    let mut connection = fake.connection().await;
    connection.batch().await;
    connection.ack(1000, ON_DISK);
    write.wait(Level::LocalDisk).await.unwrap();
}

#[tokio::test]
async fn the_deadline_passes_also_where_everything_is_on_disk() {
    let mut fake = Fake::new();
    let stream = client(&fake, Duration::from_millis(500)).open("sales.orders").await.unwrap();
    let write = stream.write(&batch(1)).await.unwrap();
    let mut connection = fake.connection().await;
    connection.batch().await;
    connection.ack(1000, ON_DISK);
    write.wait(Level::LocalDisk).await.unwrap();
    fake.stop().await;
    connection.fail(cut());
    let lost = write.wait_within(Level::Committed, LONG).await.unwrap_err();
    assert_eq!((lost.code(), lost.retryable()), (Code::DeadlineExceeded, true));
    assert!(lost.message().contains("the connection is lost"), "{lost}");
    assert_eq!(stream.reconnects(), 1);
}

#[tokio::test]
async fn a_write_is_waited_for_until_the_deadline_and_no_longer() {
    let mut fake = Fake::new();
    let stream = client(&fake, Duration::from_millis(300)).open("sales.orders").await.unwrap();
    let mut write = stream.write(&batch(1)).await.unwrap();
    let mut connection = fake.connection().await; // is there, and says nothing
    let late = tokio::time::timeout(LONG, &mut write).await.unwrap().unwrap_err();
    assert_eq!(late.code(), Code::DeadlineExceeded);
    connection.batch().await;
    connection.ack(1000, MEMORY);
    assert_eq!(write.await.unwrap(), Lsn(1000));
}

#[tokio::test]
async fn waiting_for_ever_is_a_time_like_any_other() {
    let mut fake = Fake::new();
    let stream = client(&fake, Duration::MAX).open("sales.orders").await.unwrap();
    let write = stream.write_within(&batch(1), Duration::MAX).await.unwrap();
    let mut connection = fake.connection().await;
    connection.batch().await;
    connection.ack(1000, ON_DISK);
    assert_eq!(write.await.unwrap(), Lsn(1000));
    stream.flush_within(Level::LocalDisk, Duration::MAX).await.unwrap();
    let (closed, ()) = tokio::join!(
        stream.close_within(Level::LocalDisk, Duration::MAX),
        connection.serve_until_its_end()
    );
    closed.unwrap();
}

#[test]
fn a_stream_fails_when_its_runtime_is_shut_down() {
    let runtime = || tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    let its_own = runtime();
    let (fake, stream, write) = its_own.block_on(async {
        let fake = Fake::new();
        let stream = client(&fake, LONG).open("sales.orders").await.unwrap();
        let write = stream.write(&batch(1)).await.unwrap();
        (fake, stream, write)
    });
    drop(its_own);
    let began = Instant::now();
    let failed = runtime().block_on(write.wait(Level::LocalDisk)).unwrap_err();
    assert_eq!(failed.code(), Code::Internal);
    assert!(began.elapsed() < LONG / 2);
    assert_eq!(stream.pending().unwrap(), [batch(1)]);
    drop(fake);
}

/// One whose stream has room for a batch at a time, of ten rows.
async fn narrow_appender(fake: &Fake, deadline: Duration) -> Appender {
    client(fake, deadline)
        .appender("sales.orders")
        .schema(batch(1).schema())
        .stream(|stream| stream.budget(1))
        .max_rows(10)
        .await
        .unwrap()
}

#[tokio::test]
async fn a_row_that_found_no_room_was_not_taken_and_is_not_written_twice() {
    let mut fake = Fake::new();
    let appender = narrow_appender(&fake, Duration::from_millis(300)).await;
    let mut connection = None;
    let (mut taken, mut refused) = (0, 0);
    while taken < 60 {
        // As a caller does who knows no more than that the append failed.
        match appender.append(&json!({"number": taken})).await {
            Ok(()) => taken += 1,
            Err(full) => {
                assert_eq!((full.code(), full.retryable()), (Code::DeadlineExceeded, true));
                refused += 1;
                if connection.is_none() {
                    let mut late = fake.connection().await;
                    connection = Some(tokio::spawn(async move {
                        let mut rows = 0;
                        for lsn in 1000.. {
                            let (_, written) = late.batch().await;
                            rows += written;
                            late.ack(lsn, ON_DISK);
                            if rows >= 60 {
                                break;
                            }
                        }
                        (rows, late)
                    }));
                }
            }
        }
    }
    appender.flush(Level::LocalDisk).await.unwrap();
    assert!(refused > 0);
    let (rows, _late) = connection.unwrap().await.unwrap();
    assert_eq!(rows, 60);
    assert!(appender.pending().await.unwrap().is_empty());
}

#[tokio::test]
async fn an_appender_closes_in_time_and_what_was_not_written_can_be_had() {
    let fake = Fake::new();
    let appender = narrow_appender(&fake, LONG).await;
    let mut taken = Vec::new();
    for number in 0..25 {
        let row = json!({"number": number});
        let append = tokio::time::timeout(Duration::from_millis(50), appender.append(&row));
        if append.await.is_ok() {
            taken.push(number);
        }
    }
    let began = Instant::now();
    let timeout = Duration::from_millis(200);
    let late = appender.close_within(Level::LocalDisk, timeout).await.unwrap_err();
    assert_eq!(late.code(), Code::DeadlineExceeded);
    assert!(began.elapsed() < LONG / 2);
    let pending = appender.pending().await.unwrap();
    let numbers: Vec<i64> = pending
        .iter()
        .flat_map(|batch| {
            let column: &Int64Array = arrow_array::cast::AsArray::as_primitive(batch.column(0));
            column.values().to_vec()
        })
        .collect();
    assert_eq!(numbers, taken);
    assert!((20..25).contains(&taken.len()));
}
