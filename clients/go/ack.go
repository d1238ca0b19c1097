package arka

import (
	"context"
	"fmt"
	"iter"
	"maps"
	"slices"
	"sort"
	"sync"
	"time"
)

// Tier is how durable a write is. Tiers are ordered: Memory < LocalDisk < ObjectStorage < Committed.
type Tier int8

// The levels of durability, in their order.
const (
	Memory        Tier = iota // accepted; a crash of the server may take it
	LocalDisk                 // survives a crash of the server
	ObjectStorage             // survives the loss of the machine
	Committed                 // in the Iceberg table
	tiers

	none Tier = -1 // not acknowledged yet
)

var tierNames = [tiers]string{"MEMORY", "LOCAL_DISK", "OBJECT_STORAGE", "COMMITTED"}

// String is the tier's name on the wire.
func (t Tier) String() string {
	if t < 0 || t >= tiers {
		return fmt.Sprintf("Tier(%d)", int8(t))
	}
	return tierNames[t]
}

// ParseTier is the tier of that name on the wire.
func ParseTier(name string) (Tier, error) {
	for tier, known := range tierNames {
		if name == known {
			return Tier(tier), nil
		}
	}
	return none, failure(InvalidArgument, "%q is no durability level", name)
}

// Ack says that a write has reached a level. A stream tells every level of every write once.
//
// After a crash of the server a write that was in its memory is sent again, and gets another LSN: then
// a second Memory ack tells the new one, with the old one in Replaces.
type Ack struct {
	LSN      int64
	Replaces int64 // 0, or the LSN that this write had before
	Level    Tier
	// Time is when the server reached the level, and SnapshotID the Iceberg snapshot that holds a
	// committed write. Both are zero where the client learned of the level only after a reconnect.
	Time       time.Time
	SnapshotID int64
}

// Watermarks says that every LSN at or below each of these has reached that level on the server,
// whoever wrote it.
type Watermarks struct{ Disk, S3, Committed int64 }

// At is the watermark of a tier; that of Memory is not sent, and is 0.
func (w Watermarks) At(tier Tier) int64 {
	return [tiers]int64{0, w.Disk, w.S3, w.Committed}[tier]
}

// feedLimit bounds what is kept for a reader of acks who does not come.
const feedLimit = 1 << 18

// feed hands acks from the stream to one reader without ever holding the stream up. Of a reader who
// stays away the oldest acks are dropped.
type feed struct {
	mu      sync.Mutex
	waiting []Ack
	changed chan struct{} // has a message when there is something new
	ended   bool
}

func newFeed() *feed { return &feed{changed: make(chan struct{}, 1)} }

func (f *feed) put(acks []Ack) {
	f.mu.Lock()
	f.waiting = append(f.waiting, acks...)
	if len(f.waiting) > feedLimit {
		f.waiting = slices.Clone(f.waiting[len(f.waiting)-feedLimit/2:])
	}
	f.mu.Unlock()
	f.signal()
}

func (f *feed) end() {
	f.mu.Lock()
	f.ended = true
	f.mu.Unlock()
	f.signal()
}

func (f *feed) signal() {
	select {
	case f.changed <- struct{}{}:
	default:
	}
}

func (f *feed) take() (acks []Ack, ended bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	acks, f.waiting = f.waiting, nil
	return acks, f.ended
}

// all gives the acks until the feed has ended or the context has.
func (f *feed) all(ctx context.Context) iter.Seq[Ack] {
	return func(yield func(Ack) bool) {
		for {
			acks, ended := f.take()
			for _, ack := range acks {
				if !yield(ack) {
					return
				}
			}
			if ended {
				return
			}
			select {
			case <-f.changed:
			case <-ctx.Done():
				return
			}
		}
	}
}

// AckTracker answers "have all of these LSNs reached that level?" from acks, wherever they come from:
// give its Observe to StreamOptions.OnAck of as many streams as you like. What is committed it keeps as
// runs of LSNs, so its memory is bounded by what is not committed yet.
type AckTracker struct {
	mu        sync.Mutex
	levels    map[int64]Tier  // of what is not committed
	committed []run           // in order, not touching
	replaced  map[int64]int64 // an LSN that a crash took, and the one that its write has now
	changed   chan struct{}   // closed at the next change
}

