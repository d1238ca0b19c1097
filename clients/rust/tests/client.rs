//! The library from outside: with nobody at the other end, and with the server of ARKA_URL.

use std::future::Future;
use std::net::TcpListener;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::task::Poll;
use std::time::{Duration, Instant};

use arka_client::{Client, Code, Level, Lsn, WriteStream};
use arrow_array::{ArrayRef, Int64Array, RecordBatch};

const SHORT: Duration = Duration::from_millis(50);

fn batch(rows: i64) -> RecordBatch {
    let column: ArrayRef = Arc::new(Int64Array::from_iter_values(0..rows));
    RecordBatch::try_from_iter([("number", column)]).unwrap()
}

/// An address at which connections are taken, and nothing is ever said.
fn silence() -> (TcpListener, String) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("grpc://{}", listener.local_addr().unwrap());
    (listener, url)
}

/// A stream to nobody, whose budget has room for one batch of 1,000 rows and no two.
async fn lonely() -> (TcpListener, WriteStream) {
    let (listener, url) = silence();
    let stream = Client::connect(&url).unwrap().open("sales.orders").budget(10_000).await.unwrap();
    (listener, stream)
}

#[tokio::test]
async fn a_full_budget_makes_write_wait_and_try_write_fail() {
    let (_listener, stream) = lonely().await;
    stream.write(&batch(1000)).await.unwrap();
    let full = stream.try_write(&batch(1000)).err().unwrap();
    assert_eq!((full.code(), full.retryable()), (Code::ResourceExhausted, true));
    let began = Instant::now();
    let late = stream.write_within(&batch(1000), SHORT).await.err().unwrap();
    assert_eq!((late.code(), late.retryable()), (Code::DeadlineExceeded, true));
    assert!(began.elapsed() >= SHORT);
    assert!((8000..=10_000).contains(&stream.held_bytes()));
}

#[tokio::test]
async fn a_batch_that_is_larger_than_the_budget_is_let_in_alone() {
    let (_listener, stream) = lonely().await;
    stream.try_write(&batch(100_000)).unwrap();
    assert_eq!(stream.try_write(&batch(1)).err().unwrap().code(), Code::ResourceExhausted);
}

#[tokio::test]
async fn a_write_that_is_dropped_while_it_waits_has_written_nothing() {
    let (_listener, stream) = lonely().await;
    stream.write(&batch(1000)).await.unwrap();
    let second = batch(1000);
    let mut waiting = Box::pin(stream.write(&second));
    assert!(futures::poll!(waiting.as_mut()).is_pending());
    drop(waiting);
    assert_eq!(stream.pending().unwrap(), [batch(1000)]);
}

#[tokio::test]
async fn a_wait_that_is_too_long_harms_nothing() {
    let (_listener, stream) = lonely().await;
    let mut write = stream.write(&batch(1)).await.unwrap();
    for level in Level::ALL {
        let late = write.wait_within(level, SHORT).await.unwrap_err();
        assert_eq!(late.code(), Code::DeadlineExceeded);
    }
    assert_eq!((write.lsn(), write.level()), (None, None));
    assert!(matches!(futures::poll!(&mut write), Poll::Pending));
    assert_eq!(stream.lag(Level::LocalDisk).writes, 1);
}

#[tokio::test]
async fn close_is_over_in_time_and_what_was_kept_can_be_had() {
    let (_listener, stream) = lonely().await;
    let write = stream.write(&batch(7)).await.unwrap();
    let late = stream.close_within(Level::LocalDisk, SHORT).await.unwrap_err();
    assert_eq!(late.code(), Code::DeadlineExceeded);
    assert!(late.message().contains("1 writes are not known to be on disk"), "{late}");
    assert_eq!(stream.pending().unwrap(), [batch(7)]);
    assert_eq!(write.await.unwrap_err().code(), Code::FailedPrecondition);
    assert_eq!(stream.write(&batch(1)).await.err().unwrap().code(), Code::FailedPrecondition);
}

