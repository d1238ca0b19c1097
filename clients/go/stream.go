package arka

import (
	"context"
	"fmt"
	"iter"
	"slices"
	"sync"
	"time"

	"github.com/apache/arrow-go/v18/arrow"
)

// StreamOptions are how a Stream writes. The zero value is exactly once, with a random producer.
type StreamOptions struct {
	// Schema of every batch; nil: that of the first.
	Schema *arrow.Schema
	// Producer is this writer's stable name: a program that is started again with the same name goes on
	// where it was, and takes the name over: a stream that had it before fails with FAILED_PRECONDITION
	// instead of writing any more. One name belongs to one sequence of batches. Random where it is empty.
	Producer string
	// Session is the name that DurabilityStatus asks by; the client's where it is empty.
	Session string
	// Follow is the highest level that is followed: Committed, unless it is set to a lower one that is
	// not Memory.
	Follow Tier
	// Budget is how many bytes of batches are kept until they are on the server's disk; 64 MiB where it
	// is 0. A batch that is larger than that is taken when there is no other.
	Budget int64
	// RetryFor is how long the stream tries to get on after a lost connection or an error that may pass, until
	// a write is acknowledged again; the client's where it is 0.
	RetryFor time.Duration
	// OnAck is told every level of every write, in order, in a goroutine of its own.
	OnAck func(Ack)
	// OnWatermarks is told how far the whole server is, ten times a second at most while it moves. It
	// runs where acks are read, so it should be quick.
	OnWatermarks func(Watermarks)
}

const (
	defaultBudget = 64 << 20

	attemptTimeout = 10 * time.Second       // for what comes before a stream is opened again
	firstBackoff   = 50 * time.Millisecond  // doubled at each attempt,
	longestBackoff = 2 * time.Second        // up to this
	shortestPoll   = 200 * time.Millisecond // between questions after writes of a lost connection
)

// Stream writes record batches to one table, each of them once, in the order of the calls. It may be used
// by many goroutines at once.
type Stream struct {
	client  *Client
	table   string
	path    []string
	options StreamOptions
	epoch   int64 // under which the producer is claimed; 0 where its name is random

	ctx    context.Context // of everything that it does; ends when the stream does
	cancel context.CancelFunc
	ended  chan struct{} // closed when the goroutine that writes has ended, see recovery.go

	mu   sync.Mutex
	wake *sync.Cond // there may be something to do for the goroutine that writes

	schema *arrow.Schema
	// writes are those that have not reached the last level followed, by seq without gaps: writes[0] has
	// the seq reached[Follow]+1. A write above reached[LocalDisk] still has its batch.
	writes  []*Write
	last    int64        // the seq of the last write
	reached [tiers]int64 // every write up to this seq has reached the tier
	shift   int64        // seq on the wire = seq - shift: a producer that was forgotten begins again
	byLSN   map[int64]*Write
	renamed map[int64]int64 // an LSN that a crash took, and the one that its write has now
	onDisk  int64           // the highest LSN on LOCAL_DISK
	marks   Watermarks

	held    int64         // bytes in batches
	room    chan struct{} // closed at the next time that some become free
	closing bool
	err     *Error // why it has failed; nil while it has not

	sent     int64       // the highest seq that was ever sent
	highest  int64       // the highest LSN that was ever told
	left     int64       // writes up to this seq have lost their connection: the server is asked for their levels
	asking   bool        // it is
	opened   bool        // once at least; the goroutine that writes has it alone
	bearer   string      // what the connection was opened with; that goroutine's as well
	moved    bool        // something was acknowledged since the last failure
	reason   *Error      // the last failure; nil when something has moved since
	live     bool        // there is a connection
	lostAt   time.Time   // since when there has been none on which something moved
	patience *time.Timer // runs while there is none and something to send; at its end the stream fails

	feeds      []*feed
	fed        sync.WaitGroup // OnAck
	background sync.WaitGroup // who asks
}

// Open opens a stream to a table such as sales.orders, which the first write makes where it is not there.
// It asks the server where the producer is, so it fails where the server cannot be reached.
func (c *Client) Open(ctx context.Context, table string, options StreamOptions) (*Stream, error) {
	path, err := tablePath(table)
	if err != nil {
		return nil, err
	}
	known := options.Producer != ""
	if !known {
		options.Producer = "go-" + randomName()
	}
	if options.Session == "" {
		options.Session = c.options.Session
	}
	if options.Follow == Memory {
		options.Follow = Committed
	}
	if options.Budget == 0 {
		options.Budget = defaultBudget
	}
	if options.RetryFor == 0 {
		options.RetryFor = c.options.RetryFor
	}
	s := &Stream{
		client: c, table: table, path: path, options: options, schema: options.Schema,
		ended: make(chan struct{}), room: make(chan struct{}),
		byLSN: map[int64]*Write{}, renamed: map[int64]int64{},
	}
	s.wake = sync.NewCond(&s.mu)
	s.patience = time.AfterFunc(time.Hour, s.giveUp)
	s.patience.Stop()
	if err := s.findBeginning(ctx, known); err != nil {
		return nil, err
	}
	s.ctx, s.cancel = context.WithCancel(context.WithoutCancel(ctx))
	if options.OnAck != nil {
		acks := s.addFeed()
		s.fed.Add(1)
		go func() {
			defer s.fed.Done()
			for ack := range acks.all(context.Background()) {
				options.OnAck(ack)
			}
		}()
	}
	go s.run()
	return s, nil
}

