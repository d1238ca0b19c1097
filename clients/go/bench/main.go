// How fast the Go client writes, and how fast arrow-go alone: bench/clients/README.md says how it is run.
package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"log"
	"os"
	"slices"
	"time"

	arka "github.com/arka/arka-core/clients/go"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"
)

var schema = arrow.NewSchema([]arrow.Field{
	{Name: "number", Type: arrow.PrimitiveTypes.Int64},
	{Name: "text", Type: arrow.BinaryTypes.String, Nullable: true},
}, nil)

// task is what the command line asks for.
type task struct {
	url, table string
	rows       int
	seconds    float64
	inFlight   int
}

func (t task) end() time.Time { return time.Now().Add(time.Duration(t.seconds * float64(time.Second))) }

type row struct {
	Number int64  `arka:"number"`
	Text   string `arka:"text"`
}

// numbered is a row as a program makes one; its text has 20 bytes.
func numbered(number int64) row { return row{number, fmt.Sprintf("%020d", number)} }

// batch is the write of this number, made anew as a program would.
func (t task) batch(number int) arrow.RecordBatch {
	builder := array.NewRecordBuilder(memory.DefaultAllocator, schema)
	defer builder.Release()
	numbers, texts := builder.Field(0).(*array.Int64Builder), builder.Field(1).(*array.StringBuilder)
	for i := range t.rows {
		row := numbered(int64(number*t.rows + i))
		numbers.Append(row.Number)
		texts.Append(row.Text)
	}
	return builder.NewRecordBatch()
}

func since(began time.Time, what string, count int) map[string]any {
	return map[string]any{what: count, "seconds": time.Since(began).Seconds()}
}

// latencies writes one batch after the other, and says how long they took.
func (t task) latencies(write func(arrow.RecordBatch) error) (map[string]any, error) {
	var taken []time.Duration
	for end := t.end(); time.Now().Before(end); {
		began := time.Now()
		batch := t.batch(len(taken))
		err := write(batch)
		batch.Release()
		if err != nil {
			return nil, err
		}
		taken = append(taken, time.Since(began))
	}
	slices.Sort(taken)
	at := func(percent int) float64 { return float64(taken[len(taken)*percent/100].Nanoseconds()) / 1000 }
	return map[string]any{"writes": len(taken), "p50_us": at(50), "p99_us": at(99)}, nil
}

func withStream(ctx context.Context, t task, measure func(*arka.Stream) (map[string]any, error)) (map[string]any, error) {
	client, err := arka.Connect(t.url, arka.Options{})
	if err != nil {
		return nil, err
	}
	defer client.Close()
	stream, err := client.Open(ctx, t.table, arka.StreamOptions{Schema: schema})
	if err != nil {
		return nil, err
	}
	result, err := measure(stream)
	if err != nil {
		return nil, err
	}
	return result, stream.Close(ctx)
}

func writes(ctx context.Context, t task) (map[string]any, error) {
	return withStream(ctx, t, func(stream *arka.Stream) (map[string]any, error) {
		count := 0
		began := time.Now()
		var last *arka.Write
		for end := t.end(); time.Now().Before(end); count++ {
			batch := t.batch(count)
			write, err := stream.Write(ctx, batch)
			batch.Release()
			if err != nil {
				return nil, err
			}
			last = write
		}
		err := last.Wait(ctx, arka.LocalDisk)
		return since(began, "writes", count), err
	})
}

func latency(ctx context.Context, t task) (map[string]any, error) {
	return withStream(ctx, t, func(stream *arka.Stream) (map[string]any, error) {
		return t.latencies(func(batch arrow.RecordBatch) error {
			write, err := stream.Write(ctx, batch)
			if err != nil {
				return err
			}
			_, err = write.LSN(ctx)
			return err
		})
	})
}

func appender(ctx context.Context, t task) (map[string]any, error) {
	client, err := arka.Connect(t.url, arka.Options{})
	if err != nil {
		return nil, err
	}
	defer client.Close()
	appender, err := client.Appender(ctx, t.table, arka.AppenderOptions{Stream: arka.StreamOptions{Schema: schema}})
	if err != nil {
		return nil, err
	}
	count := 0
	began := time.Now()
	for end := t.end(); time.Now().Before(end); count++ {
		if err := appender.Append(ctx, numbered(int64(count))); err != nil {
			return nil, err
		}
	}
	if err := appender.Flush(ctx, arka.LocalDisk); err != nil {
		return nil, err
	}
	result := since(began, "rows", count)
	return result, appender.Close(ctx)
}

func main() {
	modes := map[string]func(context.Context, task) (map[string]any, error){
		"raw-writes": rawWrites, "raw-latency": rawLatency, "writes": writes, "latency": latency, "appender": appender,
	}
	if len(os.Args) < 2 || modes[os.Args[1]] == nil {
		log.Fatal("usage: driver raw-writes|raw-latency|writes|latency|appender --url grpc://HOST:PORT …")
	}
	var t task
	flags := flag.NewFlagSet("driver", flag.ExitOnError)
	flags.StringVar(&t.url, "url", "", "of the server")
	flags.StringVar(&t.table, "table", "sales.orders", "")
	flags.IntVar(&t.rows, "rows", 10, "of a write")
	flags.Float64Var(&t.seconds, "seconds", 5, "to write for")
	flags.IntVar(&t.inFlight, "in-flight", 1024, "raw-writes that are not answered yet, at most")
	_ = flags.Parse(os.Args[2:]) // ends the program where it fails
	result, err := modes[os.Args[1]](context.Background(), t)
	if err != nil {
		log.Fatal(err)
	}
	if err := json.NewEncoder(os.Stdout).Encode(result); err != nil {
		log.Fatal(err)
	}
}
