//! A server that does what a test has it do: the test is what answers a stream's batches.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use arrow_array::{
    ArrayRef, BooleanArray, Int64Array, RecordBatch, StringArray, TimestampMicrosecondArray,
};
use arrow_flight::flight_service_server::{FlightService, FlightServiceServer};
use arrow_flight::utils::batches_to_flight_data;
use arrow_flight::{
    Action, ActionType, Criteria, Empty, FlightData, FlightDescriptor, FlightInfo,
    HandshakeRequest, HandshakeResponse, PollInfo, PutResult, SchemaResult, Ticket,
};
use futures::channel::mpsc::{UnboundedReceiver, UnboundedSender, unbounded};
use futures::stream::{BoxStream, StreamExt};
use serde_json::{Value, json};
use tokio::task::JoinHandle;
use tonic::metadata::MetadataMap;
use tonic::transport::Server;
use tonic::transport::server::TcpIncoming;
use tonic::{Request, Response, Status, Streaming};

type Answer<T> = Result<Response<T>, Status>;
type Answers<T> = BoxStream<'static, Result<T, Status>>;
/// Answers an action, by its name and how often it was asked for before.
type Act = dyn Fn(&str, usize) -> Result<Value, Status> + Send + Sync;

pub struct Fake {
    pub url: String,
    service: Service,
    connections: UnboundedReceiver<Connection>,
    serving: JoinHandle<()>,
}

#[derive(Clone)]
struct Service {
    act: Arc<Act>,
    asked: Arc<Mutex<Vec<String>>>,
    connected: UnboundedSender<Connection>,
    /// The one that is good. It is answered to a password.
    token: Arc<Mutex<String>>,
}

impl Fake {
    pub fn start(
        act: impl Fn(&str, usize) -> Result<Value, Status> + Send + Sync + 'static,
    ) -> Fake {
        let (connected, connections) = unbounded();
        let token = Arc::new(Mutex::new("Bearer first".to_owned()));
        let service = Service { act: Arc::new(act), asked: Arc::default(), connected, token };
        let incoming = TcpIncoming::bind("127.0.0.1:0".parse().unwrap()).unwrap();
        let url = format!("grpc://{}", incoming.local_addr().unwrap());
        let served = FlightServiceServer::new(service.clone());
        let serving = tokio::spawn(async move {
            Server::builder().add_service(served).serve_with_incoming(incoming).await.unwrap();
        });
        Fake { url, service, connections, serving }
    }

    /// One that knows of no producer.
    pub fn new() -> Fake {
        Fake::start(|_, _| Ok(json!({"last_seq": 0, "lsn": null})))
    }

    /// The next stream that is opened.
    pub async fn connection(&mut self) -> Connection {
        in_time(self.connections.next()).await.unwrap()
    }

    /// The actions so far.
    pub fn asked(&self) -> Vec<String> {
        self.service.asked.lock().unwrap().clone()
    }

    /// From now on another token is good.
    pub fn renew_token(&self, token: &str) {
        *self.service.token.lock().unwrap() = token.to_owned();
    }

    /// Nobody is there any more.
    pub async fn stop(self) {
        self.serving.abort();
        let _ = self.serving.await;
    }
}

/// One stream, as the server sees it.
pub struct Connection {
    pub headers: MetadataMap,
    incoming: Streaming<FlightData>,
    answers: UnboundedSender<Result<FlightData, Status>>,
}

impl Connection {
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().unwrap())
    }

    /// The next batch's seq and rows.
    pub async fn batch(&mut self) -> (i64, i64) {
        loop {
            let data = in_time(self.incoming.message()).await.unwrap().expect("a batch");
            let message = arrow_ipc::root_as_message(&data.data_header).unwrap();
            if let Some(batch) = message.header_as_record_batch() {
                let metadata: Value = serde_json::from_slice(&data.app_metadata).unwrap();
                return (metadata["seq"].as_i64().unwrap(), batch.length());
            }
        }
    }

    /// The write with that LSN has reached these levels.
    pub fn ack(&self, lsn: i64, levels: &[&str]) {
        for data in encoded(&acks(lsn, levels)).into_iter().skip(1) {
            let _ = self.answers.unbounded_send(Ok(data)); // or the client is gone
        }
    }

    /// Until the client says that nothing more comes.
    pub async fn serve_until_its_end(mut self) {
        while let Ok(Some(_)) = self.incoming.message().await {}
    }

    pub fn fail(self, error: Status) {
        let _ = self.answers.unbounded_send(Err(error));
    }
}

async fn in_time<T>(future: impl Future<Output = T>) -> T {
    tokio::time::timeout(Duration::from_secs(20), future).await.expect("it came in time")
}

