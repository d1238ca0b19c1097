package main

import (
	"context"

	"github.com/apache/arrow-go/v18/arrow/flight"
)

func stringOption(value string) *flight.SessionOptionValue {
	option, err := flight.NewSessionOptionValue(value)
	if err != nil {
		panic(err) // strings are always taken
	}
	return &option
}

// sessionOptions sets, uses and gets the options, closes the session, and closes it once more.
func sessionOptions(ctx context.Context, client flight.Client) (any, error) {
	set, err := client.SetSessionOptions(ctx, &flight.SetSessionOptionsRequest{
		SessionOptions: map[string]*flight.SessionOptionValue{
			"schema": stringOption("sales"), "catalog": stringOption("nowhere"), "color": stringOption("red"),
		}})
	if err != nil {
		return nil, err
	}
	refused := map[string]string{}
	for name, reason := range set.Errors {
		refused[name] = reason.Value.String()
	}
	got, err := client.GetSessionOptions(ctx, &flight.GetSessionOptionsRequest{})
	if err != nil {
		return nil, err
	}
	values := map[string]string{}
	for name, value := range got.SessionOptions {
		values[name] = value.GetStringValue()
	}
	short := &flight.FlightDescriptor{Type: flight.DescriptorPATH, Path: []string{"orders"}}
	info, err := client.GetFlightInfo(ctx, short)
	if err != nil {
		return nil, err
	}
	names, err := columns(info.Schema)
	if err != nil {
		return nil, err
	}
	closed, err := client.CloseSession(ctx, &flight.CloseSessionRequest{})
	if err != nil {
		return nil, err
	}
	_, again := client.CloseSession(ctx, &flight.CloseSessionRequest{})
	return map[string]any{"refused": refused, "values": values, "columns": len(names),
		"closed": closed.Status.String(), "again": codeOf(again)}, nil
}
