// The example of the guide with nothing but arrow-go: write a hundred batches, and read their acks
// meanwhile.
//
// usage: flight_client [HOST:PORT] [LEVEL]
//
// The rows go to the table arka.my_table. LEVEL is how long to stay: MEMORY, LOCAL_DISK, OBJECT_STORAGE
// (the default) or COMMITTED, when the rows are in the Iceberg table.
package main

import (
	"context"
	"fmt"
	"log"
	"os"
	"time"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/flight"
	"github.com/apache/arrow-go/v18/arrow/ipc"
	"github.com/apache/arrow-go/v18/arrow/memory"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/metadata"
)

var schema = arrow.NewSchema([]arrow.Field{
	{Name: "id", Type: arrow.PrimitiveTypes.Int64},
	{Name: "name", Type: arrow.BinaryTypes.String, Nullable: true},
}, nil)

func createBatch(i int) arrow.RecordBatch {
	builder := array.NewRecordBuilder(memory.DefaultAllocator, schema)
	defer builder.Release()
	builder.Field(0).(*array.Int64Builder).Append(int64(i))
	builder.Field(1).(*array.StringBuilder).Append(fmt.Sprintf("name %d", i))
	return builder.NewRecordBatch()
}

// send writes the batches, then says that this was all. Every batch is one write with one LSN.
func send(exchange flight.FlightService_DoExchangeClient, batches int) error {
	writer := flight.NewRecordWriter(exchange, ipc.WithSchema(schema))
	writer.SetFlightDescriptor(&flight.FlightDescriptor{
		Type: flight.DescriptorPATH, Path: []string{"streaming_write"}})
	for i := range batches {
		batch := createBatch(i)
		err := writer.Write(batch)
		batch.Release()
		if err != nil {
			return err
		}
	}
	if err := writer.Close(); err != nil {
		return err
	}
	return exchange.CloseSend()
}

// readAcks counts the acks of each level until the server ends the stream.
func readAcks(exchange flight.FlightService_DoExchangeClient) (map[string]int, error) {
	reader, err := flight.NewRecordReader(exchange)
	if err != nil {
		return nil, err
	}
	defer reader.Release()
	counts := map[string]int{}
	for reader.Next() {
		acks := reader.RecordBatch() // as many acks as were due at that moment
		levels := acks.Column(1).(*array.String)
		for row := range levels.Len() {
			counts[levels.Value(row)]++
		}
	}
	return counts, reader.Err()
}

func run(ctx context.Context, address, level string) error {
	client, err := flight.NewClientWithMiddleware(address, nil, nil,
		grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		return err
	}
	defer client.Close()

	// The header says after which level the stream may end.
	ctx = metadata.AppendToOutgoingContext(ctx, "arka-ack-until", level)
	exchange, err := client.DoExchange(ctx)
	if err != nil {
		return err
	}
	sent := make(chan error, 1)
	go func() { sent <- send(exchange, 100) }()

	counts, err := readAcks(exchange) // the server's word on what went wrong comes here
	if err != nil {
		return err
	}
	for _, level := range []string{"MEMORY", "LOCAL_DISK", "OBJECT_STORAGE", "COMMITTED"} {
		if counts[level] > 0 {
			fmt.Println(counts[level], "writes reached", level)
		}
	}
	return <-sent
}

func main() {
	address, level := "localhost:8815", "OBJECT_STORAGE"
	if len(os.Args) > 1 {
		address = os.Args[1]
	}
	if len(os.Args) > 2 {
		level = os.Args[2]
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	if err := run(ctx, address, level); err != nil {
		log.Fatal(err)
	}
}
