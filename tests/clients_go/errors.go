package main

import (
	"context"
	"fmt"
	"regexp"
	"strings"
	"time"

	"github.com/apache/arrow-go/v18/arrow/flight"
	"github.com/apache/arrow-go/v18/arrow/ipc"
	"google.golang.org/grpc"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
)

var innerCapital = regexp.MustCompile(`([a-z])([A-Z])`)

// codeOf is the code of an error as docs/spec/wire.md spells it, such as NOT_FOUND.
func codeOf(err error) string {
	name := status.Code(err).String()
	if name == "Canceled" {
		return "CANCELLED" // Go's spelling is its own
	}
	return strings.ToUpper(innerCapital.ReplaceAllString(name, "${1}_${2}"))
}

// failing is a call that is refused, and the trailers that it ended with.
type failing func(ctx context.Context, client flight.Client, trailers grpc.CallOption) error

func action(name, body string) failing {
	return func(ctx context.Context, client flight.Client, trailers grpc.CallOption) error {
		stream, err := client.DoAction(ctx, &flight.Action{Type: name, Body: []byte(body)}, trailers)
		if err == nil {
			_, err = collect(stream.Recv)
		}
		return err
	}
}

// putting sends a one-row write of that text size to a table, waits, and ends.
func putting(table string, textBytes int, wait time.Duration, headers ...string) failing {
	return func(ctx context.Context, client flight.Client, trailers grpc.CallOption) error {
		stream, err := client.DoPut(metadata.AppendToOutgoingContext(ctx, headers...), trailers)
		if err != nil {
			return err
		}
		writer := flight.NewRecordWriter(stream, ipc.WithSchema(schema))
		writer.SetFlightDescriptor(&flight.FlightDescriptor{
			Type: flight.DescriptorPATH, Path: []string{"sales", table}})
		batch := textRow(0, strings.Repeat("x", textBytes))
		defer batch.Release()
		// A send that fails says only that the call has ended; why is what Recv answers.
		if writer.Write(batch) == nil && wait == 0 {
			_ = stream.CloseSend()
		}
		_, err = collect(stream.Recv)
		return err
	}
}

// reading asks for what the command describes and reads it, after `first` was done to its ticket.
func reading(command string, first func(context.Context, flight.Client, *flight.FlightInfo) error) failing {
	return func(ctx context.Context, client flight.Client, trailers grpc.CallOption) error {
		info, err := client.GetFlightInfo(ctx, &flight.FlightDescriptor{
			Type: flight.DescriptorCMD, Cmd: []byte(command)}, trailers)
		if err != nil {
			return err
		}
		stream, err := client.DoGet(ctx, info.Endpoint[0].Ticket, trailers)
		if err != nil {
			return err
		}
		if first != nil {
			if _, err := stream.Recv(); err != nil {
				return err
			}
			if err := first(ctx, client, info); err != nil {
				return fmt.Errorf("what comes first: %w", err)
			}
		}
		_, err = collect(stream.Recv)
		return err
	}
}

func cancelling(ctx context.Context, client flight.Client, info *flight.FlightInfo) error {
	_, err := client.CancelFlightInfo(ctx, &flight.CancelFlightInfoRequest{Info: info})
	return err
}

// provoke makes one call for every code that a client can provoke, and tells code, message and
// whether the server says that a retry may help. INTERNAL is a defect: no call is known for it.
func provoke(anonymous context.Context, options given) error {
	ctx, client, err := login(anonymous, options)
	if err != nil {
		return err
	}
	defer client.Close()
	if _, err := put(1, "LOCAL_DISK")(ctx, client); err != nil {
		return err
	}
	sealed := fmt.Sprintf(`{"table": "sales.sealed", "schema_ipc": "%s"}`, schemaText())
	if err := action("create_table", sealed)(ctx, client, grpc.EmptyCallOption{}); err != nil {
		return err
	}
	if err := action("seal", `{"table": "sales.sealed"}`)(ctx, client, grpc.EmptyCallOption{}); err != nil {
		return err
	}
	reader := metadata.AppendToOutgoingContext(anonymous, "authorization", "Bearer "+options.reader)
	nowhere := func(ctx context.Context, client flight.Client, trailers grpc.CallOption) error {
		_, err := client.GetFlightInfo(ctx, &flight.FlightDescriptor{
			Type: flight.DescriptorPATH, Path: []string{"sales", "nowhere"}}, trailers)
		return err
	}
	for _, wrong := range []struct {
		ctx  context.Context
		what string
		call failing
	}{
		{anonymous, "a call without credentials", nowhere},
		{reader, "a write by who may only read", putting("orders", 1, 0)},
		{ctx, "a header that is none", putting("orders", 1, 0, "arka-acks", "PAPER")},
		{ctx, "a table that is not there", nowhere},
		{ctx, "a table that is there already", action("create_table", sealed)},
		{ctx, "a write to a sealed table", putting("sealed", 1, 0)},
		{ctx, "a purge", action("drop_table", `{"table": "sales.orders", "purge": true}`)},
		{ctx, "a batch that is too large", putting("orders", 1<<20, 0)},
		{ctx, "a stream that says nothing", putting("orders", 1, time.Minute)},
		{ctx, "a query without end", reading("SELECT count(*) FROM range(10000000) a, range(10000000) b", nil)},
		{ctx, "a query that is cancelled", reading("SELECT * FROM range(1000000000)", cancelling)},
	} {
		var trailers metadata.MD
		err := wrong.call(wrong.ctx, client, grpc.Trailer(&trailers))
		if err := tell(wrong.what, map[string]any{"code": codeOf(err), "message": status.Convert(err).Message(),
			"retryable": strings.Join(trailers.Get("arka-retryable"), ",")}); err != nil {
			return err
		}
	}
	return nil
}