#[tokio::test]
async fn the_deadline_is_one_typed_error_for_all_who_wait() {
    let (listener, url) = silence();
    drop(listener);
    let client = Client::builder(&url).deadline(Duration::from_millis(300)).build().unwrap();
    let stream = client.open("sales.orders").budget(10_000).await.unwrap();
    let first = stream.write(&batch(1000)).await.unwrap();
    let second = batch(1000);
    let minute = Duration::from_secs(60);
    let (wait, write, flush) = tokio::join!(
        first.wait_within(Level::Memory, minute),
        stream.write_within(&second, minute),
        stream.flush_within(Level::LocalDisk, minute),
    );
    for error in [wait.unwrap_err(), write.err().unwrap(), flush.unwrap_err()] {
        assert_eq!((error.code(), error.retryable()), (Code::DeadlineExceeded, true));
        assert!(error.message().contains("the connection is lost"), "{error}");
        assert!(error.message().contains("refused"), "{error}"); // not that the last attempt was cut short
    }
    assert_eq!(stream.reconnects(), 0);
}

#[tokio::test]
async fn a_batch_of_another_schema_is_refused_and_spares_the_stream() {
    let (_listener, stream) = lonely().await;
    stream.write(&batch(1)).await.unwrap();
    let column: ArrayRef = Arc::new(Int64Array::from(vec![1]));
    let other = RecordBatch::try_from_iter([("other", column)]).unwrap();
    assert_eq!(stream.write(&other).await.err().unwrap().code(), Code::InvalidArgument);
    stream.write(&batch(1)).await.unwrap();
}

#[tokio::test]
async fn a_stream_that_is_dropped_ends_its_handles_and_acks() {
    let (_listener, stream) = lonely().await;
    let write = stream.write(&batch(1)).await.unwrap();
    let acks = stream.acks();
    drop(stream);
    assert_eq!(write.await.unwrap_err().code(), Code::FailedPrecondition);
    assert_eq!(futures::StreamExt::count(acks).await, 0);
}

#[tokio::test]
async fn what_is_no_address_is_refused_at_once() {
    for url in ["localhost:8815", "http://localhost:8815", "grpc://", "grpc://localhost"] {
        let refused = Client::connect(url).err().expect(url);
        assert_eq!(refused.code(), Code::InvalidArgument);
    }
}

#[test]
fn a_client_outside_of_a_runtime_is_an_error_and_no_panic() {
    let refused = Client::connect("grpc://127.0.0.1:8815").err().unwrap();
    assert_eq!(refused.code(), Code::FailedPrecondition);
}

/// Runs the test where ARKA_URL names a server.
fn with_server<F: Future<Output = ()>>(test: impl FnOnce(String) -> F) {
    if let Ok(url) = std::env::var("ARKA_URL") {
        tokio::runtime::Builder::new_multi_thread()
            .enable_all()
            .build()
            .unwrap()
            .block_on(test(url));
    }
}

#[test]
fn handles_lsns_and_the_servers_word_agree() {
    with_server(|url| async move {
        let client = Client::connect(&url).unwrap();
        let stream = client.open("rust_tests.agree").await.unwrap();
        let mut lsns = Vec::new();
        for _ in 0..20 {
            lsns.push(stream.write(&batch(3)).await.unwrap().await.unwrap());
        }
        assert!(lsns.is_sorted());
        stream.wait_for_durability(lsns[19], Level::ObjectStorage).await.unwrap();
        let unknown = stream.wait_for_durability(Lsn(i64::MAX), Level::Memory).await.unwrap_err();
        assert_eq!(unknown.code(), Code::NotFound);
        for told in client.levels(&lsns).await.unwrap() {
            assert!(told.level >= Some(Level::ObjectStorage), "{told:?}");
        }
        stream.close_within(Level::Committed, Duration::from_secs(60)).await.unwrap();
        assert_eq!(stream.lag(Level::Committed).writes, 0);
    });
}

