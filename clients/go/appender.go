package arka

import (
	"context"
	"reflect"
	"sync"
	"time"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"
)

// AppenderOptions are how an Appender gathers rows. The zero value takes the table's schema.
type AppenderOptions struct {
	// Stream is how the batches are written. Its Schema is the rows'; nil: that of the table, which must
	// be there then.
	Stream StreamOptions
	// A batch is written when it has MaxRows rows (10,000 where it is 0), or about MaxBytes bytes (1 MiB),
	// or when its first row has waited for Linger (50 ms).
	MaxRows  int
	MaxBytes int64
	Linger   time.Duration
}

// Appender gathers rows into batches and writes them by a Stream. It may be used by many goroutines at
// once.
type Appender struct {
	stream  *Stream
	options AppenderOptions

	mu      sync.Mutex
	builder *array.RecordBuilder
	columns []column
	plans   map[reflect.Type][]int // of a struct: for each column the index of its field, -1: none
	row     []any                  // of the row that is looked at
	rows    int
	bytes   int64
	waiting arrow.RecordBatch // of rows before those, for which there was no room
	linger  *time.Timer       // writes what has waited for long enough
	closed  bool
	failed  error // the stream's, after which rows are gone: nothing may be added as if they were not
}

// Appender opens an appender of rows to a table.
func (c *Client) Appender(ctx context.Context, table string, options AppenderOptions) (*Appender, error) {
	if options.MaxRows == 0 {
		options.MaxRows = 10_000
	}
	if options.MaxBytes == 0 {
		options.MaxBytes = 1 << 20
	}
	if options.Linger == 0 {
		options.Linger = 50 * time.Millisecond
	}
	if options.Stream.Schema == nil {
		schema, err := c.Schema(ctx, table)
		if err != nil {
			return nil, err
		}
		options.Stream.Schema = schema
	}
	stream, err := c.Open(ctx, table, options.Stream)
	if err != nil {
		return nil, err
	}
	schema := options.Stream.Schema
	a := &Appender{
		stream: stream, options: options, plans: map[reflect.Type][]int{},
		builder: array.NewRecordBuilder(memory.DefaultAllocator, schema),
		row:     make([]any, schema.NumFields()),
	}
	a.mu.Lock() // so that the timer finds itself there
	defer a.mu.Unlock()
	a.linger = time.AfterFunc(options.Linger, a.writeLate)
	for i, field := range schema.Fields() {
		a.columns = append(a.columns, newColumn(field, a.builder.Field(i)))
	}
	return a, nil
}

// Stream is what writes the batches: its acks, its lag, what it holds.
func (a *Appender) Stream() *Stream { return a.stream }

// Append adds a row: a map[string]any by column names, or a struct, or a pointer to one, whose exported fields
// are columns by the tag `arka:"name"` or by their own name. A column that the row does not have is null,
// as is a nil pointer. A row that does not fit is refused as a whole, with INVALID_ARGUMENT and the
// column's name. Append blocks while the stream's budget is used up. When the context ends before there is
// room, the row was not taken, and those before it still wait to be written.
func (a *Appender) Append(ctx context.Context, row any) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	if err := a.check(); err != nil {
		return err
	}
	if a.full() {
		if err := a.write(ctx); err != nil {
			return err
		}
		if err := a.check(); err != nil { // closed meanwhile
			return err
		}
	}
	if err := a.spread(row); err != nil {
		return err
	}
	var size int64
	for i := range a.columns {
		bytes, err := a.columns[i].fits(a.row[i])
		if err != nil {
			return failure(InvalidArgument, "the column %q: %v", a.columns[i].field.Name, err)
		}
		size += bytes
	}
	for i := range a.columns {
		a.columns[i].put(a.row[i])
	}
	a.rows++
	a.bytes += size
	if a.full() {
		_, err := a.handOver()
		return err
	}
	if a.rows == 1 && a.waiting == nil {
		a.linger.Reset(a.options.Linger)
	}
	return nil
}

func (a *Appender) full() bool { return a.rows >= a.options.MaxRows || a.bytes >= a.options.MaxBytes }

