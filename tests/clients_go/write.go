package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/flight"
	"github.com/apache/arrow-go/v18/arrow/ipc"
	"github.com/apache/arrow-go/v18/arrow/memory"
	"google.golang.org/grpc/metadata"
)

// report is what the server told: acks by level, and the LSNs of the first level in their order.
type report struct {
	Acks map[string]int `json:"acks"`
	LSNs []int64        `json:"lsns"`
}

var schema = arrow.NewSchema([]arrow.Field{
	{Name: "number", Type: arrow.PrimitiveTypes.Int64},
	{Name: "text", Type: arrow.BinaryTypes.String},
}, nil)

func row(number int) arrow.RecordBatch {
	return textRow(number, fmt.Sprintf("row %d", number))
}

func textRow(number int, text string) arrow.RecordBatch {
	builder := array.NewRecordBuilder(memory.DefaultAllocator, schema)
	defer builder.Release()
	builder.Field(0).(*array.Int64Builder).Append(int64(number))
	builder.Field(1).(*array.StringBuilder).Append(text)
	return builder.NewRecordBatch()
}

// send numbers the writes 1, 2, 3, ... where they are a producer's.
func send(writer *flight.Writer, writes int, producer string) error {
	for i := 0; i < writes; i++ {
		batch := row(i)
		var err error
		if producer == "" {
			err = writer.Write(batch)
		} else {
			err = writer.WriteWithAppMetadata(batch, []byte(fmt.Sprintf(`{"seq": %d}`, i+1)))
		}
		batch.Release()
		if err != nil {
			return err
		}
	}
	return writer.Close()
}

func readAcks(reader *flight.Reader) (report, error) {
	told := report{Acks: map[string]int{}}
	for reader.Next() {
		batch := reader.RecordBatch()
		lsns := batch.Column(0).(*array.Int64)
		levels := batch.Column(1).(*array.String)
		for row := 0; row < int(batch.NumRows()); row++ {
			told.Acks[levels.Value(row)]++
			if levels.Value(row) == "MEMORY" {
				told.LSNs = append(told.LSNs, lsns.Value(row))
			}
		}
	}
	return told, reader.Err()
}

// exchange writes by one DoExchange, and reads all acks until the server ends the stream.
func exchange(ctx context.Context, client flight.Client, path []string, options given) (report, error) {
	ctx = metadata.AppendToOutgoingContext(ctx, "arka-ack-until", options.until)
	if options.producer != "" {
		ctx = metadata.AppendToOutgoingContext(ctx, "arka-producer", options.producer)
	}
	stream, err := client.DoExchange(ctx)
	if err != nil {
		return report{}, err
	}
	writer := flight.NewRecordWriter(stream, ipc.WithSchema(schema))
	writer.SetFlightDescriptor(&flight.FlightDescriptor{Type: flight.DescriptorPATH, Path: path})
	sent := make(chan error, 1)
	go func() {
		err := send(writer, options.writes, options.producer)
		if err == nil {
			err = stream.CloseSend()
		}
		sent <- err
	}()
	reader, err := flight.NewRecordReader(stream)
	if err != nil {
		return report{}, err
	}
	defer reader.Release()
	told, err := readAcks(reader)
	if err != nil {
		return told, err
	}
	return told, <-sent
}

func write(ctx context.Context, options given) error {
	client, err := connect(options)
	if err != nil {
		return err
	}
	defer client.Close()
	told, err := exchange(ctx, client, []string{"streaming_write", options.table}, options)
	if err != nil {
		return err
	}
	return json.NewEncoder(os.Stdout).Encode(told)
}