#[test]
fn acks_tell_every_level_of_every_write_once() {
    with_server(|url| async move {
        let client = Client::connect(&url).unwrap();
        let stream = client.open("rust_tests.acks").await.unwrap();
        let acks = stream.acks();
        for _ in 0..50 {
            stream.write(&batch(1)).await.unwrap();
        }
        stream.flush(Level::Committed).await.unwrap();
        stream.close().await.unwrap();
        let acks: Vec<_> = futures::StreamExt::collect(acks).await;
        for level in Level::ALL {
            let seqs: Vec<i64> =
                acks.iter().filter(|ack| ack.level == level).map(|ack| ack.seq).collect();
            assert_eq!(seqs, (1..=50).collect::<Vec<_>>(), "{level}");
        }
    });
}

#[test]
fn a_few_rows_are_written_when_the_first_has_waited_long_enough() {
    with_server(|url| async move {
        let client = Client::connect(&url).unwrap();
        let appender =
            client.appender("rust_tests.linger").schema(batch(1).schema()).await.unwrap();
        let mut acks = appender.stream().acks();
        appender.append(&serde_json::json!({"number": 1})).await.unwrap();
        let ack = futures::StreamExt::next(&mut acks).await.unwrap(); // without a flush
        assert_eq!((ack.level, ack.seq), (Level::Memory, 1));
        appender.close().await.unwrap();
        let closed = appender.append(&serde_json::json!({"number": 2})).await.unwrap_err();
        assert_eq!(closed.code(), Code::FailedPrecondition);
    });
}

/// What every sample prints.
const SAMPLES: [(&str, &str); 4] = [
    ("quickstart", "in the object store: true\nrows: 3\n"),
    (
        "durable",
        "on disk: 10\nlag is known: true\nthe last one reached MEMORY\nthe last one reached LOCAL_DISK\n\
         the last one reached OBJECT_STORAGE\nthe last one reached COMMITTED\nacks of the disk: 10\n\
         safe: 10, still to be kept: 0\nthe server is ready: true\n",
    ),
    ("exactly_once", "lines: 50 different: 50 last: 50\n"),
    ("backpressure", "some may be dropped: true\nrefused: true\nall rows are committed\n"),
];

#[test]
fn the_samples_do_what_they_say() {
    let Ok(url) = std::env::var("ARKA_URL") else { return };
    // cargo test has built them, beside this test's own folder.
    let tests = std::env::current_exe().unwrap();
    let examples = tests.parent().and_then(Path::parent).unwrap().join("examples");
    for (name, printed) in SAMPLES {
        let ran = Command::new(examples.join(name)).arg(&url).output().unwrap();
        assert!(ran.status.success(), "{name}: {}", String::from_utf8_lossy(&ran.stderr));
        assert_eq!(String::from_utf8_lossy(&ran.stdout), printed, "{name}");
    }
}

/// Without the indentation: a block of a document may be the inside of a function.
fn unindented(text: &str) -> String {
    text.trim().lines().map(|line| format!("{}\n", line.trim())).collect()
}

#[test]
fn the_documents_say_what_the_samples_do() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let example = root.join("../../examples/rust/flight_client.rs");
    let read =
        |path: &Path| std::fs::read_to_string(path).unwrap_or_else(|e| panic!("{path:?}: {e}"));
    let mut code = unindented(&read(&example));
    for (name, _) in SAMPLES {
        code += &unindented(&read(&root.join(format!("examples/{name}.rs"))));
    }
    for document in ["README.md", "../../docs/guide/rust.md"] {
        let text = read(&root.join(document));
        let blocks: Vec<&str> =
            text.split("```rust\n").skip(1).filter_map(|rest| rest.split("```").next()).collect();
        assert!(blocks.len() >= 5, "{document} has {} blocks", blocks.len());
        for block in blocks {
            assert!(code.contains(&unindented(block)), "{document}: no sample has\n{block}");
        }
    }
}
