package main

import (
	"context"
	"fmt"

	"github.com/apache/arrow-adbc/go/adbc"
	"github.com/apache/arrow-adbc/go/adbc/driver/flightsql"
	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"
)

// values reads all batches of a reader; as JSON they are objects, with the names of the columns.
func values(reader array.RecordReader) ([]arrow.RecordBatch, error) {
	defer reader.Release()
	batches := []arrow.RecordBatch{}
	for reader.Next() {
		batch := reader.RecordBatch()
		batch.Retain()
		batches = append(batches, batch)
	}
	return batches, reader.Err()
}

// ingest writes numbers 0 .. rows-1 in bulk; answers how many rows the driver says were written.
func ingest(ctx context.Context, connection adbc.Connection, mode string, rows int) (any, error) {
	statement, err := connection.NewStatement()
	if err != nil {
		return nil, err
	}
	defer statement.Close()
	for option, value := range map[string]string{
		adbc.OptionKeyIngestMode: mode, adbc.OptionKeyIngestTargetTable: "orders",
		adbc.OptionValueIngestTargetDBSchema: "sales"} {
		if err := statement.SetOption(option, value); err != nil {
			return nil, err
		}
	}
	batches := make([]arrow.RecordBatch, rows)
	for i := range batches {
		batches[i] = row(i)
	}
	stream, err := array.NewRecordReader(schema, batches)
	if err != nil {
		return nil, err
	}
	defer stream.Release()
	if err := statement.BindStream(ctx, stream); err != nil {
		return nil, err
	}
	return statement.ExecuteUpdate(ctx)
}

// query runs a statement, prepared where there are parameters; answers its rows.
func query(ctx context.Context, connection adbc.Connection, sql string, parameters arrow.RecordBatch) (any, error) {
	statement, err := connection.NewStatement()
	if err != nil {
		return nil, err
	}
	defer statement.Close()
	if err := statement.SetSqlQuery(sql); err != nil {
		return nil, err
	}
	if parameters != nil {
		if err := statement.Prepare(ctx); err != nil {
			return nil, err
		}
		if err := statement.Bind(ctx, parameters); err != nil {
			return nil, err
		}
	}
	reader, _, err := statement.ExecuteQuery(ctx)
	if err != nil {
		return nil, err
	}
	return values(reader)
}

// update runs an INSERT; answers the number of rows.
func update(ctx context.Context, connection adbc.Connection, sql string) (any, error) {
	statement, err := connection.NewStatement()
	if err != nil {
		return nil, err
	}
	defer statement.Close()
	if err := statement.SetSqlQuery(sql); err != nil {
		return nil, err
	}
	return statement.ExecuteUpdate(ctx)
}

func parameter(value int64) arrow.RecordBatch {
	builder := array.NewRecordBuilder(memory.DefaultAllocator, arrow.NewSchema(
		[]arrow.Field{{Name: "1", Type: arrow.PrimitiveTypes.Int64}}, nil))
	defer builder.Release()
	builder.Field(0).(*array.Int64Builder).Append(value)
	return builder.NewRecordBatch()
}

// adbcCalls uses ADBC's driver for Flight SQL: bulk ingest, the tree of objects, queries, parameters.
func adbcCalls(ctx context.Context, options given) error {
	database, err := flightsql.NewDriver(memory.DefaultAllocator).NewDatabase(map[string]string{
		adbc.OptionKeyURI:      "grpc+tcp://" + options.address,
		adbc.OptionKeyUsername: options.user, adbc.OptionKeyPassword: options.password})
	if err != nil {
		return err
	}
	defer database.Close()
	connection, err := database.Open(ctx)
	if err != nil {
		return err
	}
	defer connection.Close()
	for _, step := range []struct {
		name string
		run  func() (any, error)
	}{
		{"ingest", func() (any, error) {
			return ingest(ctx, connection, adbc.OptionValueIngestModeCreate, 5)
		}},
		{"ingest more", func() (any, error) {
			return ingest(ctx, connection, adbc.OptionValueIngestModeAppend, 2)
		}},
		{"update", func() (any, error) {
			return update(ctx, connection, "INSERT INTO sales.orders VALUES (10, 'ten'), (11, 'eleven')")
		}},
		{"query", func() (any, error) {
			return query(ctx, connection, "SELECT count(*) AS n, max(number) AS last FROM sales.orders", nil)
		}},
		{"parameters", func() (any, error) {
			return query(ctx, connection, "SELECT text FROM sales.orders WHERE number = ?", parameter(10))
		}},
		{"objects", func() (any, error) {
			reader, err := connection.GetObjects(ctx, adbc.ObjectDepthAll, nil, nil, nil, nil, nil)
			if err != nil {
				return nil, err
			}
			return values(reader)
		}},
	} {
		answer, err := step.run()
		if err != nil {
			return fmt.Errorf("%s: %w", step.name, err)
		}
		if err := tell(step.name, answer); err != nil {
			return err
		}
	}
	return nil
}
