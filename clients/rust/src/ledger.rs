//! What a stream has taken on, and what of it the server has acknowledged. No I/O, no waiting, no lock.
//!
//! Writes are numbered 1, 2, 3 … in the order in which they were handed over; a number and the stream's
//! offset make the producer's seq. A server acknowledges the writes of a connection in the order in which
//! they were sent, at every level: so how far a level has come is one number. What comes otherwise is a
//! violation of the wire contract.

use std::cmp::Ordering;
use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering::Relaxed};
use std::time::{Duration, Instant, SystemTime};

use crate::error::{Code, Error, Result};
use crate::level::{Ack, Lag, Level, Lsn, PerLevel, Watermarks};
use crate::message::Message;

const NONE: i64 = -1;

/// The LSN of a write, shared with its handle.
#[derive(Clone)]
pub(crate) struct LsnCell(Arc<AtomicI64>);

impl LsnCell {
    fn new() -> LsnCell {
        LsnCell(Arc::new(AtomicI64::new(NONE)))
    }

    pub(crate) fn get(&self) -> Option<Lsn> {
        let lsn = self.0.load(Relaxed);
        (lsn != NONE).then_some(Lsn(lsn))
    }
}

struct Entry {
    lsn: LsnCell,
    written_at: Instant,
    /// Kept until the write is on the server's disk.
    message: Option<Arc<Message>>,
}

/// One row of an ack batch that is no watermark.
pub(crate) struct AckRow {
    pub(crate) lsn: Lsn,
    pub(crate) level: Level,
    pub(crate) time: Option<SystemTime>,
    pub(crate) snapshot_id: Option<i64>,
}

/// Where the server is with a producer.
#[derive(Default)]
pub(crate) struct Place {
    pub(crate) last_seq: i64,
    pub(crate) lsn: Option<Lsn>,
    pub(crate) forgotten_through: Option<Lsn>,
}

pub(crate) struct Ledger {
    last: u64,
    reached: PerLevel<u64>,
    /// Of the writes above reached[Committed]. Those up to reached[Memory] have LSNs in order.
    entries: VecDeque<Entry>,
    /// LSNs that were no more than in memory when a connection was lost, and their writes: a crash may have
    /// taken them, so they say nothing beside LSNs that were given since. Until those writes are committed.
    taken: BTreeMap<Lsn, u64>,
    held: usize,
    budget: usize,
    offset: i64,
    sent_ever: u64,
    /// Of the last write on disk, earlier programs' included.
    disk_lsn: Option<Lsn>,
    /// Of the last write that was committed.
    committed_lsn: Option<Lsn>,

    // Of this connection:
    sent_before: u64,
    first: u64,
    sent: u64,
    due: PerLevel<u64>,
    memory_lsn: Option<Lsn>,
}

impl Ledger {
    /// Of a producer whose last seq (of an earlier program) is `offset`, under the LSN.
    pub(crate) fn new(budget: usize, offset: i64, lsn: Option<Lsn>) -> Ledger {
        Ledger {
            last: 0,
            reached: PerLevel::all(0),
            entries: VecDeque::new(),
            taken: BTreeMap::new(),
            held: 0,
            budget,
            offset,
            sent_ever: 0,
            disk_lsn: lsn,
            committed_lsn: None,
            sent_before: 0,
            first: 1,
            sent: 0,
            due: PerLevel::all(1),
            memory_lsn: None,
        }
    }

    /// The number of the last write; 0 before the first.
    pub(crate) fn last(&self) -> u64 {
        self.last
    }

    pub(crate) fn reached(&self, level: Level) -> u64 {
        self.reached[level]
    }

    /// Bytes of the writes that are not on disk.
    pub(crate) fn held(&self) -> usize {
        self.held
    }

    pub(crate) fn last_seq(&self) -> i64 {
        self.seq(self.last)
    }

    fn seq(&self, number: u64) -> i64 {
        self.offset.saturating_add_unsigned(number)
    }

