//! The operations, and what those before have opened.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use arka_client::{Appender, Client, Level, Lsn, OpenStream, Result, Write, WriteStream};
use arrow_array::cast::AsArray;
use arrow_array::types::{Float64Type, Int32Type, Int64Type};
use arrow_array::{Array, Int64Array, RecordBatch, StringArray};
use arrow_schema::{DataType, Field, Schema, SchemaRef};
use futures::StreamExt;
use serde::Serialize;
use serde_json::{Value, json};

use crate::types;

#[derive(Default)]
pub struct Session {
    client: Option<Client>,
    stream: Option<WriteStream>,
    appender: Option<Appender>,
    /// The first and the last.
    writes: Vec<Write>,
    count: u64,
    acks: Arc<Mutex<BTreeMap<Level, u64>>>,
}

#[derive(Serialize)]
struct Row {
    number: i64,
    text: String,
}

fn numbered() -> SchemaRef {
    Arc::new(Schema::new(vec![
        Field::new("number", DataType::Int64, false),
        Field::new("text", DataType::Utf8, true),
    ]))
}

fn numbered_batch(schema: &SchemaRef, first: i64, rows: i64, text_bytes: usize) -> RecordBatch {
    let numbers = first..first + rows;
    let text = numbers.clone().map(|number| format!("{number:0text_bytes$}"));
    let text = StringArray::from_iter_values(text);
    let columns: Vec<Arc<dyn Array>> =
        vec![Arc::new(Int64Array::from_iter_values(numbers)), Arc::new(text)];
    RecordBatch::try_new(Arc::clone(schema), columns).expect("two columns of one length")
}

fn level(asked: &Value) -> Result<Level> {
    asked["level"].as_str().unwrap_or_default().parse()
}

fn timeout(asked: &Value) -> Option<Duration> {
    asked["timeout_ms"].as_u64().map(Duration::from_millis)
}

/// Unlike an operation that fails, one that makes no sense is a defect of the scenario.
fn there<'a, T>(opened: &'a Option<T>, what: &str) -> &'a T {
    opened.as_ref().unwrap_or_else(|| panic!("{what} is not open"))
}

impl Session {
    pub async fn run(&mut self, asked: &Value) -> Result<Value> {
        let number = |key: &str| asked[key].as_i64().unwrap_or_default();
        match asked["op"].as_str().unwrap_or_default() {
            "connect" => self.connect(asked),
            "open" => self.open(asked).await,
            "write" => {
                let schema = numbered();
                let (batches, rows) = (number("batches"), number("rows"));
                let text_bytes = asked["text_bytes"].as_u64().unwrap_or_default() as usize;
                for i in 0..batches {
                    let batch =
                        numbered_batch(&schema, number("first") + i * rows, rows, text_bytes);
                    let write = there(&self.stream, "a stream").write(&batch).await?;
                    self.keep(write);
                }
                Ok(json!({"accepted": batches}))
            }
            "wait" => self.wait(level(asked)?, timeout(asked)).await,
            "flush" => {
                let level = level(asked)?;
                match (&self.appender, timeout(asked)) {
                    (Some(appender), Some(time)) => appender.flush_within(level, time).await?,
                    (Some(appender), None) => appender.flush(level).await?,
                    (None, Some(time)) => {
                        there(&self.stream, "a stream").flush_within(level, time).await?;
                    }
                    (None, None) => there(&self.stream, "a stream").flush(level).await?,
                }
                Ok(json!({}))
            }
            "append_rows" => self.append_rows(asked).await,
            "write_types" => {
                let batch = types::batch();
                let write = there(&self.stream, "a stream").write(&batch).await?;
                self.keep(write);
                let schema = batch.schema();
                let names: Vec<&String> =
                    schema.fields().iter().map(|field| field.name()).collect();
                Ok(json!({"columns": names, "rows": batch.num_rows()}))
            }
            "query" => self.query(asked["sql"].as_str().unwrap_or_default()).await,
            "status" => {
                let text = there(&self.client, "a client").status().await?.text();
                let status: Value = serde_json::from_str(&text).expect("the status is JSON");
                Ok(json!({"status": status}))
            }
            "durability" => {
                let session = there(&self.stream, "a stream").session();
                let after = asked["after"].as_i64().map(Lsn);
                let told =
                    there(&self.client, "a client").durability_status(session, after).await?;
                let events: Vec<Value> =
                    told.iter().map(|event| json!([event.lsn.0, event.level.name()])).collect();
                Ok(json!({"events": events}))
            }
            "acks" => {
                let acks = self.acks.lock().expect("nobody panicked");
                let count =
                    |level: Level| (level.name(), acks.get(&level).copied().unwrap_or_default());
                Ok(json!(Level::ALL.map(count).into_iter().collect::<BTreeMap<_, _>>()))
            }
            "memory" => Ok(json!({"bytes": there(&self.stream, "a stream").held_bytes()})),
            "close" => self.close(timeout(asked)).await,
            op => panic!("no operation {op:?}"),
        }
    }