func (a *Appender) check() error {
	if a.failed == nil && a.closed {
		return failure(FailedPrecondition, "the appender is closed")
	}
	return a.failed
}

// spread puts the row's values in the order of the columns.
func (a *Appender) spread(row any) error {
	if values, ok := row.(map[string]any); ok {
		found := 0
		for i := range a.columns {
			value, there := values[a.columns[i].field.Name]
			if there {
				found++
			}
			a.row[i] = value
		}
		if found < len(values) {
			for name := range values {
				if !a.stream.schema.HasField(name) {
					return failure(InvalidArgument, "the table has no column %q", name)
				}
			}
		}
		return nil
	}
	value := reflect.Indirect(reflect.ValueOf(row))
	if value.Kind() != reflect.Struct {
		return failure(InvalidArgument, "a row is a map[string]any or a struct, not %T", row)
	}
	plan, err := a.plan(value.Type())
	if err != nil {
		return err
	}
	for i, at := range plan {
		a.row[i] = nil
		if at >= 0 {
			a.row[i] = value.Field(at).Interface()
		}
	}
	return nil
}

// plan finds the columns of a struct's fields, once for each type.
func (a *Appender) plan(kind reflect.Type) ([]int, error) {
	if known, there := a.plans[kind]; there {
		return known, nil
	}
	plan := make([]int, len(a.columns))
	for i := range plan {
		plan[i] = -1
	}
	for i := range kind.NumField() {
		field := kind.Field(i)
		name, tagged := field.Tag.Lookup("arka")
		if name == "-" || !field.IsExported() {
			continue
		}
		if !tagged {
			name = field.Name
		}
		found := a.stream.schema.FieldIndices(name)
		if len(found) != 1 {
			return nil, failure(InvalidArgument, "the table has no column %q, as %s.%s wants it", name, kind, field.Name)
		}
		plan[found[0]] = i
	}
	a.plans[kind] = plan
	return plan, nil
}

// handOver gives the stream what was gathered. What there is no room for stays, and goes first the next
// time: then it answers a channel that is closed when there may be. Call with the mutex held.
func (a *Appender) handOver() (<-chan struct{}, error) {
	a.linger.Stop()
	for a.failed == nil && (a.waiting != nil || a.rows > 0) {
		if a.waiting == nil {
			a.waiting = a.builder.NewRecordBatch()
			a.rows, a.bytes = 0, 0
		}
		write, full, err := a.stream.admit(a.waiting, batchSize(a.waiting))
		if write == nil && err == nil {
			a.linger.Reset(a.options.Linger)
			return full, nil
		}
		a.waiting.Release()
		a.waiting, a.failed = nil, err
	}
	return nil, a.failed
}

// write hands everything over, and waits for room without the mutex, which is held otherwise.
func (a *Appender) write(ctx context.Context) error {
	for {
		full, err := a.handOver()
		if full == nil {
			return err
		}
		a.mu.Unlock()
		select {
		case <-full:
		case <-ctx.Done():
			err = contextError(ctx, "room in the budget")
		}
		a.mu.Lock()
		if err != nil {
			return err
		}
	}
}

func (a *Appender) writeLate() {
	a.mu.Lock()
	defer a.mu.Unlock()
	_, _ = a.handOver() // the next call tells
}

// Flush writes what was gathered, and returns when every row so far has reached the level.
func (a *Appender) Flush(ctx context.Context, level Tier) error {
	a.mu.Lock()
	err := a.check()
	if err == nil {
		err = a.write(ctx)
	}
	a.mu.Unlock()
	if err != nil {
		return err
	}
	return a.stream.Flush(ctx, level)
}

// Close writes what was gathered, waits until every row is on the server's disk, and ends the stream. It
// returns when the context ends, at the latest. Closing again does nothing.
func (a *Appender) Close(ctx context.Context) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.closed {
		return nil
	}
	a.closed = true
	err := a.write(ctx)
	a.mu.Unlock()
	closed := a.stream.Close(ctx)
	a.mu.Lock()
	if err == nil {
		err = closed
	}
	a.linger.Stop()
	a.failed = failure(FailedPrecondition, "the appender is closed")
	if a.waiting != nil {
		a.waiting.Release()
	}
	a.builder.Release()
	return err
}
