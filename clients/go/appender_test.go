package arka

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"
)

func (f *fake) appender(t *testing.T, schema *arrow.Schema, options AppenderOptions) *Appender {
	t.Helper()
	options.Stream.Schema = schema
	appender, err := f.client(t).Appender(timeout(t), "sales.orders", options)
	must(t, err)
	t.Cleanup(func() {
		ended, cancel := context.WithCancel(context.Background())
		cancel()
		_ = appender.Close(ended)
	})
	return appender
}

type numberRow struct {
	Number int64 `arka:"number"`
}

func TestRowsAreGatheredIntoBatches(t *testing.T) {
	server := startFake(t)
	appender := server.appender(t, numberSchema, AppenderOptions{MaxRows: 10, Linger: time.Hour})
	for number := range int64(25) {
		must(t, appender.Append(timeout(t), numberRow{number}))
	}
	must(t, appender.Flush(timeout(t), Committed))
	sameText(t, server.written(), []int64{0, 10, 20})
	must(t, appender.Append(timeout(t), map[string]any{"number": 25}))
	must(t, appender.Close(timeout(t)))
	sameText(t, server.written(), []int64{0, 10, 20, 25})
	failsWith(t, appender.Append(timeout(t), numberRow{26}), FailedPrecondition, false)
}

func TestABatchIsWrittenWhenItsBytesAreEnough(t *testing.T) {
	server := startFake(t)
	appender := server.appender(t, numberSchema, AppenderOptions{MaxBytes: 80, Linger: time.Hour})
	for number := range int64(20) {
		must(t, appender.Append(timeout(t), numberRow{number}))
	}
	must(t, appender.Stream().Flush(timeout(t), Committed))
	sameText(t, server.written(), []int64{0, 10})
}

func TestARowDoesNotWaitLongerThanItsLinger(t *testing.T) {
	server := startFake(t)
	acks := make(chan Ack, 10)
	appender := server.appender(t, numberSchema, AppenderOptions{
		Linger: 10 * time.Millisecond, Stream: StreamOptions{OnAck: func(ack Ack) { acks <- ack }}})
	must(t, appender.Append(timeout(t), numberRow{7}))
	select {
	case <-acks:
	case <-time.After(20 * time.Second):
		t.Fatal("it was never written")
	}
	sameText(t, server.written(), []int64{7})
}

// holding answers no write before release is closed.
func (f *fake) holding() (release chan struct{}) {
	release = make(chan struct{})
	f.answer = func(_, _ int, _, lsn int64) ([]ackRow, error) {
		<-release
		return everyLevel(lsn), nil
	}
	return release
}

func TestARowForWhichThereWasNoRoomIsNotTakenAndNoOtherIsLost(t *testing.T) {
	server := startFake(t)
	release := server.holding()
	appender := server.appender(t, numberSchema, AppenderOptions{
		MaxRows: 10, Linger: time.Hour, Stream: StreamOptions{Budget: 1}})
	taken := int64(0)
	for ; ; taken++ {
		short, cancel := context.WithTimeout(context.Background(), 20*time.Millisecond)
		err := appender.Append(short, numberRow{taken})
		cancel()
		if err != nil {
			failsWith(t, err, DeadlineExceeded, true)
			break
		}
	}
	equal(t, taken, 30) // a batch in the stream, one that waits for room, and one of rows
	short, cancel := context.WithTimeout(context.Background(), 20*time.Millisecond)
	defer cancel()
	failsWith(t, appender.Flush(short, LocalDisk), DeadlineExceeded, true)
	close(release)
	must(t, appender.Append(timeout(t), numberRow{taken}))
	must(t, appender.Close(timeout(t)))
	sameText(t, server.written(), []int64{0, 10, 20, 30})
}

func TestRowsThatLingeredWithoutRoomAreWrittenWhenThereIs(t *testing.T) {
	server := startFake(t)
	release := server.holding()
	appender := server.appender(t, numberSchema, AppenderOptions{
		Linger: 10 * time.Millisecond, Stream: StreamOptions{Budget: 1}})
	for number := range int64(3) {
		must(t, appender.Append(timeout(t), numberRow{number}))
		time.Sleep(50 * time.Millisecond) // a batch, one that waits for room, and a row behind it
	}
	close(release)
	gathered := func() bool {
		appender.mu.Lock()
		defer appender.mu.Unlock()
		return appender.waiting != nil || appender.rows > 0
	}
	for patience := timeout(t); gathered(); {
		select {
		case <-patience.Done():
			t.Fatalf("only %v were written", server.written())
		case <-time.After(5 * time.Millisecond):
		}
	}
	must(t, appender.Close(timeout(t)))
}

func TestCloseReturnsWhenItsContextEndsWhileAnotherWaitsForRoom(t *testing.T) {
	server := startFake(t)
	release := server.holding()
	defer close(release)
	appender := server.appender(t, numberSchema, AppenderOptions{
		MaxRows: 1, Linger: time.Hour, Stream: StreamOptions{Budget: 1}})
	waits := make(chan error)
	go func() {
		for number := int64(0); ; number++ {
			if err := appender.Append(timeout(t), numberRow{number}); err != nil {
				waits <- err
				return
			}
		}
	}()
	time.Sleep(50 * time.Millisecond)
	short, cancel := context.WithTimeout(context.Background(), 50*time.Millisecond)
	defer cancel()
	began := time.Now()
	failsWith(t, appender.Close(short), DeadlineExceeded, true)
	if passed := time.Since(began); passed > 5*time.Second {
		t.Fatalf("it took %v", passed)
	}
	failsWith(t, <-waits, FailedPrecondition, false)
}