    pub(crate) fn has_unsafe(&self) -> bool {
        self.reached[Level::LocalDisk] < self.last
    }

    pub(crate) fn lag(&self, level: Level) -> Lag {
        let first = self.reached[level] + 1;
        Lag {
            writes: self.last - self.reached[level],
            oldest: self.entry(first).map_or(Duration::ZERO, |entry| entry.written_at.elapsed()),
        }
    }

    /// When the first of the writes that are kept was handed over.
    pub(crate) fn oldest_kept(&self) -> Option<Instant> {
        self.entry(self.reached[Level::LocalDisk] + 1).map(|entry| entry.written_at)
    }

    pub(crate) fn level_of(&self, number: u64) -> Option<Level> {
        Level::ALL.into_iter().rev().find(|&level| number <= self.reached[level])
    }

    /// What is kept, in order.
    pub(crate) fn pending(&self) -> Vec<Arc<Message>> {
        self.entries.iter().filter_map(|entry| entry.message.clone()).collect()
    }

    /// The write that was ever known by this LSN; 0: it is committed. Err: it is none of this stream.
    pub(crate) fn number_of(&self, lsn: Lsn) -> Result<u64> {
        if let Some(&number) = self.taken.get(&lsn) {
            return Ok(number);
        }
        let (mut low, mut high) = (self.reached[Level::Committed] + 1, self.reached[Level::Memory]);
        while low <= high {
            let middle = low + (high - low) / 2;
            match self.lsn(middle).cmp(&Some(lsn)) {
                Ordering::Equal => return Ok(middle),
                Ordering::Less => low = middle + 1,
                Ordering::Greater => high = middle - 1,
            }
        }
        if self.committed_lsn.is_some_and(|committed| lsn <= committed) {
            return Ok(0);
        }
        Err(Error::new(Code::NotFound, format!("LSN {lsn} is none of this stream")))
    }

    fn entry(&self, number: u64) -> Option<&Entry> {
        let place = number.checked_sub(self.reached[Level::Committed] + 1)?;
        self.entries.get(usize::try_from(place).ok()?)
    }

    fn entry_mut(&mut self, number: u64) -> Option<&mut Entry> {
        let place = number.checked_sub(self.reached[Level::Committed] + 1)?;
        self.entries.get_mut(usize::try_from(place).ok()?)
    }

    fn lsn(&self, number: u64) -> Option<Lsn> {
        self.entry(number)?.lsn.get()
    }

    /// Takes on one more write; its number.
    pub(crate) fn push(&mut self, message: Message) -> (u64, LsnCell) {
        self.last += 1;
        self.held += message.size;
        let lsn = LsnCell::new();
        self.entries.push_back(Entry {
            lsn: lsn.clone(),
            written_at: Instant::now(),
            message: Some(Arc::new(message)),
        });
        (self.last, lsn)
    }

    /// A connection is made: everything that is not on disk is due again. What was in memory only may be
    /// gone, and come back under another LSN.
    pub(crate) fn begin(&mut self) {
        let disk = self.reached[Level::LocalDisk];
        for number in disk + 1..=self.last {
            let Some(lsn) = self.lsn(number) else { break };
            self.taken.insert(lsn, number);
        }
        self.reached[Level::Memory] = disk;
        self.sent_before = self.sent_ever;
        self.first = disk + 1;
        self.sent = disk;
        self.due = PerLevel::all(disk + 1);
        self.memory_lsn = self.disk_lsn;
    }

