package arka

import (
	"context"
	"encoding/json"
	"fmt"
	"net"
	"sync"
	"testing"
	"time"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/flight"
	"github.com/apache/arrow-go/v18/arrow/ipc"
	"github.com/apache/arrow-go/v18/arrow/memory"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
)

// ackRow is one ack that the fake sends.
type ackRow struct {
	lsn   int64
	level string
}

// fake is a server of one table and one producer that can be made to lie, to break and to forget. It keeps
// what a real one keeps: the LSN of every seq, and which rows are there.
type fake struct {
	flight.BaseFlightServer
	address string
	server  *grpc.Server

	mu          sync.Mutex
	connections int
	lsns        []int64 // of seq 1, 2, 3 ...
	numbers     []int64 // the first value of every batch that was written
	levels      map[int64]string
	nextLSN     int64
	forgotten   *int64
	epoch       int64 // under which the producer is claimed
	unsafe      int   // writes that a crash takes just before the next flush
	retryable   string
	actions     map[string]int

	// answer says what to send for a batch, and the error that ends the stream after that. By default it is
	// every level.
	answer func(connection, nth int, seq, lsn int64) ([]ackRow, error)
}

func everyLevel(lsn int64) []ackRow {
	rows := []ackRow{}
	for tier := Memory; tier <= Committed; tier++ {
		rows = append(rows, ackRow{lsn, tier.String()})
	}
	return rows
}

var ackSchema = arrow.NewSchema([]arrow.Field{
	{Name: "lsn", Type: arrow.PrimitiveTypes.Int64},
	{Name: "durability_level", Type: arrow.BinaryTypes.String},
	{Name: "is_durability_update", Type: arrow.FixedWidthTypes.Boolean},
	{Name: "timestamp", Type: arrow.FixedWidthTypes.Timestamp_us},
	{Name: "is_watermark_update", Type: arrow.FixedWidthTypes.Boolean},
	{Name: "disk_lsn", Type: arrow.PrimitiveTypes.Int64, Nullable: true},
	{Name: "s3_lsn", Type: arrow.PrimitiveTypes.Int64, Nullable: true},
	{Name: "committed_lsn", Type: arrow.PrimitiveTypes.Int64, Nullable: true},
	{Name: "snapshot_id", Type: arrow.PrimitiveTypes.Int64, Nullable: true},
}, nil)

func ackBatch(rows []ackRow) arrow.RecordBatch {
	builder := array.NewRecordBuilder(memory.DefaultAllocator, ackSchema)
	defer builder.Release()
	for _, row := range rows {
		builder.Field(0).(*array.Int64Builder).Append(row.lsn)
		builder.Field(1).(*array.StringBuilder).Append(row.level)
		builder.Field(2).(*array.BooleanBuilder).Append(row.level != "MEMORY")
		builder.Field(3).(*array.TimestampBuilder).Append(1)
		builder.Field(4).(*array.BooleanBuilder).Append(false)
		for i := 5; i < 9; i++ {
			builder.Field(i).AppendNull()
		}
	}
	return builder.NewRecordBatch()
}

func startFake(t *testing.T) *fake {
	t.Helper()
	f := &fake{nextLSN: 1000, levels: map[int64]string{}, actions: map[string]int{}}
	f.answer = func(_, _ int, _, lsn int64) ([]ackRow, error) { return everyLevel(lsn), nil }
	f.listen(t, "127.0.0.1:0")
	t.Cleanup(func() { f.server.Stop() })
	return f
}

func (f *fake) listen(t *testing.T, address string) {
	t.Helper()
	listener, err := net.Listen("tcp", address)
	for deadline := time.Now().Add(10 * time.Second); err != nil && time.Now().Before(deadline); {
		// A connection that somebody is just making may have the port for a moment.
		time.Sleep(10 * time.Millisecond)
		listener, err = net.Listen("tcp", address)
	}
	must(t, err)
	f.address = listener.Addr().String()
	server := grpc.NewServer()
	flight.RegisterFlightServiceServer(server, f)
	f.server = server
	go func() { _ = server.Serve(listener) }()
}

// crash takes away what was in memory only, and every connection.
func (f *fake) crash(t *testing.T) {
	t.Helper()
	f.server.Stop()
	f.mu.Lock()
	for len(f.lsns) > 0 && f.levels[f.lsns[len(f.lsns)-1]] == "MEMORY" {
		f.lsns = f.lsns[:len(f.lsns)-1]
		f.numbers = f.numbers[:len(f.numbers)-1]
	}
	f.nextLSN += 100
	f.mu.Unlock()
	f.listen(t, f.address)
}

