// Writes three rows and waits until they are in the object store.
//
// usage: quickstart [grpc://HOST:PORT]
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

var schema = arrow.NewSchema([]arrow.Field{
	{Name: "id", Type: arrow.PrimitiveTypes.Int64},
	{Name: "name", Type: arrow.BinaryTypes.String, Nullable: true},
}, nil)

func people() arrow.RecordBatch {
	builder := array.NewRecordBuilder(memory.DefaultAllocator, schema)
	defer builder.Release()
	builder.Field(0).(*array.Int64Builder).AppendValues([]int64{1, 2, 3}, nil)
	builder.Field(1).(*array.StringBuilder).AppendValues([]string{"Alice", "Bob", "Carol"}, nil)
	return builder.NewRecordBatch()
}

func run(ctx context.Context, location string) error {
	client, err := arka.Connect(location, arka.Options{})
	if err != nil {
		return err
	}
	defer client.Close()

	stream, err := client.Open(ctx, "guide.people", arka.StreamOptions{})
	if err != nil {
		return err
	}
	write, err := stream.Write(ctx, people())
	if err != nil {
		return err
	}
	if err := write.Wait(ctx, arka.ObjectStorage); err != nil {
		return err
	}
	lsn, err := write.LSN(ctx)
	if err != nil {
		return err
	}
	fmt.Println("in the object store:", lsn >= 1000)
	if err := stream.Close(ctx); err != nil {
		return err
	}

	rows, err := client.Query(ctx, "SELECT id, name FROM guide.people ORDER BY id LIMIT 3")
	if err != nil {
		return err
	}
	defer rows.Release()
	for rows.Next() {
		fmt.Println("rows:", rows.RecordBatch().NumRows())
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