    /// Holds what the server says of the producer against what it has acknowledged, before anything is
    /// sent again.
    pub(crate) fn find_place(&mut self, place: &Place, producer: &str, table: &str) -> Result<()> {
        let disk = self.reached[Level::LocalDisk];
        let (on_disk, sent) = (self.seq(disk), self.seq(self.sent_ever));
        let last = place.last_seq;
        let forgotten =
            matches!((place.forgotten_through, self.disk_lsn), (Some(f), Some(d)) if f >= d);
        if last == 0 && on_disk > 0 && forgotten {
            // All through the disk is committed, and the rest begins at 1.
            self.offset = 0i64.saturating_sub_unsigned(disk);
            Ok(())
        } else if last < on_disk {
            let message = format!(
                "the server knows of {producer:?} in {table} only up to seq {last}, but had acknowledged \
                 {on_disk} on its disk: the table was made anew, or this is another server"
            );
            Err(Error::new(Code::DataLoss, message))
        } else if last > sent {
            let message = format!(
                "another program writes to {table} as {producer:?}: the server has seq {last}, this \
                 stream has sent {sent}"
            );
            Err(Error::new(Code::FailedPrecondition, message))
        } else {
            Ok(())
        }
    }

    /// Whether the server may know of the producer: by what was sent, or by an earlier program's writes.
    pub(crate) fn may_be_known(&self) -> bool {
        self.seq(self.sent_ever) > 0
    }

    /// The next write to send on this connection, and its seq.
    pub(crate) fn next_to_send(&mut self) -> Option<(i64, Arc<Message>)> {
        let message = Arc::clone(self.entry(self.sent + 1)?.message.as_ref()?);
        self.sent += 1;
        self.sent_ever = self.sent_ever.max(self.sent);
        Some((self.seq(self.sent), message))
    }

    /// Takes one ack in. What there is room for in the budget then is added to `freed`.
    pub(crate) fn take(
        &mut self,
        row: &AckRow,
        freed: &mut usize,
        tell: &mut Vec<Ack>,
    ) -> Result<()> {
        let AckRow { lsn, level, .. } = *row;
        let number = self.due[level];
        let mut replaces = None;
        match level.below() {
            None => {
                if number > self.sent {
                    return Err(Error::violation(format!(
                        "LSN {lsn} for a write that was not sent"
                    )));
                }
                // Of writes that were sent before, the server may know no more than the last LSN.
                let same = number <= self.sent_before;
                let too_low = |before| lsn < before || (lsn == before && !same);
                if let Some(before) = self.memory_lsn.filter(|&before| too_low(before)) {
                    return Err(Error::violation(format!("LSN {lsn} after LSN {before}")));
                }
                self.memory_lsn = Some(lsn);
                replaces = self.rename(number, lsn);
            }
            Some(below) if number >= self.due[below] => {
                let message = format!("LSN {lsn} has reached {level}, but not {below}");
                return Err(Error::violation(message));
            }
            Some(_) if self.lsn(number) != Some(lsn) => {
                let message = match self.lsn(number) {
                    Some(due) => format!("LSN {lsn} has reached {level}, where LSN {due} was due"),
                    None => format!("LSN {lsn} has reached {level} again"),
                };
                return Err(Error::violation(message));
            }
            Some(_) => {}
        }
        self.due[level] = number + 1;
        // MEMORY was told on an earlier connection, unless it is under another LSN now.
        let news = level != Level::Memory || replaces != Some(lsn);
        self.advance(level, number, freed, &mut |ledger, passed, level| {
            if let Some(lsn) = ledger.lsn(passed).filter(|_| news) {
                let own = passed == number;
                tell.push(Ack {
                    lsn,
                    replaces: replaces.filter(|_| own),
                    level,
                    seq: ledger.seq(passed),
                    time: row.time.filter(|_| own),
                    snapshot_id: row.snapshot_id.filter(|_| own),
                });
            }
        });
        Ok(())
    }

    /// The write has that LSN (now). Answers the one that it had before.
    fn rename(&mut self, number: u64, lsn: Lsn) -> Option<Lsn> {
        let entry = self.entry_mut(number)?;
        let before = entry.lsn.get();
        entry.lsn.0.store(lsn.0, Relaxed);
        before
    }

