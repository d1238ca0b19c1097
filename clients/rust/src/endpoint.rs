//! The way to a server: its address, credentials, and calls that are made again where that may help.

use std::future::Future;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use arrow_flight::Action;
use arrow_flight::flight_service_client::FlightServiceClient;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use futures::TryStreamExt;
use serde_json::Value;
use tokio::runtime::Handle;
use tonic::metadata::{Ascii, MetadataMap, MetadataValue};
use tonic::transport::{Certificate, Channel, ClientTlsConfig, Identity};
use tonic::{Request, Response, Status};

use crate::error::{Code, Error, Result};
use crate::lock;

/// The calls of Flight on one connection.
pub(crate) type Flight = FlightServiceClient<Channel>;

const FIRST_DELAY: Duration = Duration::from_millis(50);
const LONGEST_DELAY: Duration = Duration::from_secs(2);
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
// A peer that is gone without a word is noticed within these two.
const PING_INTERVAL: Duration = Duration::from_secs(30);
const PING_TIMEOUT: Duration = Duration::from_secs(20);
const WINDOW_BYTES: u32 = 4 << 20;

/// How to come in.
#[derive(Clone, Default)]
pub(crate) struct Security {
    pub(crate) username: Option<String>,
    pub(crate) password: String,
    pub(crate) token: Option<String>,
    pub(crate) root: Option<Vec<u8>>,
    pub(crate) identity: Option<(Vec<u8>, Vec<u8>)>,
}

pub(crate) struct Endpoint {
    transport: tonic::transport::Endpoint,
    credentials: Credentials,
    calls: Flight,
    runtime: Handle,
}

impl Endpoint {
    pub(crate) fn new(url: &str, security: Security) -> Result<Endpoint> {
        let runtime = Handle::try_current().map_err(|_| {
            Error::new(Code::FailedPrecondition, "a client is made within a tokio runtime")
        })?;
        let wrong = || {
            let message = format!("{url:?} is no location such as grpc://localhost:8815");
            Error::new(Code::InvalidArgument, message)
        };
        let (scheme, authority) = url.split_once("://").ok_or_else(wrong)?;
        let scheme = match scheme {
            "grpc" | "grpc+tcp" => "http",
            "grpc+tls" => "https",
            _ => return Err(wrong()),
        };
        let address = format!("{scheme}://{authority}");
        let mut transport =
            tonic::transport::Endpoint::from_shared(address).map_err(|_| wrong())?;
        if transport.uri().port().is_none() {
            return Err(wrong());
        }
        if scheme == "https" {
            let mut tls = match &security.root {
                Some(pem) => ClientTlsConfig::new().ca_certificate(Certificate::from_pem(pem)),
                None => ClientTlsConfig::new().with_native_roots(),
            };
            if let Some((certificate, key)) = &security.identity {
                tls = tls.identity(Identity::from_pem(certificate, key));
            }
            transport = transport.tls_config(tls).map_err(|failure| {
                Error::new(Code::InvalidArgument, Error::from(failure).message())
            })?;
        }
        let transport = transport
            .connect_timeout(CONNECT_TIMEOUT)
            .tcp_nodelay(true)
            .initial_stream_window_size(WINDOW_BYTES)
            .initial_connection_window_size(2 * WINDOW_BYTES)
            .http2_keep_alive_interval(PING_INTERVAL)
            .keep_alive_timeout(PING_TIMEOUT)
            .keep_alive_while_idle(true);
        let calls = flight(transport.connect_lazy());
        Ok(Endpoint { transport, credentials: Credentials::new(security)?, calls, runtime })
    }

    pub(crate) fn runtime(&self) -> &Handle {
        &self.runtime
    }

    /// The connection that is kept for calls.
    pub(crate) fn calls(&self) -> &Flight {
        &self.calls
    }

    /// A connection of its own.
    pub(crate) async fn dial(&self) -> Result<Flight> {
        Ok(flight(self.transport.connect().await?))
    }

    /// The future's answer, unless it takes longer; the error then says that `what` did.
    pub(crate) async fn timed<T>(
        &self,
        timeout: Duration,
        what: &str,
        future: impl Future<Output = Result<T>>,
    ) -> Result<T> {
        let timed = {
            let _context = self.runtime.enter(); // whatever executor the caller runs on
            tokio::time::timeout(timeout, future)
        };
        timed.await.unwrap_or_else(|_| Err(Error::late(timeout, what)))
    }

    pub(crate) async fn sleep(&self, duration: Duration) {
        let sleep = {
            let _context = self.runtime.enter();
            tokio::time::sleep(duration)
        };
        sleep.await;
    }

    /// One call with credentials; once more with the password, where the token for it is no longer good.
    pub(crate) async fn call<Q, A, F>(
        &self,
        flight: &Flight,
        request: impl Fn() -> Request<Q>,
        make: impl Fn(Flight, Request<Q>) -> F,
    ) -> Result<Response<A>>
    where
        F: Future<Output = std::result::Result<Response<A>, Status>>,
    {
        loop {
            let mut request = request();
            let used = self.credentials.header();
            if let Some(header) = &used {
                request.metadata_mut().insert("authorization", header.clone());
            }
            match make(flight.clone(), request).await {
                Ok(answer) => {
                    self.credentials.learn(answer.metadata());
                    return Ok(answer);
                }
                Err(status) => {
                    let error = Error::from(status);
                    if error.code() != Code::Unauthenticated
                        || !self.credentials.renew(used.as_ref())
                    {
                        return Err(error);
                    }
                }
            }
        }
    }

    /// Whether a token that is no longer good can be exchanged for another.
    pub(crate) fn has_password(&self) -> bool {
        self.credentials.exchanged.is_some()
    }