    fn connect(&mut self, asked: &Value) -> Result<Value> {
        let options = &asked["options"];
        let text = |key: &str| options[key].as_str();
        let pem =
            |key: &str| text(key).map(|path| std::fs::read(path).expect("the PEM file is there"));
        let mut builder = Client::builder(asked["url"].as_str().unwrap_or_default());
        if let Some(username) = text("username") {
            builder = builder.password(username, text("password").unwrap_or_default());
        }
        if let Some(token) = text("token") {
            builder = builder.token(token);
        }
        if let Some(root) = pem("tls_root") {
            builder = builder.tls_root(root);
        }
        if let (Some(certificate), Some(key)) = (pem("client_cert"), pem("client_key")) {
            builder = builder.identity(certificate, key);
        }
        if let Some(deadline) = options["deadline_ms"].as_u64() {
            builder = builder.deadline(Duration::from_millis(deadline));
        }
        if let Some(budget) = options["budget_bytes"].as_u64() {
            builder = builder.budget(budget as usize);
        }
        *self = Session { client: Some(builder.build()?), ..Session::default() };
        Ok(json!({}))
    }

    async fn open(&mut self, asked: &Value) -> Result<Value> {
        let named =
            |open: OpenStream, key: &str, set: fn(OpenStream, &str) -> OpenStream| match asked[key]
                .as_str()
            {
                Some(name) => set(open, name),
                None => open,
            };
        let schema = if asked["columns"] == "types" { types::batch().schema() } else { numbered() };
        let table = asked["table"].as_str().unwrap_or_default();
        let open = there(&self.client, "a client").open(table).schema(schema);
        let open = named(open, "producer", |open, name| open.producer(name));
        let open = named(open, "session", |open, name| open.session(name));
        let stream = open.await?;
        self.count_acks(&stream);
        let told = json!({"producer": stream.producer(), "session": stream.session()});
        (self.writes, self.count) = (Vec::new(), 0);
        self.stream = Some(stream);
        Ok(told)
    }

    fn count_acks(&self, stream: &WriteStream) {
        let (mut acks, counts) = (stream.acks(), Arc::clone(&self.acks));
        tokio::spawn(async move {
            while let Some(ack) = acks.next().await {
                *counts.lock().expect("nobody panicked").entry(ack.level).or_default() += 1;
            }
        });
    }

    /// Has the stream's first and last write asked for.
    fn keep(&mut self, write: Write) {
        self.count += 1;
        self.writes.truncate(1);
        self.writes.push(write);
    }

    async fn wait(&self, level: Level, timeout: Option<Duration>) -> Result<Value> {
        let stream = there(&self.stream, "a stream");
        match timeout {
            Some(timeout) => stream.wait_for_durability_within(None, level, timeout).await?,
            None => stream.wait_for_durability(None, level).await?,
        }
        let lsn = |write: &Write| write.lsn().map(|lsn| lsn.0);
        let mut lsns: Vec<_> = self.writes.first().into_iter().map(lsn).collect();
        lsns.extend(self.writes.last().filter(|_| self.writes.len() > 1).map(lsn));
        Ok(json!({"lsns": lsns, "count": self.count}))
    }

    /// Makes the appender at its first use: its rows go by a stream of their own.
    async fn append_rows(&mut self, asked: &Value) -> Result<Value> {
        if self.appender.is_none() {
            let table = asked["table"].as_str().unwrap_or_default();
            let client = there(&self.client, "a client");
            let appender = client.appender(table).schema(numbered()).await?;
            self.count_acks(appender.stream());
            self.appender = Some(appender);
        }
        let first = asked["first"].as_i64().unwrap_or_default();
        let rows = asked["rows"].as_i64().unwrap_or_default();
        let text_bytes = asked["text_bytes"].as_u64().unwrap_or_default() as usize;
        for number in first..first + rows {
            let row = Row { number, text: format!("{number:0text_bytes$}") };
            there(&self.appender, "an appender").append(&row).await?;
        }
        Ok(json!({"accepted": rows}))
    }

    async fn query(&self, sql: &str) -> Result<Value> {
        let mut rows: Vec<Value> = Vec::new();
        for batch in there(&self.client, "a client").query(sql).await?.collect_all().await? {
            for row in 0..batch.num_rows() {
                rows.push(batch.columns().iter().map(|column| value(column, row)).collect());
            }
        }
        Ok(json!({"rows": rows}))
    }

    async fn close(&mut self, timeout: Option<Duration>) -> Result<Value> {
        let mut done = Ok(());
        if let Some(appender) = self.appender.take() {
            done = match timeout {
                Some(timeout) => appender.close_within(Level::LocalDisk, timeout).await,
                None => appender.close().await,
            };
        }
        if let Some(stream) = &self.stream {
            done = done.and(match timeout {
                Some(timeout) => stream.close_within(Level::LocalDisk, timeout).await,
                None => stream.close().await,
            });
        }
        done.map(|()| json!({}))
    }
}

/// A value of the types that the scenarios ask for.
fn value(column: &dyn Array, row: usize) -> Value {
    if column.is_null(row) {
        return Value::Null;
    }
    match column.data_type() {
        DataType::Int64 => column.as_primitive::<Int64Type>().value(row).into(),
        DataType::Int32 => column.as_primitive::<Int32Type>().value(row).into(),
        DataType::Float64 => column.as_primitive::<Float64Type>().value(row).into(),
        DataType::Utf8 => column.as_string::<i32>().value(row).into(),
        other => panic!("no query answers with {other}"),
    }
}
