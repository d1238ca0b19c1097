//! Writes Arrow record batches to an [Arka](https://github.com/arka/arka-core) server, each exactly once, and
//! tells how durable each write is.
//!
//! A [`Client`] is the way to one server. [`Client::open`] opens a [`WriteStream`], which writes batches to
//! one table: it numbers them, keeps them until the server has them on its disk, and sends them again after
//! a lost connection or a crash of the server, without writing any of them twice. [`Client::appender`] does
//! the same for rows.
//!
//! Everything runs on the tokio runtime in which the client was made. Every error is an [`Error`], with the
//! code that the wire contract has for it.

#![deny(missing_docs)]
#![forbid(unsafe_code)]
#![cfg_attr(
    not(test),
    deny(
        clippy::expect_used,
        clippy::indexing_slicing,
        clippy::panic,
        clippy::unreachable,
        clippy::unwrap_used
    )
)]

mod acks;
mod appender;
mod client;
mod column;
mod connection;
mod endpoint;
mod error;
mod ledger;
mod level;
mod message;
mod row;
mod stream;
mod write;

pub use acks::{AckTracker, Acks, LocalCache};
pub use appender::{Appender, OpenAppender};
pub use client::{Client, ClientBuilder, Durability, LsnStatus, Rows, Status};
pub use error::{Code, Error, Result};
pub use level::{Ack, Lag, Level, Lsn, Watermarks};
pub use stream::{OpenStream, WriteStream};
pub use write::Write;

use std::sync::{Mutex, MutexGuard, PoisonError};

/// What a lock guards here is never left half-changed, so a panic elsewhere spoils nothing.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
