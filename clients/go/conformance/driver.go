package main

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	arka "github.com/arka/arka-core/clients/go"
)

// driver holds what the operations before have opened.
type driver struct {
	client   *arka.Client
	options  arka.StreamOptions
	stream   *arka.Stream
	appender *arka.Appender
	deadline time.Duration
	writes   []*arka.Write // the first and the last
	written  int

	mu   sync.Mutex
	acks map[string]int
}

func (d *driver) do(asked request) (any, error) {
	if d.client == nil && asked.Op != "connect" {
		return nil, fmt.Errorf("%s comes before connect", asked.Op)
	}
	ctx, cancel := asked.context(d.deadline)
	defer cancel()
	switch asked.Op {
	case "connect":
		return d.connect(asked)
	case "open":
		return d.open(ctx, asked)
	case "query":
		return d.query(ctx, asked.SQL)
	case "status":
		status, err := d.client.Status(ctx)
		if err != nil {
			return nil, err
		}
		return map[string]any{"status": status.Text}, nil
	case "append_rows":
		return d.appendRows(ctx, asked)
	case "flush":
		return d.flush(ctx, asked.Level)
	case "acks":
		return d.countAcks(), nil
	case "close":
		return d.close(ctx)
	}
	if d.stream == nil {
		return nil, fmt.Errorf("%q: no such operation, or it comes before open", asked.Op)
	}
	switch asked.Op {
	case "write":
		return d.write(ctx, asked)
	case "wait":
		return d.wait(ctx, asked.Level)
	case "write_types":
		return d.writeTypes(ctx)
	case "durability":
		return d.durability(ctx, asked.After)
	case "memory":
		return map[string]any{"bytes": d.stream.Held()}, nil
	}
	return nil, fmt.Errorf("no operation %q", asked.Op)
}

func (d *driver) connect(asked request) (any, error) {
	given := asked.Options
	d.deadline = 2 * time.Minute
	if given.DeadlineMS != 0 {
		d.deadline = time.Duration(given.DeadlineMS) * time.Millisecond
	}
	client, err := arka.Connect(asked.URL, arka.Options{
		Username: given.Username, Password: given.Password, Token: given.Token, TLSRoot: given.TLSRoot,
		ClientCertificate: given.ClientCert, ClientKey: given.ClientKey,
		RetryFor: time.Duration(given.DeadlineMS) * time.Millisecond,
	})
	if err != nil {
		return nil, err
	}
	d.client, d.stream, d.appender, d.acks = client, nil, nil, map[string]int{}
	d.options = arka.StreamOptions{Budget: given.BudgetBytes, OnAck: d.count}
	return struct{}{}, nil
}

func (d *driver) count(ack arka.Ack) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.acks[ack.Level.String()]++
}

func (d *driver) countAcks() map[string]int {
	d.mu.Lock()
	defer d.mu.Unlock()
	counted := map[string]int{}
	for level := arka.Memory; level <= arka.Committed; level++ {
		counted[level.String()] = d.acks[level.String()]
	}
	return counted
}

func (d *driver) open(ctx context.Context, asked request) (any, error) {
	d.writes, d.written = nil, 0
	options := d.options
	options.Producer, options.Session = asked.Producer, asked.Session
	switch asked.Columns {
	case "", "numbered":
		options.Schema = numbered
	case "types":
		options.Schema = everyType
	default:
		return nil, fmt.Errorf("no columns %q", asked.Columns)
	}
	stream, err := d.client.Open(ctx, asked.Table, options)
	if err != nil {
		return nil, err
	}
	d.stream = stream
	return map[string]any{"producer": stream.Producer(), "session": stream.Session()}, nil
}

func (d *driver) write(ctx context.Context, asked request) (any, error) {
	first := asked.First
	for range asked.Batches {
		batch := numberedBatch(first, asked.Rows, asked.TextBytes)
		write, err := d.stream.Write(ctx, batch)
		batch.Release()
		if err != nil {
			return nil, err
		}
		d.keep(write)
		first += int64(asked.Rows)
	}
	return map[string]any{"accepted": asked.Batches}, nil
}

