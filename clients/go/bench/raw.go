package main

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/flight"
	"github.com/apache/arrow-go/v18/arrow/ipc"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/metadata"
)

// exchange is a DoExchange of arrow-go alone.
type exchange struct {
	client flight.Client
	stream flight.FlightService_DoExchangeClient
	writer *flight.Writer
}

// dial asks for the acks of one level, of a server that has such: one row a write.
func dial(ctx context.Context, t task, level string) (exchange, error) {
	client, err := flight.NewClientWithMiddleware(strings.TrimPrefix(t.url, "grpc://"), nil, nil,
		grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		return exchange{}, err
	}
	ctx = metadata.AppendToOutgoingContext(ctx, "arka-acks", level, "arka-ack-until", level)
	stream, err := client.DoExchange(ctx)
	if err != nil {
		return exchange{}, err
	}
	writer := flight.NewRecordWriter(stream, ipc.WithSchema(schema))
	writer.SetFlightDescriptor(&flight.FlightDescriptor{
		Type: flight.DescriptorPATH, Path: append([]string{"streaming_write"}, strings.Split(t.table, ".")...)})
	return exchange{client, stream, writer}, nil
}

func rawWrites(ctx context.Context, t task) (map[string]any, error) {
	raw, err := dial(ctx, t, "LOCAL_DISK")
	if err != nil {
		return nil, err
	}
	defer raw.client.Close()
	room := make(chan struct{}, t.inFlight)
	answered := 0
	ended := make(chan error, 1)
	go func() {
		reader, err := flight.NewRecordReader(raw.stream)
		for err == nil && reader.Next() {
			for range reader.RecordBatch().NumRows() {
				<-room
				answered++
			}
		}
		if err == nil {
			err = reader.Err()
		}
		ended <- err
	}()
	count := 0
	began := time.Now()
	for end := t.end(); time.Now().Before(end); count++ {
		select {
		case room <- struct{}{}:
		case err := <-ended:
			return nil, fmt.Errorf("the server ended the stream: %v", err)
		}
		batch := t.batch(count)
		err := raw.writer.Write(batch)
		batch.Release()
		if err != nil {
			return nil, err
		}
	}
	if err := raw.stream.CloseSend(); err != nil {
		return nil, err
	}
	err = <-ended
	if err == nil && answered != count {
		err = fmt.Errorf("%d answers to %d writes", answered, count)
	}
	return since(began, "writes", count), err
}

func rawLatency(ctx context.Context, t task) (map[string]any, error) {
	raw, err := dial(ctx, t, "MEMORY")
	if err != nil {
		return nil, err
	}
	defer raw.client.Close()
	var reader *flight.Reader
	result, err := t.latencies(func(batch arrow.RecordBatch) error {
		if err := raw.writer.Write(batch); err != nil {
			return err
		}
		if reader == nil { // it reads the schema, which some servers send when there is something to answer
			if reader, err = flight.NewRecordReader(raw.stream); err != nil {
				return err
			}
		}
		if !reader.Next() {
			return fmt.Errorf("the server ended the stream: %v", reader.Err())
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return result, raw.stream.CloseSend()
}