// findBeginning asks where the producer goes on. One that has a name is claimed: what an earlier program
// of that name still has on the way is not written any more.
func (s *Stream) findBeginning(ctx context.Context, known bool) error {
	if known {
		epoch, last, err := s.client.claim(ctx, s.options.Producer, s.table)
		if err != nil {
			return err
		}
		s.epoch = epoch
		if last.LastSeq > 0 {
			// What a predecessor wrote may be in memory only. A crash would take it, and leave a gap below
			// the numbers of this stream that nobody could fill.
			if _, err := s.client.Flush(ctx, s.table, LocalDisk); err != nil {
				return err
			}
		}
	}
	last, err := s.client.lastSeq(ctx, s.client.call, s.options.Producer, s.table)
	if err != nil {
		return err
	}
	s.last, s.sent, s.onDisk = last.LastSeq, last.LastSeq, last.LSN
	for tier := range s.reached {
		s.reached[tier] = s.last
	}
	return nil
}

// Producer is the name under which the writes are numbered.
func (s *Stream) Producer() string { return s.options.Producer }

// Session is the name that DurabilityStatus asks by.
func (s *Stream) Session() string { return s.options.Session }

// LastSeq is how many batches this producer has written to the table, earlier programs' included: where a
// program that is started again goes on.
func (s *Stream) LastSeq() int64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.last - s.shift
}

// Write hands one batch over. It returns at once, unless the budget is used up: then it blocks until
// batches have reached the server's disk, or the context ends. The batch must not be changed afterwards;
// it may be released.
func (s *Stream) Write(ctx context.Context, batch arrow.RecordBatch) (*Write, error) {
	size := batchSize(batch)
	for {
		write, full, err := s.admit(batch, size)
		if err != nil {
			return nil, err
		}
		if write != nil {
			return write, nil
		}
		select {
		case <-full:
		case <-ctx.Done():
			return nil, contextError(ctx, "room in the budget")
		}
	}
}

// TryWrite is Write that fails with RESOURCE_EXHAUSTED instead of blocking.
func (s *Stream) TryWrite(batch arrow.RecordBatch) (*Write, error) {
	write, full, err := s.admit(batch, batchSize(batch))
	if full != nil {
		err := failure(ResourceExhausted, "the budget of %d bytes is used up by batches that are not on "+
			"the server's disk yet", s.options.Budget)
		err.Retryable = true
		return nil, err
	}
	return write, err
}

// admit takes a batch, or answers a channel that is closed when there may be room for it.
func (s *Stream) admit(batch arrow.RecordBatch, size int64) (*Write, <-chan struct{}, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.err != nil:
		return nil, nil, s.err
	case s.closing:
		return nil, nil, failure(FailedPrecondition, "the stream is closed")
	case s.schema == nil:
		s.schema = batch.Schema()
	case !s.schema.Equal(batch.Schema()):
		return nil, nil, failure(InvalidArgument, "a batch of another schema: a stream has one\nstream: %s\nbatch: %s",
			s.schema, batch.Schema())
	}
	if s.held > 0 && s.held+size > s.options.Budget {
		return nil, s.room, nil
	}
	batch.Retain()
	s.held += size
	if s.reached[LocalDisk] == s.last && !s.live {
		s.lostAt = time.Now() // nobody missed the connection until now
		s.patience.Reset(s.options.RetryFor)
	}
	s.last++
	write := &Write{stream: s, seq: s.last, sentAt: time.Now(), level: none, batch: batch, size: size}
	s.writes = append(s.writes, write)
	s.wake.Signal()
	return write, nil, nil
}

// WriteDurable writes one batch and returns when it has reached the level.
func (s *Stream) WriteDurable(ctx context.Context, batch arrow.RecordBatch, level Tier) (*Write, error) {
	write, err := s.Write(ctx, batch)
	if err != nil {
		return nil, err
	}
	return write, write.Wait(ctx, level)
}

// cannotReach says why no write will be seen at that level any more; nil where it may be.
func (s *Stream) cannotReach(level Tier) *Error {
	if s.err != nil {
		return s.err
	}
	if level > s.options.Follow {
		return failure(InvalidArgument, "the stream follows its writes up to %s, not %s", s.options.Follow, level)
	}
	return nil
}

// WaitForDurability returns when the write with that LSN has reached the level. Of LSNs that are not (or
// no longer) followed by this stream, it asks the server.
func (s *Stream) WaitForDurability(ctx context.Context, lsn int64, level Tier) error {
	s.mu.Lock()
	for now, there := s.renamed[lsn]; there; now, there = s.renamed[lsn] {
		lsn = now
	}
	write := s.byLSN[lsn]
	s.mu.Unlock()
	if write != nil {
		return write.Wait(ctx, level)
	}
	for attempt := 0; ; attempt++ {
		levels, err := s.client.Levels(ctx, lsn)
		if err != nil {
			return err
		}
		if levels[0].Lost {
			return failure(NotFound, "the write with LSN %d was lost", lsn)
		}
		if levels[0].Level >= level {
			return nil
		}
		select {
		case <-time.After(pause(attempt)):
		case <-ctx.Done():
			return contextError(ctx, level.String())
		}
	}
}

