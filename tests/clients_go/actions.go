package main

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"

	"github.com/apache/arrow-go/v18/arrow/flight"
	"github.com/apache/arrow-go/v18/arrow/flight/flightsql"
	"github.com/apache/arrow-go/v18/arrow/memory"
	"google.golang.org/grpc/metadata"
)

// listActions answers the names; an action without a description is an error.
func listActions(ctx context.Context, client flight.Client) (any, error) {
	stream, err := client.ListActions(ctx, &flight.Empty{})
	if err != nil {
		return nil, err
	}
	types, err := collect(stream.Recv)
	names := []string{}
	for _, kind := range types {
		if len(kind.Description) < 20 {
			return nil, fmt.Errorf("%s has no description", kind.Type)
		}
		names = append(names, kind.Type)
	}
	return names, err
}

// schemaText is what create_table takes.
func schemaText() string {
	return base64.StdEncoding.EncodeToString(flight.SerializeSchema(schema, memory.DefaultAllocator))
}

// act does one action whose body and answers are JSON.
func act(name string, body any) step {
	return step{name, func(ctx context.Context, client flight.Client) (any, error) {
		text, err := json.Marshal(body)
		if err != nil {
			return nil, err
		}
		stream, err := client.DoAction(ctx, &flight.Action{Type: name, Body: text})
		if err != nil {
			return nil, err
		}
		results, err := collect(stream.Recv)
		if err != nil {
			return nil, err
		}
		if len(results) != 1 {
			return nil, fmt.Errorf("%d answers", len(results))
		}
		return json.RawMessage(results[0].Body), nil
	}}
}

// cancel does the action of that name to a ticket that was just given out.
func cancel(ctx context.Context, client flight.Client) (any, error) {
	info, err := client.GetFlightInfo(ctx, orders)
	if err != nil {
		return nil, err
	}
	ticket := base64.StdEncoding.EncodeToString(info.Endpoint[0].Ticket.Ticket)
	return act("cancel", map[string]string{"ticket": ticket}).run(ctx, client)
}

// prepared prepares a statement, closes it, and answers what running it then says.
func prepared(ctx context.Context, client flight.Client) (any, error) {
	statement, err := (&flightsql.Client{Client: client, Alloc: memory.DefaultAllocator}).Prepare(
		ctx, "SELECT number FROM sales.orders WHERE number = ?")
	if err != nil {
		return nil, err
	}
	described := []string{statement.DatasetSchema().Field(0).Name, statement.ParameterSchema().Field(0).Type.String()}
	handle := statement.Handle()
	if err := statement.Close(ctx); err != nil {
		return nil, err
	}
	_, err = flightsql.NewPreparedStatement(
		&flightsql.Client{Client: client, Alloc: memory.DefaultAllocator}, handle).Execute(ctx)
	return append(described, codeOf(err)), nil
}

func cancelQuery(ctx context.Context, client flight.Client) (any, error) {
	sql := &flightsql.Client{Client: client, Alloc: memory.DefaultAllocator}
	info, err := sql.Execute(ctx, "SELECT number FROM sales.orders")
	if err != nil {
		return nil, err
	}
	//lint:ignore SA1019 older clients still send it
	result, err := sql.CancelQuery(ctx, info)
	return result == flightsql.CancelResultCancelled, err
}

// actions does every action once, on the table sales.orders, which it makes, alters and drops. The
// names before a colon are the actions'.
func actions(ctx context.Context, options given) error {
	ctx, client, err := login(ctx, options)
	if err != nil {
		return err
	}
	defer client.Close()
	table := map[string]any{"table": "sales.orders"}
	steps := []step{
		{"ListActions", listActions},
		act("create_table", map[string]any{"table": "sales.orders", "schema_ipc": schemaText()}),
		{"DoPut", func(ctx context.Context, client flight.Client) (any, error) {
			return put(3, "LOCAL_DISK")(metadata.AppendToOutgoingContext(ctx, "arka-session", "go"), client)
		}},
		act("last_seq", map[string]any{"producer": "go", "table": "sales.orders"}),
		act("claim_producer", map[string]any{"producer": "go", "table": "sales.orders"}),
		act("flush", map[string]any{"table": "sales.orders", "level": "OBJECT_STORAGE"}),
		act("commit", table),
		act("durability_status", map[string]any{"lsns": []int{1000, 1001, 1002}}),
		act("status", map[string]any{}),
		act("list_sessions", map[string]any{}),
		{"cancel", cancel},
		{"CancelFlightInfo", cancelFlightInfo},
		{"RenewFlightEndpoint", renewFlightEndpoint},
		{"SetSessionOptions, GetSessionOptions, CloseSession", sessionOptions},
		{"CreatePreparedStatement, ClosePreparedStatement", prepared},
		{"CancelQuery", cancelQuery},
		act("alter_table", map[string]any{"table": "sales.orders",
			"changes": []any{map[string]any{"change": "add_column", "name": "note", "type": "string"}}}),
		act("seal", table),
		act("unseal", table),
		act("drop_table", table),
	}
	return tellAll(ctx, client, steps)
}
