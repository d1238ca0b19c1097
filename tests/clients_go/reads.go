package main

import (
	"context"
	"sort"

	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/flight"
)

// readEndpoint answers the numbers of one endpoint's rows.
func readEndpoint(ctx context.Context, client flight.Client, ticket *flight.Ticket) ([]int64, error) {
	stream, err := client.DoGet(ctx, ticket)
	if err != nil {
		return nil, err
	}
	reader, err := flight.NewRecordReader(stream)
	if err != nil {
		return nil, err
	}
	defer reader.Release()
	var numbers []int64
	for reader.Next() {
		numbers = append(numbers, reader.RecordBatch().Column(0).(*array.Int64).Int64Values()...)
	}
	return numbers, reader.Err()
}

// read reads all endpoints, side by side; answers the numbers in their order.
func read(descriptor *flight.FlightDescriptor) func(context.Context, flight.Client) (any, error) {
	return func(ctx context.Context, client flight.Client) (any, error) {
		info, err := client.GetFlightInfo(ctx, descriptor)
		if err != nil {
			return nil, err
		}
		type part struct {
			numbers []int64
			err     error
		}
		parts := make(chan part)
		for _, endpoint := range info.Endpoint {
			go func() {
				numbers, err := readEndpoint(ctx, client, endpoint.Ticket)
				parts <- part{numbers, err}
			}()
		}
		numbers := []int64{}
		for range info.Endpoint {
			part := <-parts
			if part.err != nil {
				err = part.err
			}
			numbers = append(numbers, part.numbers...)
		}
		sort.Slice(numbers, func(i, j int) bool { return numbers[i] < numbers[j] })
		return numbers, err
	}
}

// cancelFlightInfo answers what it was told, and how reading the ticket ends afterwards.
func cancelFlightInfo(ctx context.Context, client flight.Client) (any, error) {
	info, err := client.GetFlightInfo(ctx, orders)
	if err != nil {
		return nil, err
	}
	result, err := client.CancelFlightInfo(ctx, &flight.CancelFlightInfoRequest{Info: info})
	if err != nil {
		return nil, err
	}
	_, readError := readEndpoint(ctx, client, info.Endpoint[0].Ticket)
	return []string{result.Status.String(), codeOf(readError)}, nil
}

// renewFlightEndpoint answers by how much the expiry moved, and the rows of the renewed endpoint.
func renewFlightEndpoint(ctx context.Context, client flight.Client) (any, error) {
	info, err := client.GetFlightInfo(ctx, orders)
	if err != nil {
		return nil, err
	}
	old := info.Endpoint[0]
	renewed, err := client.RenewFlightEndpoint(ctx, &flight.RenewFlightEndpointRequest{Endpoint: old})
	if err != nil {
		return nil, err
	}
	numbers, err := readEndpoint(ctx, client, renewed.Ticket)
	later := !renewed.ExpirationTime.AsTime().Before(old.ExpirationTime.AsTime())
	return map[string]any{"later": later, "rows": len(numbers)}, err
}