func (f *fake) DoExchange(exchange flight.FlightService_DoExchangeServer) error {
	var epoch int64
	sent, _ := metadata.FromIncomingContext(exchange.Context())
	for _, text := range sent.Get("arka-producer-epoch") {
		_, _ = fmt.Sscan(text, &epoch)
	}
	f.mu.Lock()
	f.connections++
	connection, retryable := f.connections, f.retryable
	f.mu.Unlock()
	if retryable != "" {
		exchange.SetTrailer(metadata.Pairs("arka-retryable", retryable))
	}
	reader, err := flight.NewRecordReader(exchange)
	if err != nil {
		return err
	}
	defer reader.Release()
	writer := flight.NewRecordWriter(exchange, ipc.WithSchema(ackSchema))
	if err := writer.Write(ackBatch(nil)); err != nil {
		return err
	}
	for nth := 1; reader.Next(); nth++ {
		var meta struct {
			Seq int64 `json:"seq"`
		}
		if err := json.Unmarshal(reader.LatestAppMetadata(), &meta); err != nil {
			return status.Error(codes.InvalidArgument, "a batch without seq")
		}
		first := reader.RecordBatch().Column(0).(*array.Int64).Value(0)
		f.mu.Lock()
		if epoch < f.epoch {
			f.mu.Unlock()
			return status.Errorf(codes.FailedPrecondition, "claimed since under epoch %d", f.epoch)
		}
		if meta.Seq > int64(len(f.lsns))+1 {
			f.mu.Unlock()
			return status.Errorf(codes.InvalidArgument, "seq %d: expected %d", meta.Seq, len(f.lsns)+1)
		}
		if meta.Seq == int64(len(f.lsns))+1 {
			f.lsns, f.numbers = append(f.lsns, f.nextLSN), append(f.numbers, first)
			f.levels[f.nextLSN] = "MEMORY"
			f.nextLSN++
		}
		lsn := f.lsns[meta.Seq-1]
		f.mu.Unlock()
		rows, failed := f.answer(connection, nth, meta.Seq, lsn)
		f.mu.Lock()
		for _, row := range rows {
			f.levels[row.lsn] = row.level
		}
		f.mu.Unlock()
		if len(rows) > 0 {
			if err := writer.Write(ackBatch(rows)); err != nil {
				return err
			}
		}
		if failed != nil {
			return failed
		}
	}
	return nil
}

func (f *fake) DoAction(action *flight.Action, answers flight.FlightService_DoActionServer) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.actions[action.Type]++
	var body struct {
		LSNs []int64 `json:"lsns"`
	}
	_ = json.Unmarshal(action.Body, &body)
	answer := map[string]any{}
	switch action.Type {
	case "claim_producer", "last_seq":
		if action.Type == "claim_producer" {
			f.epoch += 1 << 32
			answer["epoch"] = f.epoch
		}
		answer["last_seq"] = len(f.lsns)
		if len(f.lsns) > 0 {
			answer["lsn"] = f.lsns[len(f.lsns)-1]
		}
		if f.forgotten != nil {
			answer["forgotten_through"] = *f.forgotten
		}
	case "durability_status":
		levels := []map[string]any{}
		for _, lsn := range body.LSNs {
			levels = append(levels, map[string]any{"lsn": lsn, "durability_level": f.levels[lsn], "lost": false})
		}
		answer["levels"] = levels
	case "flush":
		f.lsns, f.numbers = f.lsns[:len(f.lsns)-f.unsafe], f.numbers[:len(f.numbers)-f.unsafe]
		f.unsafe = 0
		answer["lsn"] = f.nextLSN - 1
	default:
		return status.Errorf(codes.NotFound, "no action %q", action.Type)
	}
	text, _ := json.Marshal(answer)
	return answers.Send(&flight.Result{Body: text})
}

// written are the first values of the batches that are there, in order.
func (f *fake) written() []int64 {
	f.mu.Lock()
	defer f.mu.Unlock()
	return append([]int64{}, f.numbers...)
}

func (f *fake) setLevel(lsn int64, level Tier) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.levels[lsn] = level.String()
}

func (f *fake) client(t *testing.T) *Client {
	t.Helper()
	client, err := Connect("grpc://"+f.address, Options{})
	must(t, err)
	t.Cleanup(func() { _ = client.Close() })
	return client
}

var numberSchema = arrow.NewSchema([]arrow.Field{{Name: "number", Type: arrow.PrimitiveTypes.Int64}}, nil)

func numbers(first int64, rows int) arrow.RecordBatch {
	builder := array.NewRecordBuilder(memory.DefaultAllocator, numberSchema)
	defer builder.Release()
	for i := range rows {
		builder.Field(0).(*array.Int64Builder).Append(first + int64(i))
	}
	return builder.NewRecordBatch()
}

// open opens a stream, which is closed in the end without a care.
func (f *fake) open(t *testing.T, options StreamOptions) *Stream {
	t.Helper()
	stream, err := f.client(t).Open(timeout(t), "sales.orders", options)
	must(t, err)
	t.Cleanup(func() {
		ended, cancel := context.WithCancel(context.Background())
		cancel()
		_ = stream.Close(ended)
	})
	return stream
}

// send writes one-row batches with these numbers.
func send(t *testing.T, stream *Stream, first, count int64) []*Write {
	t.Helper()
	writes := []*Write{}
	for number := first; number < first+count; number++ {
		write, err := stream.Write(timeout(t), numbers(number, 1))
		must(t, err)
		writes = append(writes, write)
	}
	return writes
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func timeout(t *testing.T) context.Context {
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	t.Cleanup(cancel)
	return ctx
}

func equal[T comparable](t *testing.T, got, wanted T) {
	t.Helper()
	if got != wanted {
		t.Fatalf("got %v, wanted %v", got, wanted)
	}
}

func sameText(t *testing.T, got, wanted any) {
	t.Helper()
	equal(t, fmt.Sprint(got), fmt.Sprint(wanted))
}