func (d *driver) wait(ctx context.Context, name string) (any, error) {
	level, err := arka.ParseTier(name)
	if err != nil {
		return nil, err
	}
	lsns := []int64{}
	for _, write := range d.writes { // those between reach every level before the last does
		if err := write.Wait(ctx, level); err != nil {
			return nil, err
		}
		lsn, err := write.LSN(ctx)
		if err != nil {
			return nil, err
		}
		lsns = append(lsns, lsn)
	}
	return map[string]any{"lsns": lsns, "count": d.written}, nil
}

// keep has the stream's first and last write asked for.
func (d *driver) keep(write *arka.Write) {
	d.written++
	if len(d.writes) == 2 {
		d.writes = d.writes[:1]
	}
	d.writes = append(d.writes, write)
}

func (d *driver) flush(ctx context.Context, name string) (any, error) {
	level, err := arka.ParseTier(name)
	if err != nil {
		return nil, err
	}
	if d.appender != nil {
		return struct{}{}, d.appender.Flush(ctx, level)
	}
	return struct{}{}, d.stream.Flush(ctx, level)
}

// appendRows makes the appender at its first use: its rows go by a stream of their own.
func (d *driver) appendRows(ctx context.Context, asked request) (any, error) {
	if d.appender == nil {
		options := arka.AppenderOptions{Stream: d.options}
		options.Stream.Schema = numbered
		appender, err := d.client.Appender(ctx, asked.Table, options)
		if err != nil {
			return nil, err
		}
		d.appender = appender
	}
	for number := asked.First; number < asked.First+int64(asked.Rows); number++ {
		row := struct {
			Number int64  `arka:"number"`
			Text   string `arka:"text"`
		}{number, numberText(number, asked.TextBytes)}
		if err := d.appender.Append(ctx, row); err != nil {
			return nil, err
		}
	}
	return map[string]any{"accepted": asked.Rows}, nil
}

func (d *driver) durability(ctx context.Context, after *int64) (any, error) {
	var last int64
	if after != nil {
		last = *after
	}
	events, err := d.client.DurabilityStatus(ctx, d.stream.Session(), last)
	if err != nil {
		return nil, err
	}
	told := [][]any{}
	for _, event := range events {
		told = append(told, []any{event.LSN, event.Level.String()})
	}
	return map[string]any{"events": told}, nil
}

func (d *driver) close(ctx context.Context) (any, error) {
	var failed []error
	if d.appender != nil {
		failed = append(failed, d.appender.Close(ctx))
	}
	if d.stream != nil {
		failed = append(failed, d.stream.Close(ctx))
	}
	return struct{}{}, errors.Join(failed...)
}

func (d *driver) query(ctx context.Context, sql string) (any, error) {
	answer, err := d.client.Query(ctx, sql)
	if err != nil {
		return nil, err
	}
	defer answer.Release()
	rows := [][]any{}
	for answer.Next() {
		batch := answer.RecordBatch()
		for row := range int(batch.NumRows()) {
			values := make([]any, batch.NumCols())
			for i, column := range batch.Columns() {
				values[i] = column.GetOneForMarshal(row)
			}
			rows = append(rows, values)
		}
	}
	return map[string]any{"rows": rows}, answer.Err()
}

func (d *driver) writeTypes(ctx context.Context) (any, error) {
	batch, err := everyTypeBatch()
	if err != nil {
		return nil, err
	}
	defer batch.Release()
	write, err := d.stream.Write(ctx, batch)
	if err != nil {
		return nil, err
	}
	d.keep(write)
	names := []string{}
	for _, field := range everyType.Fields() {
		names = append(names, field.Name)
	}
	return map[string]any{"columns": names, "rows": batch.NumRows()}, nil
}