type run struct{ first, last int64 }

// NewAckTracker makes an empty one.
func NewAckTracker() *AckTracker {
	return &AckTracker{
		levels: map[int64]Tier{}, replaced: map[int64]int64{}, changed: make(chan struct{})}
}

// Observe takes one ack in.
func (t *AckTracker) Observe(ack Ack) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if ack.Replaces != 0 {
		delete(t.levels, ack.Replaces)
		t.replaced[ack.Replaces] = ack.LSN
	}
	if ack.Level == Committed {
		delete(t.levels, ack.LSN)
		t.commit(ack.LSN)
	} else if known, there := t.levels[ack.LSN]; !there || known < ack.Level {
		t.levels[ack.LSN] = ack.Level
	}
	close(t.changed)
	t.changed = make(chan struct{})
}

func (t *AckTracker) commit(lsn int64) {
	at := sort.Search(len(t.committed), func(i int) bool { return t.committed[i].last >= lsn-1 })
	if at == len(t.committed) || t.committed[at].first > lsn+1 {
		t.committed = slices.Insert(t.committed, at, run{lsn, lsn})
		return
	}
	found := &t.committed[at]
	found.first, found.last = min(found.first, lsn), max(found.last, lsn)
	if at+1 < len(t.committed) && t.committed[at+1].first <= found.last+1 {
		found.last = max(found.last, t.committed[at+1].last)
		t.committed = slices.Delete(t.committed, at+1, at+2)
	}
}

// Level is the highest level that the write with this LSN is known to have reached; false where nothing
// is known of it.
func (t *AckTracker) Level(lsn int64) (Tier, bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.level(lsn)
}

func (t *AckTracker) level(lsn int64) (Tier, bool) {
	for now, there := t.replaced[lsn]; there; now, there = t.replaced[lsn] {
		lsn = now
	}
	at := sort.Search(len(t.committed), func(i int) bool { return t.committed[i].last >= lsn })
	if at < len(t.committed) && t.committed[at].first <= lsn {
		return Committed, true
	}
	level, known := t.levels[lsn]
	return level, known
}

// WaitAll returns once all these LSNs have reached the level, or with an error when the context ends.
func (t *AckTracker) WaitAll(ctx context.Context, lsns []int64, level Tier) error {
	for _, lsn := range lsns {
		for {
			t.mu.Lock()
			reached, known := t.level(lsn)
			changed := t.changed
			t.mu.Unlock()
			if known && reached >= level {
				break
			}
			select {
			case <-changed:
			case <-ctx.Done():
				return contextError(ctx, fmt.Sprintf("LSN %d at %s", lsn, level))
			}
		}
	}
	return nil
}

// LocalCache keeps the caller's data until the server's watermarks say that the writes that carry it
// are safe. Give its Observe to StreamOptions.OnWatermarks.
type LocalCache[T any] struct {
	mu     sync.Mutex
	until  Tier
	values map[*Write]T
}

// NewLocalCache makes an empty one that keeps values until their writes have reached `until`.
func NewLocalCache[T any](until Tier) *LocalCache[T] {
	return &LocalCache[T]{until: until, values: map[*Write]T{}}
}

// Put keeps the value of a write.
func (c *LocalCache[T]) Put(write *Write, value T) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.values[write] = value
}

// Observe drops what the watermarks cover. A write counts only once it is on the server's disk: before,
// a crash may still take its LSN, and it is written again with one above the watermark.
func (c *LocalCache[T]) Observe(watermarks Watermarks) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for write := range c.values {
		lsn, level := write.state()
		if level >= c.until || level >= LocalDisk && lsn <= watermarks.At(c.until) {
			delete(c.values, write)
		}
	}
}

// Len is how many values are not safe yet.
func (c *LocalCache[T]) Len() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.values)
}

// Values are those that are not safe yet, in no order.
func (c *LocalCache[T]) Values() []T {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.Collect(maps.Values(c.values))
}