    /// Of writes of earlier connections that are on disk there come no acks: the watermarks speak for them.
    pub(crate) fn take_watermarks(&mut self, marks: &Watermarks, tell: &mut Vec<Ack>) {
        for level in [Level::ObjectStorage, Level::Committed] {
            let mut through = self.reached[level];
            while through + 1 < self.first
                && self.lsn(through + 1).is_some_and(|l| l <= marks.at(level))
            {
                through += 1;
            }
            self.advance(level, through, &mut 0, &mut |ledger, passed, level| {
                if let Some(lsn) = ledger.lsn(passed) {
                    let seq = ledger.seq(passed);
                    let (replaces, time, snapshot_id) = (None, None, None);
                    tell.push(Ack { lsn, replaces, level, seq, time, snapshot_id });
                }
            });
        }
    }

    /// Every write through `number` has reached the level, and all levels below.
    fn advance(
        &mut self,
        level: Level,
        number: u64,
        freed: &mut usize,
        tell: &mut dyn FnMut(&Ledger, u64, Level),
    ) {
        if number <= self.reached[level] {
            return;
        }
        if let Some(below) = level.below() {
            self.advance(below, number, freed, tell);
        }
        let before = self.reached[level];
        for passed in before + 1..=number {
            tell(self, passed, level);
        }
        match level {
            Level::Memory | Level::ObjectStorage => self.reached[level] = number,
            Level::LocalDisk => {
                self.disk_lsn = self.lsn(number);
                self.reached[level] = number;
                for passed in before + 1..=number {
                    if let Some(message) =
                        self.entry_mut(passed).and_then(|entry| entry.message.take())
                    {
                        self.held = self.held.saturating_sub(message.size);
                        *freed += message.size.min(self.budget);
                    }
                }
            }
            Level::Committed => {
                self.committed_lsn = self.lsn(number);
                for _ in before..number {
                    self.entries.pop_front();
                }
                while self.taken.first_key_value().is_some_and(|(_, &taken)| taken <= number) {
                    self.taken.pop_first();
                }
                self.reached[level] = number;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use arrow_array::{ArrayRef, Int64Array, RecordBatch};

    use super::*;
    use crate::message::Encoder;

    const BUDGET: usize = 1 << 20;

    fn message() -> Message {
        let column: ArrayRef = Arc::new(Int64Array::from(vec![1]));
        let batch = RecordBatch::try_from_iter([("number", column)]).unwrap();
        Encoder::new(batch.schema()).unwrap().encode(&batch).unwrap()
    }

    /// A ledger with so many writes, all of them sent.
    fn sent(writes: u64) -> Ledger {
        let mut ledger = Ledger::new(BUDGET, 0, None);
        for _ in 0..writes {
            ledger.push(message());
        }
        send(&mut ledger);
        ledger
    }

    fn send(ledger: &mut Ledger) -> Vec<i64> {
        ledger.begin();
        std::iter::from_fn(|| ledger.next_to_send()).map(|(seq, _)| seq).collect()
    }

    fn ack(ledger: &mut Ledger, lsn: i64, level: Level) -> Result<Vec<Ack>> {
        let row = AckRow { lsn: Lsn(lsn), level, time: None, snapshot_id: None };
        let mut told = Vec::new();
        ledger.take(&row, &mut 0, &mut told).map(|()| told)
    }

    fn reach(ledger: &mut Ledger, lsn: i64, through: Level) {
        for level in Level::ALL.into_iter().filter(|&level| level <= through) {
            ack(ledger, lsn, level).unwrap();
        }
    }

    fn place(last_seq: i64) -> Place {
        Place { last_seq, ..Place::default() }
    }

    fn code(result: Result<impl Sized>) -> Code {
        result.err().expect("it was taken").code()
    }

    #[test]
    fn an_ack_of_what_was_not_sent_is_a_violation() {
        let mut ledger = sent(1);
        ack(&mut ledger, 1000, Level::Memory).unwrap();
        assert_eq!(code(ack(&mut ledger, 1001, Level::Memory)), Code::Internal);
    }

    #[test]
    fn a_level_that_is_skipped_is_a_violation() {
        let mut ledger = sent(1);
        assert_eq!(code(ack(&mut ledger, 1000, Level::LocalDisk)), Code::Internal);
        ack(&mut ledger, 1000, Level::Memory).unwrap();
        assert_eq!(code(ack(&mut ledger, 1000, Level::ObjectStorage)), Code::Internal);
    }

    #[test]
    fn a_level_of_another_write_or_twice_is_a_violation() {
        let mut ledger = sent(1);
        ack(&mut ledger, 1000, Level::Memory).unwrap();
        assert_eq!(code(ack(&mut ledger, 999, Level::LocalDisk)), Code::Internal);
        ack(&mut ledger, 1000, Level::LocalDisk).unwrap();
        assert_eq!(code(ack(&mut ledger, 1000, Level::LocalDisk)), Code::Internal);
    }

    #[test]
    fn an_lsn_that_goes_back_is_a_violation() {
        let mut ledger = sent(2);
        ack(&mut ledger, 1000, Level::Memory).unwrap();
        assert_eq!(code(ack(&mut ledger, 999, Level::Memory)), Code::Internal);
    }

    #[test]
    fn an_lsn_that_comes_twice_is_a_violation_but_of_what_was_sent_before() {
        let mut ledger = sent(2);
        ack(&mut ledger, 1000, Level::Memory).unwrap();
        assert_eq!(code(ack(&mut ledger, 1000, Level::Memory)), Code::Internal);
        ledger.push(message());
        send(&mut ledger);
        (0..2).for_each(|_| drop(ack(&mut ledger, 1000, Level::Memory).unwrap()));
        assert_eq!(code(ack(&mut ledger, 1000, Level::Memory)), Code::Internal);
    }

    #[test]
    fn a_batch_is_kept_until_it_is_on_disk() {
        let mut ledger = sent(2);
        let both = ledger.held();
        ack(&mut ledger, 1000, Level::Memory).unwrap();
        assert_eq!((ledger.held(), ledger.pending().len()), (both, 2));
        ack(&mut ledger, 1000, Level::LocalDisk).unwrap();
        assert_eq!((ledger.held(), ledger.pending().len()), (both / 2, 1));
    }

    #[test]
    fn what_is_not_on_disk_is_sent_again_under_the_same_seq() {
        let mut ledger = sent(4);
        reach(&mut ledger, 1000, Level::LocalDisk);
        ack(&mut ledger, 1001, Level::Memory).unwrap();
        ledger.find_place(&place(2), "p", "t").unwrap();
        assert_eq!(send(&mut ledger), [2, 3, 4]);
    }

    #[test]
    fn a_write_that_a_crash_took_is_told_again_under_its_new_lsn_and_found_by_either() {
        let mut ledger = sent(3);
        reach(&mut ledger, 1000, Level::LocalDisk);
        ack(&mut ledger, 1001, Level::Memory).unwrap();
        ack(&mut ledger, 1002, Level::Memory).unwrap();
        send(&mut ledger);
        assert_eq!(ledger.number_of(Lsn(1002)).unwrap(), 3);
        let told = ack(&mut ledger, 1005, Level::Memory).unwrap();
        assert_eq!((told[0].lsn, told[0].replaces), (Lsn(1005), Some(Lsn(1001))));
        assert_eq!(ledger.number_of(Lsn(1001)).unwrap(), 2);
        assert_eq!(ledger.number_of(Lsn(1005)).unwrap(), 2);
        assert_eq!(ledger.number_of(Lsn(1002)).unwrap(), 3);
    }

    #[test]
    fn an_lsn_that_a_crash_took_says_nothing_beside_those_that_were_given_since() {
        let mut ledger = sent(4);
        (1001..=1004).for_each(|lsn| drop(ack(&mut ledger, lsn, Level::Memory).unwrap()));
        send(&mut ledger);
        (1011..=1013).for_each(|lsn| drop(ack(&mut ledger, lsn, Level::Memory).unwrap()));
        send(&mut ledger);
        reach(&mut ledger, 1021, Level::Committed);
        for (lsn, number) in [(1002, 2), (1003, 3), (1004, 4), (1012, 2), (1013, 3)] {
            assert_eq!(ledger.number_of(Lsn(lsn)).unwrap(), number, "{lsn}");
        }
    }

    #[test]
    fn a_write_is_found_by_the_lsn_that_a_crash_took_until_it_is_committed_and_then_as_such() {
        let mut ledger = sent(2);
        ack(&mut ledger, 1000, Level::Memory).unwrap();
        send(&mut ledger);
        reach(&mut ledger, 1005, Level::LocalDisk);
        assert_eq!(ledger.number_of(Lsn(1000)).unwrap(), 1);
        ack(&mut ledger, 1005, Level::ObjectStorage).unwrap();
        ack(&mut ledger, 1005, Level::Committed).unwrap();
        assert_eq!(ledger.number_of(Lsn(1000)).unwrap(), 0);
        assert!(ledger.taken.is_empty());
    }

    #[test]
    fn a_write_that_kept_its_lsn_is_not_told_twice() {
        let mut ledger = sent(1);
        assert_eq!(ack(&mut ledger, 1000, Level::Memory).unwrap().len(), 1);
        send(&mut ledger);
        assert!(ack(&mut ledger, 1000, Level::Memory).unwrap().is_empty());
        assert_eq!(ack(&mut ledger, 1000, Level::LocalDisk).unwrap().len(), 1);
    }

    #[test]
    fn watermarks_speak_for_the_writes_of_earlier_connections_only() {
        let mut ledger = sent(2);
        reach(&mut ledger, 1000, Level::LocalDisk);
        send(&mut ledger);
        reach(&mut ledger, 1001, Level::LocalDisk);
        let mut told = Vec::new();
        let marks = Watermarks { disk: Lsn(1001), storage: Lsn(1001), committed: Lsn(999) };
        ledger.take_watermarks(&marks, &mut told);
        assert_eq!(ledger.reached(Level::ObjectStorage), 1);
        assert_eq!(ledger.reached(Level::Committed), 0);
        assert_eq!((told.len(), told[0].level), (1, Level::ObjectStorage));
    }

    #[test]
    fn what_is_committed_is_forgotten_and_still_found() {
        let mut ledger = sent(2);
        reach(&mut ledger, 1000, Level::Committed);
        assert_eq!(ledger.entries.len(), 1);
        assert_eq!(ledger.number_of(Lsn(1000)).unwrap(), 0);
        assert_eq!(code(ledger.number_of(Lsn(2000))), Code::NotFound);
    }

    #[test]
    fn a_server_that_lost_what_was_on_disk_is_data_loss() {
        let mut ledger = sent(2);
        reach(&mut ledger, 1000, Level::LocalDisk);
        assert_eq!(code(ledger.find_place(&place(0), "p", "t")), Code::DataLoss);
    }

    #[test]
    fn a_seq_that_was_never_sent_is_somebody_elses() {
        let mut ledger = sent(2);
        ledger.push(message()); // not sent
        assert_eq!(code(ledger.find_place(&place(3), "p", "t")), Code::FailedPrecondition);
    }

    #[test]
    fn a_producer_that_was_forgotten_numbers_the_rest_from_1() {
        let mut ledger = sent(3);
        reach(&mut ledger, 1000, Level::LocalDisk);
        reach(&mut ledger, 1001, Level::LocalDisk);
        let forgotten = |through| Place { forgotten_through: Some(Lsn(through)), ..place(0) };
        assert_eq!(code(ledger.find_place(&forgotten(1000), "p", "t")), Code::DataLoss);
        ledger.find_place(&forgotten(1001), "p", "t").unwrap();
        assert_eq!(send(&mut ledger), [1]);
    }

    #[test]
    fn an_earlier_programs_writes_come_before() {
        let mut ledger = Ledger::new(BUDGET, 7, Some(Lsn(1006)));
        ledger.push(message());
        assert_eq!(send(&mut ledger), [8]);
        assert_eq!(ledger.last_seq(), 8);
        assert_eq!(code(ack(&mut ledger, 1005, Level::Memory)), Code::Internal);
    }
}