func TestARowThatDoesNotFitIsRefusedAsAWhole(t *testing.T) {
	schema := arrow.NewSchema([]arrow.Field{
		{Name: "number", Type: arrow.PrimitiveTypes.Int64},
		{Name: "small", Type: arrow.PrimitiveTypes.Int8, Nullable: true},
		{Name: "tags", Type: arrow.ListOf(arrow.BinaryTypes.String), Nullable: true},
	}, nil)
	server := startFake(t)
	appender := server.appender(t, schema, AppenderOptions{Linger: time.Hour})
	refused := map[string]any{
		"small":       map[string]any{"number": 1, "small": 128},
		"number":      map[string]any{"small": 1},
		"tags":        map[string]any{"number": 1, "tags": 7},
		"color":       map[string]any{"number": 1, "color": "red"},
		"a map":       7,
		"Number":      struct{ Number int64 }{1},
		"1.5 of type": map[string]any{"number": 1.5},
		"-129":        map[string]any{"number": 1, "small": -129},
		"string":      map[string]any{"number": 1, "small": "x"},
	}
	for words, row := range refused {
		failed := failsWith(t, appender.Append(timeout(t), row), InvalidArgument, false)
		if !strings.Contains(failed.Message, words) {
			t.Fatalf("%q does not speak of %q", failed.Message, words)
		}
	}
	must(t, appender.Append(timeout(t), map[string]any{"number": 5, "small": -128, "tags": []string{"a", "b"}}))
	must(t, appender.Append(timeout(t), map[string]any{"number": 6}))
	appender.mu.Lock()
	batch := appender.builder.NewRecordBatch()
	appender.rows = 0
	appender.mu.Unlock()
	defer batch.Release()
	text, err := batch.MarshalJSON()
	must(t, err)
	equal(t, strings.TrimSpace(string(text)), `[{"number":5,"small":-128,"tags":["a","b"]}
,{"number":6,"small":null,"tags":null}
]`)
}

func TestEveryKindOfValueArrivesAsItWas(t *testing.T) {
	at := time.Date(2024, 10, 4, 12, 34, 56, 789_000_000, time.UTC)
	number := int32(7)
	cases := []struct {
		kind   arrow.DataType
		value  any
		stored string
	}{
		{arrow.PrimitiveTypes.Int16, &number, "7"},
		{arrow.PrimitiveTypes.Int64, uint8(200), "200"},
		{arrow.PrimitiveTypes.Int64, float64(1 << 40), "1099511627776"},
		{arrow.PrimitiveTypes.Uint32, 4_000_000_000, "4000000000"},
		{arrow.PrimitiveTypes.Float32, 1.5, "1.5"},
		{arrow.PrimitiveTypes.Float64, 3, "3"},
		{arrow.FixedWidthTypes.Boolean, true, "true"},
		{arrow.BinaryTypes.LargeString, "long", "long"},
		{arrow.BinaryTypes.Binary, []byte("bytes"), "Ynl0ZXM="},
		{arrow.FixedWidthTypes.Date32, at, "2024-10-04"},
		{arrow.FixedWidthTypes.Timestamp_ms, &at, "2024-10-04T12:34:56.789Z"},
		{&arrow.Decimal128Type{Precision: 10, Scale: 2}, "12.34", "12.34"},
		{arrow.StructOf(arrow.Field{Name: "a", Type: arrow.PrimitiveTypes.Int32, Nullable: true}),
			map[string]any{"a": 1}, `{"a":1}`},
		{&arrow.DictionaryType{IndexType: arrow.PrimitiveTypes.Int8, ValueType: arrow.BinaryTypes.String}, "word", "word"},
	}
	for _, one := range cases {
		builder := array.NewBuilder(memory.DefaultAllocator, one.kind)
		column := newColumn(arrow.Field{Name: "c", Type: one.kind, Nullable: true}, builder)
		for _, value := range []any{one.value, nil} {
			_, err := column.fits(value)
			if err != nil {
				t.Fatalf("%s: %v", one.kind, err)
			}
			column.put(value)
		}
		stored := builder.NewArray()
		equal(t, stored.Len(), 2)
		equal(t, stored.ValueStr(0), one.stored)
		if !stored.IsNull(1) {
			t.Fatalf("%s: nil became %s", one.kind, stored.ValueStr(1))
		}
	}
}

func TestTheSizeOfASliceIsItsOwn(t *testing.T) {
	whole := numbers(0, 10_000)
	slice := whole.NewSlice(100, 200)
	if size := batchSize(slice) - columnOverhead; size < 800 || size > 900 {
		t.Fatalf("%d bytes for 100 numbers", size)
	}
	builder := array.NewStringBuilder(memory.DefaultAllocator)
	for range 1000 {
		builder.Append(strings.Repeat("x", 100))
	}
	texts := array.NewSlice(builder.NewArray(), 10, 20)
	if size := dataSize(texts.Data()); size < 1000 || size > 1100 {
		t.Fatalf("%d bytes for 10 texts of 100", size)
	}
}
