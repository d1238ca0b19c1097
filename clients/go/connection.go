package arka

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/flight"
	"github.com/apache/arrow-go/v18/arrow/ipc"
	"google.golang.org/grpc/metadata"
)

// connection is one DoExchange of a stream: from when it is opened until it breaks or ends.
type connection struct {
	stream   *Stream
	exchange flight.FlightService_DoExchangeClient
	writer   *flight.Writer
	cancel   context.CancelFunc
	ended    chan struct{} // closed when there are no more acks
	failed   error         // why; read it after ended is closed

	// Guarded by the stream's mutex.
	over     bool   // as `ended`, for who waits for the stream to wake
	next     int64  // the seq of the next write to send
	awaiting []sent // sent, and not acknowledged by this connection
}

// sent is a write that is on its way; again: it was sent on an earlier connection too.
type sent struct {
	write *Write
	again bool
}

// open opens a DoExchange and begins to read its acks.
func (s *Stream) open() (*connection, error) {
	ctx, bearer, err := s.client.authorized(s.ctx)
	if err != nil {
		return nil, err
	}
	s.bearer = bearer
	ctx, cancel := context.WithCancel(ctx)
	levels := make([]string, 0, tiers)
	for tier := Memory; tier <= s.options.Follow; tier++ {
		levels = append(levels, tier.String())
	}
	headers := []string{
		"arka-producer", s.options.Producer, "arka-session", s.options.Session,
		"arka-acks", strings.Join(levels, ","), "arka-ack-until", LocalDisk.String(),
	}
	if s.epoch != 0 {
		headers = append(headers, "arka-producer-epoch", strconv.FormatInt(s.epoch, 10))
	}
	if s.options.OnWatermarks != nil {
		headers = append(headers, "arka-watermarks", "true")
	}
	exchange, err := s.client.flight.DoExchange(metadata.AppendToOutgoingContext(ctx, headers...))
	if err != nil {
		cancel()
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	c := &connection{stream: s, exchange: exchange, cancel: cancel, ended: make(chan struct{}),
		next: s.reached[LocalDisk] + 1}
	c.writer = flight.NewRecordWriter(exchange, ipc.WithSchema(s.schema))
	c.writer.SetFlightDescriptor(&flight.FlightDescriptor{
		Type: flight.DescriptorPATH, Path: append([]string{"streaming_write"}, s.path...)})
	go c.receive()
	return c, nil
}

// send sends writes until the connection fails, or (finished) the stream is closed and all is on disk.
// The error is of a batch that cannot be sent at all.
func (c *connection) send() (finished bool, err error) {
	for {
		write, finished := c.take()
		if write == nil {
			if finished {
				_ = c.exchange.CloseSend()
			}
			return finished, nil
		}
		err := c.writer.WriteWithAppMetadata(write.batch, fmt.Appendf(nil, `{"seq": %d}`, write.seq))
		write.batch.Release()
		if errors.Is(err, io.EOF) || c.exchange.Context().Err() != nil {
			return false, nil // the call has ended
		}
		if err != nil {
			return false, &Error{Code: InvalidArgument, Message: "the batch cannot be sent: " + err.Error(), cause: err}
		}
	}
}

// outgoing is a write as it is sent: its batch, retained, and the seq on the wire.
type outgoing struct {
	batch arrow.RecordBatch
	seq   int64
}

// take waits for the next write to send. Without one: finished says whether that is the orderly end.
func (c *connection) take() (next *outgoing, finished bool) {
	s := c.stream
	s.mu.Lock()
	defer s.mu.Unlock()
	for !c.over && s.err == nil && c.next > s.last {
		if s.closing && s.reached[LocalDisk] == s.last {
			return nil, true
		}
		s.wake.Wait()
	}
	if c.over || s.err != nil {
		return nil, false
	}
	write := s.at(c.next)
	c.awaiting = append(c.awaiting, sent{write, write.seq <= s.sent})
	c.next++
	s.sent = max(s.sent, write.seq)
	write.told = none
	write.batch.Retain() // its ack may come, and let go of it, before the sending has returned
	return &outgoing{write.batch, write.seq - s.shift}, false
}

// Recv keeps what the call ended with, before the reader of batches puts words around it.
func (c *connection) Recv() (*flight.FlightData, error) {
	data, err := c.exchange.Recv()
	if err != nil {
		c.failed = err
	}
	return data, err
}

// receive reads acks to the end.
func (c *connection) receive() {
	err := c.readAcks()
	if c.failed == nil { // the call goes on, but there is no use in it
		c.failed = err
		c.cancel()
	} else {
		c.failed = wireError(c.stream.ctx, c.failed, c.exchange.Trailer())
	}
	c.stream.mu.Lock()
	c.over = true
	c.stream.wake.Broadcast()
	c.stream.mu.Unlock()
	close(c.ended)
}

func (c *connection) readAcks() error {
	reader, err := flight.NewRecordReader(c)
	if err != nil {
		return err
	}
	defer reader.Release()
	columns, err := findColumns(reader.Schema())
	if err != nil {
		return err
	}
	for reader.Next() {
		if err := c.apply(reader.RecordBatch(), columns); err != nil {
			return err
		}
	}
	return reader.Err()
}

// columnNames are the columns of an ack batch, with the types that the wire contract gives them.
var columnNames = []struct {
	name string
	kind arrow.Type
}{
	{"lsn", arrow.INT64}, {"durability_level", arrow.STRING}, {"timestamp", arrow.TIMESTAMP},
	{"is_watermark_update", arrow.BOOL}, {"disk_lsn", arrow.INT64}, {"s3_lsn", arrow.INT64},
	{"committed_lsn", arrow.INT64}, {"snapshot_id", arrow.INT64},
}

func findColumns(schema *arrow.Schema) ([]int, error) {
	places := make([]int, len(columnNames))
	for i, column := range columnNames {
		found := schema.FieldIndices(column.name)
		if len(found) != 1 || schema.Field(found[0]).Type.ID() != column.kind {
			return nil, violation("acks without the column %s", column.name)
		}
		places[i] = found[0]
	}
	return places, nil
}

// apply takes in one batch of acks.
func (c *connection) apply(batch arrow.RecordBatch, places []int) error {
	numbers := func(i int) *array.Int64 { return batch.Column(places[i]).(*array.Int64) }
	lsns, snapshots := numbers(0), numbers(7)
	levels := batch.Column(places[1]).(*array.String)
	times := batch.Column(places[2]).(*array.Timestamp)
	isWatermark := batch.Column(places[3]).(*array.Boolean)

	s := c.stream
	var acks []Ack
	var marks *Watermarks
	var failed error
	s.mu.Lock()
	for row := 0; row < int(batch.NumRows()) && failed == nil && s.err == nil; row++ {
		if isWatermark.Value(row) {
			marks = &Watermarks{numbers(4).Value(row), numbers(5).Value(row), numbers(6).Value(row)}
			s.marks = *marks
			continue
		}
		level, err := ParseTier(levels.Value(row))
		if err != nil {
			failed = violation("an ack of the level %q", levels.Value(row))
			break
		}
		told := Ack{Time: time.UnixMicro(int64(times.Value(row))).UTC()}
		if level == Committed && snapshots.IsValid(row) {
			told.SnapshotID = snapshots.Value(row)
		}
		if level == Memory {
			acks, failed = c.name(lsns.Value(row), acks, told)
		} else {
			acks, failed = c.lift(lsns.Value(row), level, acks, told)
		}
	}
	s.tell(acks)
	s.mu.Unlock()
	if marks != nil && s.options.OnWatermarks != nil {
		s.options.OnWatermarks(*marks)
	}
	return failed
}

// name takes in a Memory ack: the n-th of a connection is of its n-th batch.
func (c *connection) name(lsn int64, acks []Ack, told Ack) ([]Ack, error) {
	s := c.stream
	if len(c.awaiting) == 0 {
		return acks, violation("LSN %d for a batch that was not sent", lsn)
	}
	write, again := c.awaiting[0].write, c.awaiting[0].again
	c.awaiting = c.awaiting[1:]
	if lsn < write.lsn || !again && lsn <= s.highest {
		return acks, violation("LSN %d went back: there was %d before", lsn, max(write.lsn, s.highest))
	}
	s.highest = max(s.highest, lsn)
	write.told = Memory
	if write.lsn != lsn {
		told.Replaces = write.lsn
		if write.lsn != 0 {
			s.unlink(write)
			s.renamed[write.lsn] = lsn
		}
		s.link(write, lsn)
	}
	if told.Replaces != 0 && write.level >= Memory {
		told.LSN, told.Level = lsn, Memory
		acks = append(acks, told)
	}
	return s.raise(write, Memory, acks, told), nil
}

// lift takes in an ack of a level above Memory.
func (c *connection) lift(lsn int64, level Tier, acks []Ack, told Ack) ([]Ack, error) {
	s := c.stream
	if level > s.options.Follow {
		return acks, violation("an ack at %s, which was not asked for", level)
	}
	write := s.byLSN[lsn]
	if write == nil {
		return acks, violation("an ack of LSN %d at %s, which is none of this stream's open writes", lsn, level)
	}
	first := write
	for write != nil && write.told != level-1 {
		write = write.twin
	}
	if write == nil {
		return acks, violation("LSN %d went from %s to %s", lsn, first.told, level)
	}
	write.told = level
	if write.level >= level {
		return acks, nil // known since an earlier connection
	}
	return s.raise(write, level, acks, told), nil
}
