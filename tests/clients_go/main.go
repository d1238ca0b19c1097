// A Flight client in Go, as its users write one: sends one-row writes to an Arka server, reads all
// acks until the server ends the stream, and prints as JSON what it was told.
package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"time"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/flight"
	"github.com/apache/arrow-go/v18/arrow/ipc"
	"github.com/apache/arrow-go/v18/arrow/memory"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/credentials/insecure"
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

// transport is in the clear without a certificate, else TLS that trusts only that certificate.
func transport(certificate string) (credentials.TransportCredentials, error) {
	if certificate == "" {
		return insecure.NewCredentials(), nil
	}
	return credentials.NewClientTLSFromFile(certificate, "")
}

// send numbers the writes 1, 2, 3, ... where they are a producer's.
func send(writer *flight.Writer, writes int, producer string) error {
	builder := array.NewRecordBuilder(memory.DefaultAllocator, schema)
	defer builder.Release()
	for i := 0; i < writes; i++ {
		builder.Field(0).(*array.Int64Builder).Append(int64(i))
		builder.Field(1).(*array.StringBuilder).Append(fmt.Sprintf("row %d", i))
		batch := builder.NewRecordBatch()
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

func run(address, table, certificate, until, producer string, writes int) (report, error) {
	security, err := transport(certificate)
	if err != nil {
		return report{}, err
	}
	client, err := flight.NewClientWithMiddleware(address, nil, nil,
		grpc.WithTransportCredentials(security))
	if err != nil {
		return report{}, err
	}
	defer client.Close()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	ctx = metadata.AppendToOutgoingContext(ctx, "arka-ack-until", until)
	if producer != "" {
		ctx = metadata.AppendToOutgoingContext(ctx, "arka-producer", producer)
	}
	stream, err := client.DoExchange(ctx)
	if err != nil {
		return report{}, err
	}

	writer := flight.NewRecordWriter(stream, ipc.WithSchema(schema))
	writer.SetFlightDescriptor(&flight.FlightDescriptor{
		Type: flight.DescriptorPATH, Path: []string{"streaming_write", table}})
	sent := make(chan error, 1)
	go func() {
		err := send(writer, writes, producer)
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

func main() {
	address := flag.String("address", "", "host:port")
	table := flag.String("table", "from_go", "the table's name")
	certificate := flag.String("certificate", "", "trust this certificate and use TLS")
	until := flag.String("until", "COMMITTED", "the level to wait for")
	producer := flag.String("producer", "", "number the writes under this name")
	writes := flag.Int("writes", 1000, "one-row writes to send")
	flag.Parse()
	told, err := run(*address, *table, *certificate, *until, *producer, *writes)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	if err := json.NewEncoder(os.Stdout).Encode(told); err != nil {
		panic(err)
	}
}
