package arka

import (
	"context"
	"os"
	"testing"
	"time"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/flight"
	"github.com/apache/arrow-go/v18/arrow/ipc"
	"github.com/apache/arrow-go/v18/arrow/memory"
	"google.golang.org/grpc/metadata"
)

// Against the server of ARKA_URL: go test -bench . -run '^$'. The raw ones are what arrow-go alone does.

var readingSchema = arrow.NewSchema([]arrow.Field{
	{Name: "id", Type: arrow.PrimitiveTypes.Int64},
	{Name: "temp", Type: arrow.PrimitiveTypes.Float64},
	{Name: "at", Type: arrow.FixedWidthTypes.Timestamp_us},
}, nil)

func readingBatch(rows int) arrow.RecordBatch {
	builder := array.NewRecordBuilder(memory.DefaultAllocator, readingSchema)
	defer builder.Release()
	for i := range rows {
		builder.Field(0).(*array.Int64Builder).Append(int64(i))
		builder.Field(1).(*array.Float64Builder).Append(float64(i))
		builder.Field(2).(*array.TimestampBuilder).Append(arrow.Timestamp(i))
	}
	return builder.NewRecordBatch()
}

func benchmarkClient(b *testing.B) *Client {
	location := os.Getenv("ARKA_URL")
	if location == "" {
		b.Skip("ARKA_URL names no server")
	}
	client, err := Connect(location, Options{})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = client.Close() })
	return client
}

func check(b *testing.B, err error) {
	b.Helper()
	if err != nil {
		b.Fatal(err)
	}
}

func benchmarkRaw(b *testing.B, levels string) {
	client := benchmarkClient(b)
	ctx := metadata.AppendToOutgoingContext(context.Background(), "arka-ack-until", "LOCAL_DISK",
		"arka-acks", levels)
	exchange, err := client.flight.DoExchange(ctx)
	check(b, err)
	writer := flight.NewRecordWriter(exchange, ipc.WithSchema(readingSchema))
	writer.SetFlightDescriptor(&flight.FlightDescriptor{
		Type: flight.DescriptorPATH, Path: []string{"streaming_write", "bench", "go"}})
	batch := readingBatch(10)
	b.ResetTimer()
	go func() {
		for range b.N {
			_ = writer.Write(batch)
		}
		_ = exchange.CloseSend()
	}()
	reader, err := flight.NewRecordReader(exchange)
	check(b, err)
	for reader.Next() {
	}
	check(b, reader.Err())
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "writes/s")
}

func BenchmarkRawWritesToDisk(b *testing.B) { benchmarkRaw(b, "MEMORY,LOCAL_DISK") }

func BenchmarkRawWrites(b *testing.B) { benchmarkRaw(b, "MEMORY,LOCAL_DISK,OBJECT_STORAGE,COMMITTED") }

func benchmarkWrites(b *testing.B, follow Tier) {
	ctx := context.Background()
	stream, err := benchmarkClient(b).Open(ctx, "bench.go", StreamOptions{Follow: follow})
	check(b, err)
	batch := readingBatch(10)
	b.ResetTimer()
	for range b.N {
		_, err := stream.Write(ctx, batch)
		check(b, err)
	}
	check(b, stream.Flush(ctx, LocalDisk))
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "writes/s")
	check(b, stream.Close(ctx))
}

func BenchmarkWritesToDisk(b *testing.B) { benchmarkWrites(b, LocalDisk) }

func BenchmarkWrites(b *testing.B) { benchmarkWrites(b, Committed) }

func BenchmarkOneAtATime(b *testing.B) {
	ctx := context.Background()
	stream, err := benchmarkClient(b).Open(ctx, "bench.go", StreamOptions{})
	check(b, err)
	batch := readingBatch(10)
	b.ResetTimer()
	for range b.N {
		_, err := stream.WriteDurable(ctx, batch, LocalDisk)
		check(b, err)
	}
	check(b, stream.Close(ctx))
}

func BenchmarkAppend(b *testing.B) {
	ctx := context.Background()
	appender, err := benchmarkClient(b).Appender(ctx, "bench.go", AppenderOptions{
		Stream: StreamOptions{Schema: readingSchema}})
	check(b, err)
	type reading struct {
		ID   int64     `arka:"id"`
		Temp float64   `arka:"temp"`
		At   time.Time `arka:"at"`
	}
	now := time.Now()
	b.ResetTimer()
	for i := range b.N {
		check(b, appender.Append(ctx, reading{int64(i), float64(i), now}))
	}
	check(b, appender.Flush(ctx, LocalDisk))
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "rows/s")
	check(b, appender.Close(ctx))
}
