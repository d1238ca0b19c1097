package main

import (
	"context"
	"fmt"

	"github.com/apache/arrow-go/v18/arrow/flight"
	"github.com/apache/arrow-go/v18/arrow/flight/flightsql"
	"github.com/apache/arrow-go/v18/arrow/memory"
	"google.golang.org/grpc"
)

// catalog asks all that Flight SQL has to ask about what there is, and tells the rows of the answers.
func catalog(ctx context.Context, options given) error {
	ctx, client, err := login(ctx, options)
	if err != nil {
		return err
	}
	defer client.Close()
	if _, err := put(1, "LOCAL_DISK")(ctx, client); err != nil {
		return err
	}
	sql := &flightsql.Client{Client: client, Alloc: memory.DefaultAllocator}
	pattern, bigint := "ord%", int32(-5)
	table := flightsql.TableRef{Table: "orders"}
	for _, question := range []struct {
		name string
		ask  func(context.Context, ...grpc.CallOption) (*flight.FlightInfo, error)
	}{
		{"catalogs", sql.GetCatalogs},
		{"schemas", func(ctx context.Context, _ ...grpc.CallOption) (*flight.FlightInfo, error) {
			return sql.GetDBSchemas(ctx, &flightsql.GetDBSchemasOpts{})
		}},
		{"tables", func(ctx context.Context, _ ...grpc.CallOption) (*flight.FlightInfo, error) {
			return sql.GetTables(ctx, &flightsql.GetTablesOpts{TableNameFilterPattern: &pattern})
		}},
		{"table types", sql.GetTableTypes},
		{"info", func(ctx context.Context, _ ...grpc.CallOption) (*flight.FlightInfo, error) {
			return sql.GetSqlInfo(ctx, []flightsql.SqlInfo{flightsql.SqlInfoFlightSqlServerName})
		}},
		{"types", func(ctx context.Context, _ ...grpc.CallOption) (*flight.FlightInfo, error) {
			return sql.GetXdbcTypeInfo(ctx, nil)
		}},
		{"type", func(ctx context.Context, _ ...grpc.CallOption) (*flight.FlightInfo, error) {
			return sql.GetXdbcTypeInfo(ctx, &bigint)
		}},
		{"primary keys", func(ctx context.Context, _ ...grpc.CallOption) (*flight.FlightInfo, error) {
			return sql.GetPrimaryKeys(ctx, table)
		}},
		{"exported keys", func(ctx context.Context, _ ...grpc.CallOption) (*flight.FlightInfo, error) {
			return sql.GetExportedKeys(ctx, table)
		}},
		{"imported keys", func(ctx context.Context, _ ...grpc.CallOption) (*flight.FlightInfo, error) {
			return sql.GetImportedKeys(ctx, table)
		}},
		{"cross reference", func(ctx context.Context, _ ...grpc.CallOption) (*flight.FlightInfo, error) {
			return sql.GetCrossReference(ctx, table, table)
		}},
	} {
		info, err := question.ask(ctx)
		if err != nil {
			return fmt.Errorf("%s: %w", question.name, err)
		}
		reader, err := sql.DoGet(ctx, info.Endpoint[0].Ticket)
		if err != nil {
			return fmt.Errorf("%s: %w", question.name, err)
		}
		rows, err := values(reader)
		if err != nil {
			return fmt.Errorf("%s: %w", question.name, err)
		}
		if err := tell(question.name, rows); err != nil {
			return err
		}
	}
	return nil
}
