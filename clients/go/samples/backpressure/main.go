// What to do when the server does not keep up, and rows instead of batches.
//
// usage: backpressure [grpc://HOST:PORT]
package main

import (
	"context"
	"errors"
	"fmt"
	"log"
	"os"
	"time"

	arka "github.com/arka/arka-core/clients/go"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"
)

var schema = arrow.NewSchema([]arrow.Field{
	{Name: "sensor", Type: arrow.BinaryTypes.String},
	{Name: "celsius", Type: arrow.PrimitiveTypes.Float64, Nullable: true},
	{Name: "at", Type: arrow.FixedWidthTypes.Timestamp_us},
}, nil)

func readings(first, rows int) arrow.RecordBatch {
	builder := array.NewRecordBuilder(memory.DefaultAllocator, schema)
	defer builder.Release()
	for i := first; i < first+rows; i++ {
		builder.Field(0).(*array.StringBuilder).Append("cellar")
		builder.Field(1).(*array.Float64Builder).Append(float64(i))
		builder.Field(2).(*array.TimestampBuilder).Append(arrow.Timestamp(i))
	}
	return builder.NewRecordBatch()
}

// write blocks for at most five seconds while the budget is used up; then it is the caller's to choose.
func write(ctx context.Context, stream *arka.Stream, batch arrow.RecordBatch) error {
	short, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	_, err := stream.Write(short, batch)
	if errors.Is(err, context.DeadlineExceeded) {
		return fmt.Errorf("drop it, keep it elsewhere, or try again: %w", err)
	}
	return err
}

// tryWrite does not block at all; it says whether the batch was taken.
func tryWrite(stream *arka.Stream, batch arrow.RecordBatch) (bool, error) {
	_, err := stream.TryWrite(batch)
	var full *arka.Error
	if errors.As(err, &full) && full.Code == arka.ResourceExhausted && full.Retryable {
		return false, nil
	}
	return err == nil, err
}

func batches(ctx context.Context, client *arka.Client) error {
	stream, err := client.Open(ctx, "guide.readings", arka.StreamOptions{Budget: 1 << 20})
	if err != nil {
		return err
	}
	for i := range 100 {
		if err := write(ctx, stream, readings(i*1000, 1000)); err != nil {
			return err
		}
	}
	dropped := 0
	for range 100 {
		taken, err := tryWrite(stream, readings(0, 1000))
		if err != nil {
			return err
		}
		if !taken {
			dropped++
		}
	}
	fmt.Println("some may be dropped:", dropped <= 100)
	return stream.Close(ctx)
}

// Reading is a row; the tags name the columns.
type Reading struct {
	Sensor  string    `arka:"sensor"`
	Celsius *float64  `arka:"celsius"` // nil: null
	At      time.Time `arka:"at"`
}

func rows(ctx context.Context, client *arka.Client) error {
	appender, err := client.Appender(ctx, "guide.readings", arka.AppenderOptions{
		MaxRows: 5000, MaxBytes: 1 << 20, Linger: 50 * time.Millisecond,
	})
	if err != nil {
		return err
	}
	for i := range 10_000 {
		celsius := float64(i)
		if err := appender.Append(ctx, Reading{"attic", &celsius, time.UnixMicro(int64(i))}); err != nil {
			return err
		}
	}
	row := map[string]any{"sensor": "attic", "at": time.Now()}
	if err := appender.Append(ctx, row); err != nil {
		return err
	}
	err = appender.Append(ctx, map[string]any{"sensor": 7, "at": time.Now()})
	var misfit *arka.Error
	fmt.Println("refused:", errors.As(err, &misfit) && misfit.Code == arka.InvalidArgument)
	if err := appender.Flush(ctx, arka.Committed); err != nil {
		return err
	}
	fmt.Println("all rows are committed")
	return appender.Close(ctx)
}

func run(ctx context.Context, location string) error {
	client, err := arka.Connect(location, arka.Options{})
	if err != nil {
		return err
	}
	defer client.Close()
	if err := batches(ctx, client); err != nil {
		return err
	}
	return rows(ctx, client)
}

func main() {
	location := "grpc://localhost:8815"
	if len(os.Args) > 1 {
		location = os.Args[1]
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	if err := run(ctx, location); err != nil {
		log.Fatal(err)
	}
}
