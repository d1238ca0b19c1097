package main

import (
	"fmt"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/extensions"
	"github.com/apache/arrow-go/v18/arrow/memory"
)

// types are a column of every type that arrow-go has and a table can hold (docs/spec/tables.md), with a
// value as its builder reads it from text.
var types = []struct {
	name  string
	kind  arrow.DataType
	value string
}{
	{"bool", arrow.FixedWidthTypes.Boolean, "true"},
	{"int8", arrow.PrimitiveTypes.Int8, "-8"},
	{"int16", arrow.PrimitiveTypes.Int16, "-16"},
	{"int32", arrow.PrimitiveTypes.Int32, "-32"},
	{"int64", arrow.PrimitiveTypes.Int64, "-64"},
	{"uint8", arrow.PrimitiveTypes.Uint8, "8"},
	{"uint16", arrow.PrimitiveTypes.Uint16, "16"},
	{"uint32", arrow.PrimitiveTypes.Uint32, "32"},
	{"float16", arrow.FixedWidthTypes.Float16, "1.5"},
	{"float32", arrow.PrimitiveTypes.Float32, "2.5"},
	{"float64", arrow.PrimitiveTypes.Float64, "3.5"},
	{"decimal32", &arrow.Decimal32Type{Precision: 7, Scale: 2}, "12345.67"},
	{"decimal64", &arrow.Decimal64Type{Precision: 15, Scale: 2}, "1234567.89"},
	{"decimal128", &arrow.Decimal128Type{Precision: 38, Scale: 4}, "12345678.9012"},
	{"decimal256", &arrow.Decimal256Type{Precision: 38, Scale: 4}, "12345678.9012"},
	{"date32", arrow.FixedWidthTypes.Date32, "2024-10-04"},
	{"date64", arrow.FixedWidthTypes.Date64, "2024-10-04"},
	{"time32_s", arrow.FixedWidthTypes.Time32s, "12:34:56"},
	{"time32_ms", arrow.FixedWidthTypes.Time32ms, "12:34:56.789"},
	{"time64_us", arrow.FixedWidthTypes.Time64us, "12:34:56.789012"},
	{"time64_ns", arrow.FixedWidthTypes.Time64ns, "12:34:56.789012345"},
	{"timestamp_s", &arrow.TimestampType{Unit: arrow.Second}, "2024-10-04 12:34:56"},
	{"timestamp_ms", &arrow.TimestampType{Unit: arrow.Millisecond}, "2024-10-04 12:34:56.789"},
	{"timestamp_us", &arrow.TimestampType{Unit: arrow.Microsecond}, "2024-10-04 12:34:56.789012"},
	{"timestamp_ns", &arrow.TimestampType{Unit: arrow.Nanosecond}, "2024-10-04 12:34:56.789012345"},
	{"timestamp_us_utc", &arrow.TimestampType{Unit: arrow.Microsecond, TimeZone: "UTC"}, "2024-10-04 12:34:56.789012Z"},
	{"utf8", arrow.BinaryTypes.String, "text"},
	{"large_utf8", arrow.BinaryTypes.LargeString, "large text"},
	{"utf8_view", arrow.BinaryTypes.StringView, "a text that is too long to be inlined"},
	{"binary", arrow.BinaryTypes.Binary, "Ynl0ZXM="},
	{"large_binary", arrow.BinaryTypes.LargeBinary, "Ynl0ZXM="},
	{"binary_view", arrow.BinaryTypes.BinaryView, "Ynl0ZXMgdGhhdCBhcmUgdG9vIG1hbnkgdG8gYmUgaW5saW5lZA=="},
	{"fixed_size_binary", &arrow.FixedSizeBinaryType{ByteWidth: 4}, "Zm91cg=="},
	{"uuid", extensions.NewUUIDType(), "0f8fad5b-d9cb-469f-a165-70867728950e"},
	{"list", arrow.ListOf(arrow.PrimitiveTypes.Int32), "[1, null, 3]"},
	{"large_list", arrow.LargeListOf(arrow.PrimitiveTypes.Int32), "[1, null, 3]"},
	{"fixed_size_list", arrow.FixedSizeListOf(2, arrow.PrimitiveTypes.Int32), "[1, 2]"},
	{"map", arrow.MapOf(arrow.BinaryTypes.String, arrow.PrimitiveTypes.Int32), `[{"key": "a", "value": 1}]`},
	{"struct", arrow.StructOf(arrow.Field{Name: "a", Type: arrow.PrimitiveTypes.Int32, Nullable: true}), `{"a": 1}`},
	{"dictionary", &arrow.DictionaryType{IndexType: arrow.PrimitiveTypes.Int8, ValueType: arrow.BinaryTypes.String}, "word"},
	{"run_end_encoded", arrow.RunEndEncodedOf(arrow.PrimitiveTypes.Int32, arrow.PrimitiveTypes.Int64), "7"},
}

var everyType = func() *arrow.Schema {
	fields := []arrow.Field{}
	for _, column := range types {
		fields = append(fields, arrow.Field{Name: column.name, Type: column.kind, Nullable: true})
	}
	return arrow.NewSchema(fields, nil)
}()

// everyTypeBatch has two rows: a value in every column, and a null in every column.
func everyTypeBatch() (arrow.RecordBatch, error) {
	builder := array.NewRecordBuilder(memory.DefaultAllocator, everyType)
	defer builder.Release()
	for i, column := range types {
		if err := builder.Field(i).AppendValueFromString(column.value); err != nil {
			return nil, fmt.Errorf("%s: %w", column.name, err)
		}
		builder.Field(i).AppendNull()
	}
	return builder.NewRecordBatch(), nil
}
