//! What can go wrong, in one shape: whether the server said so, the way to it, or this library.

use std::error::Error as StdError;
use std::fmt;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use tonic::{Code as GrpcCode, Status};

/// A kind of error, as the wire contract names it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Code {
    /// What was asked for cannot be: a schema that is not the table's, a row that does not fit.
    InvalidArgument,
    /// No, wrong or expired credentials.
    Unauthenticated,
    /// The caller has no such right.
    PermissionDenied,
    /// There is no such table, session or LSN.
    NotFound,
    /// A table that is to be made is there.
    AlreadyExists,
    /// The stream is closed, or another program uses the producer's name.
    FailedPrecondition,
    /// The server does not answer that.
    Unimplemented,
    /// A bound of the server, or this stream's budget (retryable), is used up.
    ResourceExhausted,
    /// The server cannot be reached, or not now.
    Unavailable,
    /// The time for it is over.
    DeadlineExceeded,
    /// The call was cancelled.
    Cancelled,
    /// The server no longer has what it had acknowledged on its disk.
    DataLoss,
    /// A defect: of the server, or a server that breaks the wire contract.
    Internal,
    /// What has no better name.
    Unknown,
}

impl Code {
    /// The name on the wire, such as `INVALID_ARGUMENT`.
    pub fn name(self) -> &'static str {
        match self {
            Code::InvalidArgument => "INVALID_ARGUMENT",
            Code::Unauthenticated => "UNAUTHENTICATED",
            Code::PermissionDenied => "PERMISSION_DENIED",
            Code::NotFound => "NOT_FOUND",
            Code::AlreadyExists => "ALREADY_EXISTS",
            Code::FailedPrecondition => "FAILED_PRECONDITION",
            Code::Unimplemented => "UNIMPLEMENTED",
            Code::ResourceExhausted => "RESOURCE_EXHAUSTED",
            Code::Unavailable => "UNAVAILABLE",
            Code::DeadlineExceeded => "DEADLINE_EXCEEDED",
            Code::Cancelled => "CANCELLED",
            Code::DataLoss => "DATA_LOSS",
            Code::Internal => "INTERNAL",
            Code::Unknown => "UNKNOWN",
        }
    }

    fn of(code: GrpcCode) -> Code {
        match code {
            GrpcCode::InvalidArgument | GrpcCode::OutOfRange => Code::InvalidArgument,
            GrpcCode::Unauthenticated => Code::Unauthenticated,
            GrpcCode::PermissionDenied => Code::PermissionDenied,
            GrpcCode::NotFound => Code::NotFound,
            GrpcCode::AlreadyExists => Code::AlreadyExists,
            GrpcCode::FailedPrecondition => Code::FailedPrecondition,
            GrpcCode::Unimplemented => Code::Unimplemented,
            GrpcCode::ResourceExhausted => Code::ResourceExhausted,
            GrpcCode::Unavailable | GrpcCode::Aborted => Code::Unavailable,
            GrpcCode::DeadlineExceeded => Code::DeadlineExceeded,
            GrpcCode::Cancelled => Code::Cancelled,
            GrpcCode::DataLoss => Code::DataLoss,
            GrpcCode::Internal => Code::Internal,
            GrpcCode::Ok | GrpcCode::Unknown => Code::Unknown,
        }
    }
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// What every call of this library fails with.
#[derive(Debug, Clone)]
pub struct Error {
    code: Code,
    message: String,
    retryable: bool,
    source: Option<Arc<dyn StdError + Send + Sync>>,
}

/// `Result` with this library's error.
pub type Result<T> = std::result::Result<T, Error>;

impl Error {
    /// The kind of error.
    pub fn code(&self) -> Code {
        self.code
    }

    /// What happened, in words.
    pub fn message(&self) -> &str {
        &self.message
    }

    /// Whether the same call may succeed later. A stream retries by itself, so an error that it fails
    /// with is final for it: this says then whether a new stream may fare better.
    pub fn retryable(&self) -> bool {
        self.retryable
    }

    pub(crate) fn new(code: Code, message: impl Into<String>) -> Error {
        let retryable = matches!(code, Code::Unavailable | Code::DeadlineExceeded);
        Error { code, message: message.into(), retryable, source: None }
    }

    pub(crate) fn closed() -> Error {
        Error::new(Code::FailedPrecondition, "the stream is closed")
    }

    pub(crate) fn no_room(size: usize, budget: usize) -> Error {
        let message = format!(
            "no room for {size} bytes: the budget of {budget} is used up by writes that are not on the \
             server's disk"
        );
        Error { retryable: true, ..Error::new(Code::ResourceExhausted, message) }
    }

    pub(crate) fn late(after: Duration, what: impl fmt::Display) -> Error {
        Error::new(Code::DeadlineExceeded, format!("{what} within {after:?}"))
    }

    /// The server broke the wire contract: nothing that it says can be relied on.
    pub(crate) fn violation(message: impl fmt::Display) -> Error {
        Error::new(Code::Internal, format!("the server broke the contract: {message}"))
    }

    pub(crate) fn with_message(self, message: String) -> Error {
        Error { message, ..self }
    }

    pub(crate) fn with_retryable(self) -> Error {
        Error { retryable: true, ..self }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.code, self.message)
    }
}

impl StdError for Error {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.source.as_deref().map(|source| source as &(dyn StdError + 'static))
    }
}

impl From<Status> for Error {
    /// The server says itself whether to retry. Where it did not speak, and gRPC has no better name for
    /// the failure, it was the way to the server that broke.
    fn from(status: Status) -> Error {
        let said = status.metadata().get("arka-retryable").map(|value| value.as_bytes() == b"true");
        let code = match (Code::of(status.code()), said) {
            (Code::Internal | Code::Unknown | Code::Cancelled, None) => Code::Unavailable,
            (code, _) => code,
        };
        let mut error = Error::new(code, with_causes(status.message(), &status));
        error.retryable = said.unwrap_or(error.retryable && !is_of_certificates(&status));
        error.source = Some(Arc::new(status));
        error
    }
}

impl From<tonic::transport::Error> for Error {
    fn from(failure: tonic::transport::Error) -> Error {
        let mut error = Error::new(Code::Unavailable, with_causes(&failure.to_string(), &failure));
        error.retryable = !is_of_certificates(&failure);
        error.source = Some(Arc::new(failure));
        error
    }
}

/// "transport error" says little: what is underneath says more.
fn with_causes(message: &str, error: &(dyn StdError + 'static)) -> String {
    let mut text = message.to_owned();
    for cause in causes(error) {
        let said = cause.to_string();
        if !text.contains(&said) {
            text = format!("{text}: {said}");
        }
    }
    text
}

/// Certificates do not heal. rustls tells of them as of data that is not valid.
fn is_of_certificates(error: &(dyn StdError + 'static)) -> bool {
    causes(error).any(|cause| {
        cause.downcast_ref::<io::Error>().is_some_and(|e| e.kind() == io::ErrorKind::InvalidData)
    })
}

fn causes<'a>(
    error: &'a (dyn StdError + 'static),
) -> impl Iterator<Item = &'a (dyn StdError + 'static)> {
    std::iter::successors(error.source(), |&cause| cause.source())
}
