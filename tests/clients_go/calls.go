package main

import (
	"context"
	"encoding/json"
	"errors"
	"io"

	"github.com/apache/arrow-go/v18/arrow/flight"
	"github.com/apache/arrow-go/v18/arrow/ipc"
	"github.com/apache/arrow-go/v18/arrow/memory"
	"google.golang.org/grpc/metadata"
)

var orders = &flight.FlightDescriptor{Type: flight.DescriptorPATH, Path: []string{"sales", "orders"}}

// collect reads a stream of messages to its end.
func collect[T any](receive func() (T, error)) ([]T, error) {
	var all []T
	for {
		message, err := receive()
		if errors.Is(err, io.EOF) {
			return all, nil
		}
		if err != nil {
			return all, err
		}
		all = append(all, message)
	}
}

// put writes one-row batches by DoPut; answers the PutResults.
func put(rows int, level string) func(context.Context, flight.Client) (any, error) {
	return func(ctx context.Context, client flight.Client) (any, error) {
		stream, err := client.DoPut(metadata.AppendToOutgoingContext(ctx, "arka-acks", level))
		if err != nil {
			return nil, err
		}
		writer := flight.NewRecordWriter(stream, ipc.WithSchema(schema))
		writer.SetFlightDescriptor(orders)
		sendError := send(writer, rows, "")
		if sendError == nil {
			sendError = stream.CloseSend()
		}
		results, err := collect(stream.Recv) // the server's word before the sender's
		if err != nil {
			return nil, err
		}
		told := []json.RawMessage{}
		for _, result := range results {
			told = append(told, result.AppMetadata)
		}
		return told, sendError
	}
}

func listFlights(criteria string) func(context.Context, flight.Client) (any, error) {
	return func(ctx context.Context, client flight.Client) (any, error) {
		stream, err := client.ListFlights(ctx, &flight.Criteria{Expression: []byte(criteria)})
		if err != nil {
			return nil, err
		}
		infos, err := collect(stream.Recv)
		names := [][]string{}
		for _, info := range infos {
			names = append(names, info.FlightDescriptor.Path)
		}
		return names, err
	}
}

func columns(serialized []byte) ([]string, error) {
	found, err := flight.DeserializeSchema(serialized, memory.DefaultAllocator)
	if err != nil {
		return nil, err
	}
	names := []string{}
	for _, field := range found.Fields() {
		names = append(names, field.Name+" "+field.Type.String())
	}
	return names, nil
}

// describe tells of a FlightInfo what a client plans a read by.
func describe(info *flight.FlightInfo) (map[string]any, error) {
	names, err := columns(info.Schema)
	tickets, expiring := map[string]bool{}, 0
	for _, endpoint := range info.Endpoint {
		tickets[string(endpoint.Ticket.Ticket)] = true
		if endpoint.ExpirationTime.IsValid() {
			expiring++
		}
	}
	return map[string]any{"columns": names, "endpoints": len(info.Endpoint), "tickets": len(tickets),
		"expiring": expiring, "records": info.TotalRecords}, err
}

func getFlightInfo(ctx context.Context, client flight.Client) (any, error) {
	info, err := client.GetFlightInfo(ctx, orders)
	if err != nil {
		return nil, err
	}
	return describe(info)
}

func pollFlightInfo(ctx context.Context, client flight.Client) (any, error) {
	poll, err := client.PollFlightInfo(ctx, orders)
	if err != nil {
		return nil, err
	}
	told, err := describe(poll.Info)
	told["progress"] = poll.GetProgress()
	told["again"] = poll.FlightDescriptor != nil
	return told, err
}

func getSchema(ctx context.Context, client flight.Client) (any, error) {
	result, err := client.GetSchema(ctx, orders)
	if err != nil {
		return nil, err
	}
	return columns(result.Schema)
}

func calls(ctx context.Context, options given) error {
	anonymous := ctx
	ctx, client, err := login(ctx, options)
	if err != nil {
		return err
	}
	defer client.Close()
	if err := tellAll(anonymous, client, []step{{"Handshake", handshake(options)}}); err != nil {
		return err
	}
	return tellAll(ctx, client, []step{
		{"DoPut", put(3, "LOCAL_DISK")},
		act("commit", map[string]any{}), // so that there is an endpoint of files and one of fresh rows
		{"DoExchange", func(ctx context.Context, client flight.Client) (any, error) {
			return exchange(ctx, client, []string{"streaming_write", "sales", "orders"},
				given{until: "LOCAL_DISK", writes: 2})
		}},
		{"ListFlights", listFlights("")},
		{"ListFlights sales.", listFlights("sales.")},
		{"ListFlights *.ord?rs", listFlights("*.ord?rs")},
		{"ListFlights none", listFlights("none")},
		{"GetFlightInfo", getFlightInfo},
		{"PollFlightInfo", pollFlightInfo},
		{"GetSchema", getSchema},
		{"DoGet", read(orders)},
		{"DoGet of SQL", read(&flight.FlightDescriptor{Type: flight.DescriptorCMD,
			Cmd: []byte("SELECT number FROM sales.orders WHERE number > 0")})},
		{"CancelFlightInfo", cancelFlightInfo},
		{"RenewFlightEndpoint", renewFlightEndpoint},
		{"session options", sessionOptions},
		{"ListActions", listActions},
	})
}