    /// The answers of an action, as JSON.
    pub(crate) async fn action(
        &self,
        flight: &Flight,
        kind: &str,
        body: &Value,
    ) -> Result<Vec<Value>> {
        let request = || {
            let body = body.to_string().into_bytes().into();
            Request::new(Action { r#type: kind.to_owned(), body })
        };
        let call = |mut flight: Flight, request| async move { flight.do_action(request).await };
        let answers: Vec<_> =
            self.call(flight, request, call).await?.into_inner().try_collect().await?;
        let parse = |answer: arrow_flight::Result| {
            serde_json::from_slice(&answer.body)
                .map_err(|error| Error::violation(format!("{kind} answered no JSON: {error}")))
        };
        answers.into_iter().map(parse).collect()
    }

    /// Makes the attempt again while it is retryable and there is time. For what only asks, or may be done
    /// twice.
    pub(crate) async fn retried<T, F>(
        &self,
        timeout: Duration,
        attempt: impl Fn() -> F,
    ) -> Result<T>
    where
        F: Future<Output = Result<T>>,
    {
        let last = Mutex::new(None);
        let attempts = async {
            let mut backoff = Backoff::new();
            loop {
                match attempt().await {
                    Err(error) if error.retryable() => *lock(&last) = Some(error),
                    done => return done,
                }
                self.sleep(backoff.next_delay()).await;
            }
        };
        let began = Instant::now();
        let done = self.timed(timeout, "no answer", attempts).await;
        match (done, lock(&last).take()) {
            (Err(late), Some(error)) if began.elapsed() >= timeout => {
                Err(late
                    .with_message(format!("no answer within {timeout:?}; the last was {error}")))
            }
            (done, _) => done,
        }
    }

    /// `retried` for an action.
    pub(crate) async fn ask(
        &self,
        timeout: Duration,
        kind: &str,
        body: Value,
    ) -> Result<Vec<Value>> {
        self.retried(timeout, || self.action(&self.calls, kind, &body)).await
    }
}

fn flight(channel: Channel) -> Flight {
    FlightServiceClient::new(channel).max_decoding_message_size(usize::MAX)
}

/// What the header `authorization` says. A password is exchanged for the token that the server answers,
/// which spares it the costly check; it is used again once the token is no longer good.
struct Credentials {
    given: Option<MetadataValue<Ascii>>,
    exchanged: Option<Mutex<Option<MetadataValue<Ascii>>>>,
}

impl Credentials {
    fn new(security: Security) -> Result<Credentials> {
        let (text, is_password) = match (security.username, security.token) {
            (Some(name), _) => {
                let pair = STANDARD.encode(format!("{name}:{}", security.password));
                (format!("Basic {pair}"), true)
            }
            (None, Some(token)) => (format!("Bearer {token}"), false),
            (None, None) => return Ok(Credentials { given: None, exchanged: None }),
        };
        let header = MetadataValue::try_from(text).map_err(|_| {
            Error::new(Code::InvalidArgument, "the token has characters that no header can have")
        })?;
        Ok(Credentials { given: Some(header), exchanged: is_password.then(Mutex::default) })
    }

    fn header(&self) -> Option<MetadataValue<Ascii>> {
        let exchanged = self.exchanged.as_ref().and_then(|exchanged| lock(exchanged).clone());
        exchanged.or_else(|| self.given.clone())
    }

    fn learn(&self, answered: &MetadataMap) {
        if let (Some(exchanged), Some(header)) = (&self.exchanged, answered.get("authorization")) {
            *lock(exchanged) = Some(header.clone());
        }
    }

    /// After UNAUTHENTICATED to that header: whether there is something else to try.
    fn renew(&self, refused: Option<&MetadataValue<Ascii>>) -> bool {
        let Some(exchanged) = self.exchanged.as_ref().filter(|_| refused != self.given.as_ref())
        else {
            return false;
        };
        let mut exchanged = lock(exchanged);
        if exchanged.as_ref() == refused {
            *exchanged = None;
        }
        true
    }
}

/// Delays between attempts: twice as long each time, and each anywhere between half and all of that, so
/// that many clients of a server that comes back do not all knock at once.
pub(crate) struct Backoff(Duration);

impl Backoff {
    pub(crate) fn new() -> Backoff {
        Backoff(FIRST_DELAY)
    }

    pub(crate) fn next_delay(&mut self) -> Duration {
        let full = self.0;
        self.0 = LONGEST_DELAY.min(full * 2);
        let part = getrandom::u32().map_or(0.5, |random| f64::from(random) / f64::from(u32::MAX));
        full.mul_f64(0.5 + part / 2.0)
    }
}

/// A name that nobody else has.
pub(crate) fn random_name() -> Result<String> {
    let [first, second] = [getrandom::u64(), getrandom::u64()];
    match (first, second) {
        (Ok(first), Ok(second)) => Ok(format!("rust-{first:016x}{second:016x}")),
        (Err(error), _) | (_, Err(error)) => {
            Err(Error::new(Code::Internal, format!("no random numbers: {error}")))
        }
    }
}

/// A table's name as a path: sales.orders as sales, orders.
pub(crate) fn table_path(table: &str) -> Result<Vec<String>> {
    let path: Vec<String> = table.split('.').map(str::to_owned).collect();
    if path.iter().any(String::is_empty) {
        let message = format!("{table:?} is no table's name such as sales.orders");
        return Err(Error::new(Code::InvalidArgument, message));
    }
    Ok(path)
}

/// `Arc` of an endpoint, as streams and clients share it.
pub(crate) type SharedEndpoint = Arc<Endpoint>;
