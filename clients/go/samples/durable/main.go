// Waits only for what matters, follows acks and watermarks, and asks afterwards what became of it.
//
// usage: durable [grpc://HOST:PORT]
package main

import (
	"context"
	"fmt"
	"log"
	"os"
	"time"

	arka "github.com/arka/arka-core/clients/go"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"
)

var schema = arrow.NewSchema([]arrow.Field{{Name: "amount", Type: arrow.PrimitiveTypes.Float64}}, nil)

func payment(amount float64) arrow.RecordBatch {
	builder := array.NewRecordBuilder(memory.DefaultAllocator, schema)
	defer builder.Release()
	builder.Field(0).(*array.Float64Builder).Append(amount)
	return builder.NewRecordBatch()
}

// writeWithPolicy returns at once for ordinary batches, for critical ones when they are in the object store.
func writeWithPolicy(ctx context.Context, stream *arka.Stream, batch arrow.RecordBatch, critical bool) error {
	if !critical {
		_, err := stream.Write(ctx, batch)
		return err
	}
	_, err := stream.WriteDurable(ctx, batch, arka.ObjectStorage)
	return err
}

// track follows the acks of a stream in a tracker, and waits by LSN.
func track(ctx context.Context, client *arka.Client) error {
	tracker := arka.NewAckTracker()
	stream, err := client.Open(ctx, "guide.payments", arka.StreamOptions{OnAck: tracker.Observe})
	if err != nil {
		return err
	}
	var lsns []int64
	for i := range 10 {
		write, err := stream.Write(ctx, payment(float64(i)))
		if err != nil {
			return err
		}
		lsn, err := write.LSN(ctx) // one at a time is slow: a round trip for each
		if err != nil {
			return err
		}
		lsns = append(lsns, lsn)
	}
	if err := tracker.WaitAll(ctx, lsns, arka.LocalDisk); err != nil {
		return err
	}
	fmt.Println("on disk:", len(lsns))

	writes, oldest := stream.Lag(arka.Committed)
	fmt.Println("lag is known:", writes <= 10 && oldest < time.Minute)
	if err := stream.Flush(ctx, arka.Committed); err != nil {
		return err
	}
	if err := stream.Close(ctx); err != nil {
		return err
	}

	events, err := client.DurabilityStatus(ctx, stream.Session(), lsns[8])
	if err != nil {
		return err
	}
	for _, event := range events {
		if event.LSN == lsns[9] {
			fmt.Println("the last one reached", event.Level)
		}
	}
	return nil
}

// cache keeps its own copy of what it writes until the server's watermarks say that it is safe.
func cache(ctx context.Context, client *arka.Client) error {
	kept := arka.NewLocalCache[float64](arka.ObjectStorage)
	stream, err := client.Open(ctx, "guide.payments", arka.StreamOptions{OnWatermarks: kept.Observe})
	if err != nil {
		return err
	}
	for i := range 10 {
		amount := float64(i)
		write, err := stream.Write(ctx, payment(amount))
		if err != nil {
			return err
		}
		kept.Put(write, amount)
	}
	if err := stream.Flush(ctx, arka.ObjectStorage); err != nil {
		return err
	}
	kept.Observe(stream.Watermarks())
	fmt.Println("still to be kept:", kept.Len())
	return stream.Close(ctx)
}

func run(ctx context.Context, location string) error {
	client, err := arka.Connect(location, arka.Options{})
	if err != nil {
		return err
	}
	defer client.Close()
	stream, err := client.Open(ctx, "guide.payments", arka.StreamOptions{})
	if err != nil {
		return err
	}
	if err := writeWithPolicy(ctx, stream, payment(1), false); err != nil {
		return err
	}
	if err := writeWithPolicy(ctx, stream, payment(1000), true); err != nil {
		return err
	}
	if err := stream.Close(ctx); err != nil {
		return err
	}
	if err := track(ctx, client); err != nil {
		return err
	}
	if err := cache(ctx, client); err != nil {
		return err
	}
	status, err := client.Status(ctx)
	if err != nil {
		return err
	}
	fmt.Println("the server is ready:", status.Ready)
	return nil
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