fn acks(lsn: i64, levels: &[&str]) -> RecordBatch {
    let rows = levels.len();
    let numbers = |value| Arc::new(Int64Array::from(vec![value; rows])) as ArrayRef;
    let flags = |flags: Vec<bool>| Arc::new(BooleanArray::from(flags)) as ArrayRef;
    let times = TimestampMicrosecondArray::from(vec![1; rows]).with_timezone("UTC");
    RecordBatch::try_from_iter_with_nullable([
        ("lsn", numbers(Some(lsn)), false),
        ("durability_level", Arc::new(StringArray::from(levels.to_vec())) as ArrayRef, false),
        ("is_durability_update", flags(levels.iter().map(|l| *l != "MEMORY").collect()), false),
        ("timestamp", Arc::new(times) as ArrayRef, false),
        ("is_watermark_update", flags(vec![false; rows]), false),
        ("disk_lsn", numbers(None), true),
        ("s3_lsn", numbers(None), true),
        ("committed_lsn", numbers(None), true),
        ("snapshot_id", numbers(None), true),
    ])
    .unwrap()
}

/// The schema's message, and the batch's.
fn encoded(batch: &RecordBatch) -> Vec<FlightData> {
    batches_to_flight_data(&batch.schema(), [batch]).unwrap()
}

impl Service {
    /// The header with which a call is answered that has these.
    fn let_in(&self, headers: &MetadataMap) -> Result<Option<String>, Status> {
        let good = self.token.lock().unwrap().clone();
        match headers.get("authorization").map(|value| value.to_str().unwrap()) {
            None => Ok(None),
            Some(header) if header == good => Ok(None),
            Some(header) if header.starts_with("Basic ") => Ok(Some(good)),
            Some(_) => Err(Status::unauthenticated("the token has expired")),
        }
    }
}

fn answered<T>(answer: T, header: Option<String>) -> Response<T> {
    let mut response = Response::new(answer);
    if let Some(header) = header {
        response.metadata_mut().insert("authorization", header.parse().unwrap());
    }
    response
}

fn unimplemented<T>() -> Answer<T> {
    Err(Status::unimplemented("not of the fake"))
}

#[tonic::async_trait]
impl FlightService for Service {
    type HandshakeStream = Answers<HandshakeResponse>;
    type ListFlightsStream = Answers<FlightInfo>;
    type DoGetStream = Answers<FlightData>;
    type DoPutStream = Answers<PutResult>;
    type DoExchangeStream = Answers<FlightData>;
    type DoActionStream = Answers<arrow_flight::Result>;
    type ListActionsStream = Answers<ActionType>;

    async fn do_exchange(
        &self,
        request: Request<Streaming<FlightData>>,
    ) -> Answer<Self::DoExchangeStream> {
        let header = self.let_in(request.metadata())?;
        let (answers, told) = unbounded();
        let headers = request.metadata().clone();
        let connection = Connection { headers, incoming: request.into_inner(), answers };
        let schema = encoded(&acks(0, &[])).into_iter().take(1);
        schema.for_each(|data| connection.answers.unbounded_send(Ok(data)).unwrap());
        self.connected.unbounded_send(connection).unwrap();
        Ok(answered(told.boxed(), header))
    }

    async fn do_action(&self, request: Request<Action>) -> Answer<Self::DoActionStream> {
        let header = self.let_in(request.metadata())?;
        let kind = request.into_inner().r#type;
        let before = {
            let mut asked = self.asked.lock().unwrap();
            asked.push(kind.clone());
            asked.iter().filter(|other| **other == kind).count() - 1
        };
        let body = (self.act)(&kind, before)?.to_string().into_bytes().into();
        let answer = futures::stream::iter([Ok(arrow_flight::Result { body })]);
        Ok(answered(answer.boxed(), header))
    }

    async fn handshake(
        &self,
        _: Request<Streaming<HandshakeRequest>>,
    ) -> Answer<Self::HandshakeStream> {
        unimplemented()
    }

    async fn list_flights(&self, _: Request<Criteria>) -> Answer<Self::ListFlightsStream> {
        unimplemented()
    }

    async fn get_flight_info(&self, _: Request<FlightDescriptor>) -> Answer<FlightInfo> {
        unimplemented()
    }

    async fn poll_flight_info(&self, _: Request<FlightDescriptor>) -> Answer<PollInfo> {
        unimplemented()
    }

    async fn get_schema(&self, _: Request<FlightDescriptor>) -> Answer<SchemaResult> {
        unimplemented()
    }

    async fn do_get(&self, _: Request<Ticket>) -> Answer<Self::DoGetStream> {
        unimplemented()
    }

    async fn do_put(&self, _: Request<Streaming<FlightData>>) -> Answer<Self::DoPutStream> {
        unimplemented()
    }

    async fn list_actions(&self, _: Request<Empty>) -> Answer<Self::ListActionsStream> {
        unimplemented()
    }
}
