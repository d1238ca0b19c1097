// A program that may be started again at any time, and writes each of its batches once.
//
// usage: exactly_once [grpc://HOST:PORT]
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

var schema = arrow.NewSchema([]arrow.Field{{Name: "line", Type: arrow.PrimitiveTypes.Int64}}, nil)

func line(number int64) arrow.RecordBatch {
	builder := array.NewRecordBuilder(memory.DefaultAllocator, schema)
	defer builder.Release()
	builder.Field(0).(*array.Int64Builder).Append(number)
	return builder.NewRecordBatch()
}

// copyLines writes lines up to `until`, going on after those that an earlier run has written.
func copyLines(ctx context.Context, client *arka.Client, until int64) error {
	stream, err := client.Open(ctx, "guide.lines", arka.StreamOptions{Producer: "till 4"})
	if err != nil {
		return err
	}
	// Every batch is one line here, so the number of batches says where to go on.
	for number := stream.LastSeq() + 1; number <= until; number++ {
		if _, err := stream.Write(ctx, line(number)); err != nil {
			return err
		}
	}
	return stream.Close(ctx) // everything is on the server's disk
}

func run(ctx context.Context, location string) error {
	client, err := arka.Connect(location, arka.Options{})
	if err != nil {
		return err
	}
	defer client.Close()
	if err := copyLines(ctx, client, 30); err != nil {
		return err
	}
	if err := copyLines(ctx, client, 50); err != nil { // as if started again
		return err
	}
	rows, err := client.Query(ctx, "SELECT count(*), count(DISTINCT line), max(line) FROM guide.lines")
	if err != nil {
		return err
	}
	defer rows.Release()
	for rows.Next() {
		batch := rows.RecordBatch()
		fmt.Println("lines:", batch.Column(0), "different:", batch.Column(1), "last:", batch.Column(2))
	}
	return rows.Err()
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
