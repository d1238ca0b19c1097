package main

import (
	"context"

	"github.com/apache/arrow-go/v18/arrow/flight"
	"google.golang.org/grpc/metadata"
	"google.golang.org/protobuf/proto"
)

// login returns a client and a context that has the token of the user's log-in.
func login(ctx context.Context, options given) (context.Context, flight.Client, error) {
	client, err := connect(options)
	if err != nil {
		return ctx, nil, err
	}
	ctx, err = client.AuthenticateBasicToken(ctx, options.user, options.password)
	return ctx, client, err
}

// handshake logs in by a BasicAuth message; what comes back is a token that AuthenticateBasicToken's
// calls could use as well.
func handshake(options given) func(context.Context, flight.Client) (any, error) {
	return func(ctx context.Context, client flight.Client) (any, error) {
		stream, err := client.Handshake(ctx)
		if err != nil {
			return nil, err
		}
		payload, err := proto.Marshal(&flight.BasicAuth{Username: options.user, Password: options.password})
		if err != nil {
			return nil, err
		}
		if err := stream.Send(&flight.HandshakeRequest{Payload: payload}); err != nil {
			return nil, err
		}
		if err := stream.CloseSend(); err != nil {
			return nil, err
		}
		answer, err := stream.Recv()
		if err != nil {
			return nil, err
		}
		ctx = metadata.AppendToOutgoingContext(ctx, "authorization", "Bearer "+string(answer.Payload))
		info, err := client.GetFlightInfo(ctx, &flight.FlightDescriptor{
			Type: flight.DescriptorPATH, Path: []string{"status"}})
		if err != nil {
			return nil, err
		}
		return map[string]any{"token": len(answer.Payload), "status": len(info.AppMetadata)}, nil
	}
}
