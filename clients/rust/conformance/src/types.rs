//! A column of every type that arrow-rs has and a table can hold (docs/spec/tables.md).

use std::collections::HashMap;
use std::sync::Arc;

use arrow_array::builder::{Int32Builder, MapBuilder, StringBuilder};
use arrow_array::types::{Int8Type, Int32Type};
use arrow_array::{
    Array, ArrayRef, BinaryArray, DictionaryArray, FixedSizeBinaryArray, FixedSizeListArray,
    Int32Array, Int64Array, LargeListArray, ListArray, RecordBatch, RunArray, StringArray,
    StructArray, TimestampMicrosecondArray,
};
use arrow_buffer::NullBuffer;
use arrow_cast::cast;
use arrow_schema::{DataType, Field, Schema, TimeUnit};

/// Two rows: a value in every column, and a null in every column.
pub fn batch() -> RecordBatch {
    let mut columns: Vec<(Field, ArrayRef)> = Vec::new();
    for (name, kind, value) in scalars() {
        let text: ArrayRef = Arc::new(StringArray::from(vec![Some(value), None]));
        let array = cast(&text, &kind).expect("text becomes a value");
        assert!(array.is_valid(0), "{name}: {value:?} is no {kind}");
        columns.push((Field::new(name, kind, true), array));
    }
    let bytes: ArrayRef = Arc::new(BinaryArray::from(vec![Some(&b"bytes"[..]), None]));
    for (name, kind) in [
        ("binary", DataType::Binary),
        ("large_binary", DataType::LargeBinary),
        ("binary_view", DataType::BinaryView),
    ] {
        columns.push((Field::new(name, kind.clone(), true), cast(&bytes, &kind).expect("bytes")));
    }
    for (name, array) in others() {
        columns.push((Field::new(name, array.data_type().clone(), true), array));
    }
    let uuid = HashMap::from([("ARROW:extension:name".to_owned(), "arrow.uuid".to_owned())]);
    let sixteen = fixed(&[7; 16]);
    let field = Field::new("uuid", sixteen.data_type().clone(), true).with_metadata(uuid);
    columns.push((field, sixteen));

    let (fields, arrays): (Vec<Field>, Vec<ArrayRef>) = columns.into_iter().unzip();
    RecordBatch::try_new(Arc::new(Schema::new(fields)), arrays).expect("two rows each")
}

fn scalars() -> Vec<(&'static str, DataType, &'static str)> {
    use DataType::*;
    let timestamp = |unit| Timestamp(unit, None);
    vec![
        ("bool", Boolean, "true"),
        ("int8", Int8, "-8"),
        ("int16", Int16, "-16"),
        ("int32", Int32, "-32"),
        ("int64", Int64, "-64"),
        ("uint8", UInt8, "8"),
        ("uint16", UInt16, "16"),
        ("uint32", UInt32, "32"),
        ("float16", Float16, "1.5"),
        ("float32", Float32, "2.5"),
        ("float64", Float64, "3.5"),
        ("decimal32", Decimal32(7, 2), "12345.67"),
        ("decimal64", Decimal64(15, 2), "1234567.89"),
        ("decimal128", Decimal128(38, 4), "12345678.9012"),
        ("decimal256", Decimal256(38, 4), "12345678.9012"),
        ("date32", Date32, "2024-10-04"),
        ("date64", Date64, "2024-10-04"),
        ("time32_s", Time32(TimeUnit::Second), "12:34:56"),
        ("time32_ms", Time32(TimeUnit::Millisecond), "12:34:56.789"),
        ("time64_us", Time64(TimeUnit::Microsecond), "12:34:56.789012"),
        ("time64_ns", Time64(TimeUnit::Nanosecond), "12:34:56.789012345"),
        ("timestamp_s", timestamp(TimeUnit::Second), "2024-10-04 12:34:56"),
        ("timestamp_ms", timestamp(TimeUnit::Millisecond), "2024-10-04 12:34:56.789"),
        ("timestamp_us", timestamp(TimeUnit::Microsecond), "2024-10-04 12:34:56.789012"),
        ("timestamp_ns", timestamp(TimeUnit::Nanosecond), "2024-10-04 12:34:56.789012345"),
        ("utf8", Utf8, "text"),
        ("large_utf8", LargeUtf8, "large text"),
        ("utf8_view", Utf8View, "a text that is too long to be inlined"),
    ]
}

fn fixed(value: &[u8]) -> ArrayRef {
    let values = [Some(value), None].into_iter();
    let array = FixedSizeBinaryArray::try_from_sparse_iter_with_size(values, value.len() as i32);
    Arc::new(array.expect("one width"))
}

fn others() -> Vec<(&'static str, ArrayRef)> {
    let items = || vec![Some(vec![Some(1), None]), None];
    let mut map = MapBuilder::new(None, StringBuilder::new(), Int32Builder::new());
    map.keys().append_value("a");
    map.values().append_value(1);
    map.append(true).expect("a key for each value");
    map.append(false).expect("a key for each value");
    let member = Arc::new(Field::new("a", DataType::Int32, true));
    let numbers: ArrayRef = Arc::new(Int32Array::from(vec![Some(1), None]));
    let nulls = NullBuffer::from(vec![true, false]);
    let words: DictionaryArray<Int8Type> = [Some("word"), None].into_iter().collect();
    let ends = Int32Array::from(vec![1, 2]);
    // Without a time zone database arrow-rs parses no text in a named zone.
    let in_utc = TimestampMicrosecondArray::from(vec![Some(1_728_045_296_789_012), None]);
    let runs = RunArray::<Int32Type>::try_new(&ends, &Int64Array::from(vec![Some(7), None]));
    vec![
        ("timestamp_us_utc", Arc::new(in_utc.with_timezone("UTC"))),
        ("fixed_size_binary", fixed(b"four")),
        ("list", Arc::new(ListArray::from_iter_primitive::<Int32Type, _, _>(items()))),
        ("large_list", Arc::new(LargeListArray::from_iter_primitive::<Int32Type, _, _>(items()))),
        (
            "fixed_size_list",
            Arc::new(FixedSizeListArray::from_iter_primitive::<Int32Type, _, _>(items(), 2)),
        ),
        ("map", Arc::new(map.finish())),
        ("struct", Arc::new(StructArray::new(vec![member].into(), vec![numbers], Some(nulls)))),
        ("dictionary", Arc::new(words)),
        ("run_end_encoded", Arc::new(runs.expect("an end for each value"))),
    ]
}