// Flush returns when every write so far has reached the level. The server begins upload and commit at
// once, without waiting for its intervals.
func (s *Stream) Flush(ctx context.Context, level Tier) error {
	s.mu.Lock()
	last := s.last
	s.mu.Unlock()
	if err := s.waitForAll(ctx, last, min(level, LocalDisk)); err != nil || level <= LocalDisk {
		return err
	}
	if s.below(last, level) {
		if _, err := s.client.Flush(ctx, s.table, level); err != nil {
			return err
		}
	}
	return s.waitForAll(ctx, last, level)
}

func (s *Stream) below(seq int64, level Tier) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.reached[level] < seq
}

// waitForAll returns when every write up to that seq has reached the level.
func (s *Stream) waitForAll(ctx context.Context, seq int64, level Tier) error {
	for {
		s.mu.Lock()
		if s.reached[level] >= seq {
			s.mu.Unlock()
			return nil
		}
		if err := s.cannotReach(level); err != nil {
			s.mu.Unlock()
			return err
		}
		changed := s.at(seq).nextChange()
		s.mu.Unlock()
		select {
		case <-changed:
		case <-ctx.Done():
			return contextError(ctx, level.String())
		}
	}
}

// Acks gives the acks from now on, until the stream or the context ends. Of a reader who falls more than
// 262,144 acks behind, the oldest are left out.
func (s *Stream) Acks(ctx context.Context) iter.Seq[Ack] {
	added := s.addFeed()
	return func(yield func(Ack) bool) {
		added.all(ctx)(yield)
		s.mu.Lock()
		defer s.mu.Unlock()
		s.feeds = slices.DeleteFunc(s.feeds, func(f *feed) bool { return f == added })
	}
}

func (s *Stream) addFeed() *feed {
	added := newFeed()
	s.mu.Lock()
	defer s.mu.Unlock()
	s.feeds = append(s.feeds, added)
	if s.err != nil {
		added.end()
	}
	return added
}

// Watermarks are the last that the server told; OnWatermarks has to be set.
func (s *Stream) Watermarks() Watermarks {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.marks
}

// Held is how many bytes of batches are kept because they are not on the server's disk yet.
func (s *Stream) Held() int64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.held
}

// Pending are the batches that are not on the server's disk as far as is known, in their order: what to put
// elsewhere when the stream has failed. Release each.
func (s *Stream) Pending() []arrow.RecordBatch {
	s.mu.Lock()
	defer s.mu.Unlock()
	var batches []arrow.RecordBatch
	for _, write := range s.writes {
		if write.batch != nil {
			write.batch.Retain()
			batches = append(batches, write.batch)
		}
	}
	return batches
}

// Lag is how many of the stream's writes have not reached the level, and for how long the oldest of them
// has been waiting: what to watch, and to warn of when it grows.
func (s *Stream) Lag(level Tier) (writes int64, oldest time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	level = min(level, s.options.Follow)
	writes = s.last - s.reached[level]
	if writes > 0 {
		oldest = time.Since(s.at(s.reached[level] + 1).sentAt)
	}
	return writes, oldest
}

// Close waits until every write is on the server's disk, and ends the stream. Who waits for a higher level
// calls Flush before. It returns when the context ends, at the latest; what is not on disk by then may be
// lost: the error says how many writes that is, and Pending has them.
func (s *Stream) Close(ctx context.Context) error {
	s.mu.Lock()
	s.closing = true
	last := s.last
	s.wake.Broadcast()
	s.mu.Unlock()

	err := s.waitForAll(ctx, last, LocalDisk)
	if err == nil {
		select {
		case <-s.ended:
		case <-ctx.Done():
		}
	} else if writes, _ := s.Lag(LocalDisk); writes > 0 {
		failed := *wireError(ctx, err, nil)
		failed.Message += fmt.Sprintf(" (%d writes are not known to be on disk)", writes)
		err = &failed
	}
	s.mu.Lock()
	s.fail(failure(FailedPrecondition, "the stream is closed"))
	s.mu.Unlock()
	<-s.ended
	s.background.Wait()

	told := make(chan struct{})
	go func() {
		s.fed.Wait()
		close(told)
	}()
	select {
	case <-told:
	case <-ctx.Done():
	}
	return err
}

// fail ends the stream, for good. Call with the mutex held.
func (s *Stream) fail(err *Error) {
	if s.err != nil {
		return
	}
	s.err = err
	s.cancel()
	s.patience.Stop()
	s.wake.Broadcast()
	close(s.room)
	s.room = make(chan struct{})
	for _, write := range s.writes {
		write.notify()
	}
	for _, feed := range s.feeds {
		feed.end()
	}
}
