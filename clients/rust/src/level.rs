//! The levels of durability, and what is said in their terms.

use std::fmt;
use std::ops::{Index, IndexMut};
use std::str::FromStr;
use std::time::{Duration, SystemTime};

use crate::error::{Code, Error};

/// How durable a write is. Levels are ordered: `Memory < LocalDisk < ObjectStorage < Committed`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Level {
    /// Accepted; a crash of the server may take it.
    Memory,
    /// Survives a crash of the server.
    LocalDisk,
    /// Survives the loss of the machine.
    ObjectStorage,
    /// In the Iceberg table.
    Committed,
}

impl Level {
    /// All of them, in their order.
    pub const ALL: [Level; 4] =
        [Level::Memory, Level::LocalDisk, Level::ObjectStorage, Level::Committed];

    /// The name on the wire, such as `LOCAL_DISK`.
    pub fn name(self) -> &'static str {
        match self {
            Level::Memory => "MEMORY",
            Level::LocalDisk => "LOCAL_DISK",
            Level::ObjectStorage => "OBJECT_STORAGE",
            Level::Committed => "COMMITTED",
        }
    }

    pub(crate) fn below(self) -> Option<Level> {
        match self {
            Level::Memory => None,
            Level::LocalDisk => Some(Level::Memory),
            Level::ObjectStorage => Some(Level::LocalDisk),
            Level::Committed => Some(Level::ObjectStorage),
        }
    }
}

impl fmt::Display for Level {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Level {
    type Err = Error;

    fn from_str(name: &str) -> Result<Level, Error> {
        let known = Level::ALL.into_iter().find(|level| level.name() == name);
        known.ok_or_else(|| {
            Error::new(Code::InvalidArgument, format!("{name:?} is no durability level"))
        })
    }
}

/// One value for each level.
#[derive(Debug, Clone, Default)]
pub(crate) struct PerLevel<T>([T; 4]);

impl<T: Copy> PerLevel<T> {
    pub(crate) fn all(value: T) -> PerLevel<T> {
        PerLevel([value; 4])
    }
}

impl<T> PerLevel<T> {
    pub(crate) fn iter(&self) -> impl Iterator<Item = &T> {
        self.0.iter()
    }

    pub(crate) fn iter_mut(&mut self) -> impl Iterator<Item = &mut T> {
        self.0.iter_mut()
    }
}

impl<T> Index<Level> for PerLevel<T> {
    type Output = T;

    fn index(&self, level: Level) -> &T {
        let [memory, disk, storage, committed] = &self.0;
        match level {
            Level::Memory => memory,
            Level::LocalDisk => disk,
            Level::ObjectStorage => storage,
            Level::Committed => committed,
        }
    }
}

impl<T> IndexMut<Level> for PerLevel<T> {
    fn index_mut(&mut self, level: Level) -> &mut T {
        let [memory, disk, storage, committed] = &mut self.0;
        match level {
            Level::Memory => memory,
            Level::LocalDisk => disk,
            Level::ObjectStorage => storage,
            Level::Committed => committed,
        }
    }
}

/// The server's name of a write: unique for ever, and increasing. Final from `LocalDisk` on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Lsn(pub i64);

impl fmt::Display for Lsn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// Says that a write has reached a level. A stream tells every level of every write once.
///
/// A crash of the server may take a write that was in its memory only. It is sent again, and where it gets
/// another LSN, a second ack of `Memory` tells the new one, and the old one in `replaces`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Ack {
    /// The write.
    pub lsn: Lsn,
    /// The LSN that the write had before.
    pub replaces: Option<Lsn>,
    /// What it has reached.
    pub level: Level,
    /// The producer's number of the write.
    pub seq: i64,
    /// When the server reached that level; not known of a level that was reached while there was no
    /// connection.
    pub time: Option<SystemTime>,
    /// The Iceberg snapshot that holds a committed write, where it is known.
    pub snapshot_id: Option<i64>,
}

/// Every LSN of the server at or below one of these has reached that level, whoever wrote it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Watermarks {
    /// `LocalDisk`.
    pub disk: Lsn,
    /// `ObjectStorage`.
    pub storage: Lsn,
    /// `Committed`.
    pub committed: Lsn,
}

impl Watermarks {
    /// That of a level. There is none of `Memory`: what is said of the disk is said.
    pub fn at(&self, level: Level) -> Lsn {
        match level {
            Level::Memory | Level::LocalDisk => self.disk,
            Level::ObjectStorage => self.storage,
            Level::Committed => self.committed,
        }
    }
}

/// What of a stream's writes has not reached a level: a gauge, to warn of when it grows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct Lag {
    /// How many writes.
    pub writes: u64,
    /// How long ago the oldest of them was handed to the stream; zero where there is none.
    pub oldest: Duration,
}
