package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"

	"github.com/apache/arrow-go/v18/arrow/flight"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/credentials/insecure"
)

// transport is in the clear without a certificate, else TLS that trusts only that certificate.
func transport(certificate string) (credentials.TransportCredentials, error) {
	if certificate == "" {
		return insecure.NewCredentials(), nil
	}
	return credentials.NewClientTLSFromFile(certificate, "")
}

// connect returns a client that keeps cookies, as sessions need it.
func connect(options given) (flight.Client, error) {
	security, err := transport(options.certificate)
	if err != nil {
		return nil, err
	}
	return flight.NewClientWithMiddleware(options.address, nil,
		[]flight.ClientMiddleware{flight.NewClientCookieMiddleware()},
		grpc.WithTransportCredentials(security))
}

// tell prints what was called and what the server answered as one line.
func tell(name string, answer any) error {
	return json.NewEncoder(os.Stdout).Encode(map[string]any{"name": name, "answer": answer})
}

// step is something to be done under its name.
type step struct {
	name string
	run  func(ctx context.Context, client flight.Client) (any, error)
}

// tellAll runs the steps in order and tells what each was answered.
func tellAll(ctx context.Context, client flight.Client, steps []step) error {
	for _, step := range steps {
		answer, err := step.run(ctx, client)
		if err != nil {
			return fmt.Errorf("%s: %w", step.name, err)
		}
		if err := tell(step.name, answer); err != nil {
			return err
		}
	}
	return nil
}
