//! Rows as columns: what `serde` tells of a row is put where the schema has it.
//!
//! The columns are plain vectors, so that a row that turns out not to fit can be taken back.

use std::collections::HashMap;
use std::fmt::Display;
use std::sync::Arc;

use arrow_array::types::{
    Date32Type, Date64Type, Decimal128Type, Time32MillisecondType, Time32SecondType,
    Time64MicrosecondType, Time64NanosecondType, TimestampMicrosecondType,
    TimestampMillisecondType, TimestampNanosecondType, TimestampSecondType,
};
use arrow_array::{ArrayRef, RecordBatch, make_array};
use arrow_buffer::{BooleanBufferBuilder, Buffer, MutableBuffer, NullBufferBuilder};
use arrow_cast::parse::{Parser, parse_decimal};
use arrow_cast::{CastOptions, cast_with_options};
use arrow_data::ArrayData;
use arrow_schema::{ArrowError, DataType, Field, FieldRef, SchemaRef, TimeUnit};
use serde_core::Serialize;

use crate::error::{Code, Error, Result};
use crate::row::{Misfit, put_row};

/// The columns of one batch to be.
pub(crate) struct Columns {
    schema: SchemaRef,
    fields: Fields,
    rows: usize,
    /// A row is put, in part. Stays so where its `Serialize` panics.
    torn: bool,
}

impl Columns {
    pub(crate) fn new(schema: SchemaRef) -> Result<Columns> {
        let fields = Fields::new(schema.fields())?;
        Ok(Columns { schema, fields, rows: 0, torn: false })
    }

    pub(crate) fn rows(&self) -> usize {
        self.rows
    }

    /// About how large the batch would be.
    pub(crate) fn bytes(&self) -> usize {
        self.fields.columns.iter().map(Column::bytes).sum()
    }

    /// Adds a row, or nothing of it.
    pub(crate) fn append<R: Serialize + ?Sized>(&mut self, row: &R) -> Result<()> {
        self.mend();
        self.torn = true;
        let put = put_row(&mut self.fields, self.rows, row);
        self.rows += usize::from(put.is_ok());
        self.torn = put.is_err();
        put.map_err(|Misfit(message)| Error::new(Code::InvalidArgument, message))
    }

    /// Takes back what there is of a row that was not put as a whole.
    fn mend(&mut self) {
        if std::mem::take(&mut self.torn) {
            self.fields.truncate(self.rows);
        }
    }

    /// The rows as batches; there are none then. As a rule that is one. Where some do not fit, such as more
    /// words than the keys of a dictionary can count, there are more, and the error is of those that fit into none.
    pub(crate) fn finish(&mut self) -> (Vec<RecordBatch>, Option<Error>) {
        self.mend();
        let rows = std::mem::take(&mut self.rows);
        let (mut batches, mut misfits) = (Vec::new(), Misfits::default());
        let gathered: std::result::Result<Vec<ArrayRef>, ArrowError> =
            self.fields.columns.iter_mut().map(Column::gathered).collect();
        match gathered {
            Ok(arrays) => self.fit(&arrays, rows, &mut batches, &mut misfits),
            Err(error) => {
                self.fields.truncate(0);
                misfits.add(rows, error);
            }
        }
        let error = misfits.first.map(|first| {
            let message = format!("{} of {rows} rows do not fit; the first: {first}", misfits.rows);
            Error::new(Code::InvalidArgument, message)
        });
        (batches, error)
    }

    fn fit(
        &self,
        arrays: &[ArrayRef],
        rows: usize,
        batches: &mut Vec<RecordBatch>,
        misfits: &mut Misfits,
    ) {
        if rows == 0 {
            return;
        }
        let fitted: std::result::Result<Vec<ArrayRef>, ArrowError> =
            self.fields.columns.iter().zip(arrays).map(|(column, a)| column.fitted(a)).collect();
        match fitted.and_then(|arrays| RecordBatch::try_new(Arc::clone(&self.schema), arrays)) {
            Ok(batch) => batches.push(batch),
            Err(error) if rows == 1 => misfits.add(rows, error),
            Err(_) => {
                let half = rows / 2;
                for (first, rows) in [(0, half), (half, rows - half)] {
                    let part: Vec<ArrayRef> = arrays.iter().map(|a| a.slice(first, rows)).collect();
                    self.fit(&part, rows, batches, misfits);
                }
            }
        }
    }
}

/// Rows that fit into no batch.
#[derive(Default)]
struct Misfits {
    rows: usize,
    first: Option<ArrowError>,
}

impl Misfits {
    fn add(&mut self, rows: usize, error: ArrowError) {
        self.rows += rows;
        self.first.get_or_insert(error);
    }
}

/// The columns of a row, or of a struct in it.
pub(crate) struct Fields {
    pub(crate) columns: Vec<Column>,
    places: HashMap<String, usize>,
}

impl Fields {
    fn new(fields: &[FieldRef]) -> Result<Fields> {
        let columns: Result<Vec<Column>> = fields.iter().map(|field| Column::new(field)).collect();
        let places =
            fields.iter().enumerate().map(|(i, field)| (field.name().clone(), i)).collect();
        Ok(Fields { columns: columns?, places })
    }

    /// Where the column of that name is. Rows mostly have their columns in order: `guess` is looked at first.
    pub(crate) fn place(&self, name: &str, guess: usize) -> Option<usize> {
        if self.columns.get(guess).is_some_and(|column| column.name() == name) {
            return Some(guess);
        }
        self.places.get(name).copied()
    }

    fn truncate(&mut self, rows: usize) {
        self.columns.iter_mut().for_each(|column| column.truncate(rows));
    }
}

enum Values {
    Bool(BooleanBufferBuilder),
    /// Numbers, and what is kept as such, of so many bytes each.
    Fixed(usize, MutableBuffer),
    /// Text and bytes: where each ends, and all of them.
    Bytes(Vec<i32>, MutableBuffer),
    List(Vec<i32>, Box<Column>),
    Map(Vec<i32>, Box<Column>),
    Struct(Fields),
}

/// The values of one column.
pub(crate) struct Column {
    field: Field,
    /// The layout that the values are gathered in; made into the field's in the end.
    layout: DataType,
    values: Values,
    valid: NullBufferBuilder,
}

/// The simple layout for the values of a type: of several that hold the same, one.
fn layout_of(kind: &DataType) -> DataType {
    match kind {
        DataType::LargeUtf8 | DataType::Utf8View => DataType::Utf8,
        DataType::LargeBinary | DataType::BinaryView => DataType::Binary,
        DataType::Float16 => DataType::Float32,
        DataType::Decimal32(precision, scale)
        | DataType::Decimal64(precision, scale)
        | DataType::Decimal256(precision, scale) => {
            DataType::Decimal128((*precision).min(38), *scale)
        }
        DataType::LargeList(item)
        | DataType::ListView(item)
        | DataType::LargeListView(item)
        | DataType::FixedSizeList(item, _) => DataType::List(Arc::clone(item)),
        DataType::Dictionary(_, values) => layout_of(values),
        DataType::RunEndEncoded(_, values) => layout_of(values.data_type()),
        other => other.clone(),
    }
}

impl Column {
    fn new(field: &Field) -> Result<Column> {
        let layout = layout_of(field.data_type());
        let empty = || MutableBuffer::new(0);
        let values = match &layout {
            DataType::Boolean => Values::Bool(BooleanBufferBuilder::new(0)),
            DataType::Utf8 | DataType::Binary => Values::Bytes(vec![0], empty()),
            DataType::FixedSizeBinary(width) => {
                Values::Fixed(usize::try_from(*width).unwrap_or_default(), empty())
            }
            DataType::List(item) => Values::List(vec![0], Box::new(Column::new(item)?)),
            DataType::Map(entries, _) => Values::Map(vec![0], Box::new(Column::new(entries)?)),
            DataType::Struct(fields) => Values::Struct(Fields::new(fields)?),
            kind => match kind.primitive_width() {
                Some(width) => Values::Fixed(width, empty()),
                None => {
                    let message = format!(
                        "the column {:?} of type {} cannot be appended to row by row: write batches",
                        field.name(),
                        field.data_type()
                    );
                    return Err(Error::new(Code::InvalidArgument, message));
                }
            },
        };
        let valid = NullBufferBuilder::new(0);
        Ok(Column { field: field.clone(), layout, values, valid })
    }

    pub(crate) fn name(&self) -> &str {
        self.field.name()
    }

    pub(crate) fn len(&self) -> usize {
        self.valid.len()
    }

    fn bytes(&self) -> usize {
        match &self.values {
            Values::Bool(bits) => bits.len() / 8,
            Values::Fixed(_, bytes) => bytes.len(),
            Values::Bytes(ends, bytes) => 4 * ends.len() + bytes.len(),
            Values::List(ends, item) | Values::Map(ends, item) => 4 * ends.len() + item.bytes(),
            Values::Struct(fields) => fields.columns.iter().map(Column::bytes).sum(),
        }
    }

    fn truncate(&mut self, rows: usize) {
        let end = |ends: &mut Vec<i32>| {
            ends.truncate(rows + 1);
            usize::try_from(ends.last().copied().unwrap_or_default()).unwrap_or_default()
        };
        match &mut self.values {
            Values::Bool(bits) => bits.truncate(rows),
            Values::Fixed(width, bytes) => bytes.truncate(rows * *width),
            Values::Bytes(ends, bytes) => bytes.truncate(end(ends)),
            Values::List(ends, item) | Values::Map(ends, item) => item.truncate(end(ends)),
            Values::Struct(fields) => fields.truncate(rows),
        }
        self.valid.truncate(rows);
    }

    /// The values in their layout; there are none then.
    fn gathered(&mut self) -> std::result::Result<ArrayRef, ArrowError> {
        let made = ArrayData::builder(self.layout.clone()).len(self.len());
        let made = match &mut self.values {
            Values::Bool(bits) => made.add_buffer(bits.finish().into_inner()),
            Values::Fixed(_, bytes) => made.add_buffer(taken(bytes)),
            Values::Bytes(ends, bytes) => made.add_buffer(ends_of(ends)).add_buffer(taken(bytes)),
            Values::List(ends, item) | Values::Map(ends, item) => {
                let items = item.gathered()?;
                made.add_buffer(ends_of(ends)).add_child_data(item.fitted(&items)?.to_data())
            }
            Values::Struct(fields) => {
                let children: std::result::Result<Vec<ArrayRef>, ArrowError> = fields
                    .columns
                    .iter_mut()
                    .map(|c| c.gathered().and_then(|a| c.fitted(&a)))
                    .collect();
                made.child_data(children?.iter().map(|child| child.to_data()).collect())
            }
        };
        Ok(make_array(made.nulls(self.valid.finish()).build()?))
    }

    /// Values in their layout as what the field says.
    fn fitted(&self, values: &ArrayRef) -> std::result::Result<ArrayRef, ArrowError> {
        if &self.layout == self.field.data_type() {
            return Ok(Arc::clone(values));
        }
        let options = CastOptions { safe: false, ..Default::default() };
        cast_with_options(values, self.field.data_type(), &options)
    }

    pub(crate) fn misfit(&self, given: impl Display) -> Misfit {
        let (name, kind) = (self.field.name(), self.field.data_type());
        Misfit(format!("the column {name:?} of type {kind} cannot hold {given}"))
    }

    pub(crate) fn put_null(&mut self) -> std::result::Result<(), Misfit> {
        if !self.field.is_nullable() {
            return Err(Misfit(format!("the column {:?} must have a value", self.field.name())));
        }
        self.put_nothing();
        Ok(())
    }

    /// A null, also below a struct that is null.
    fn put_nothing(&mut self) {
        match &mut self.values {
            Values::Bool(bits) => bits.append(false),
            Values::Fixed(width, bytes) => bytes.extend_zeros(*width),
            Values::Bytes(ends, _) | Values::List(ends, _) | Values::Map(ends, _) => {
                ends.extend_from_within(ends.len() - 1..);
            }
            Values::Struct(fields) => fields.columns.iter_mut().for_each(Column::put_nothing),
        }
        self.valid.append_null();
    }

    pub(crate) fn put_bool(&mut self, value: bool) -> std::result::Result<(), Misfit> {
        let Values::Bool(bits) = &mut self.values else { return Err(self.misfit(value)) };
        bits.append(value);
        self.valid.append_non_null();
        Ok(())
    }

    pub(crate) fn put_integer(&mut self, value: i128) -> std::result::Result<(), Misfit> {
        let put = match &self.layout {
            DataType::Int8 => i8::try_from(value).is_ok_and(|v| self.put_fixed(&v.to_ne_bytes())),
            DataType::Int16 => i16::try_from(value).is_ok_and(|v| self.put_fixed(&v.to_ne_bytes())),
            DataType::Int32 | DataType::Date32 | DataType::Time32(_) => {
                i32::try_from(value).is_ok_and(|v| self.put_fixed(&v.to_ne_bytes()))
            }
            DataType::Int64
            | DataType::Date64
            | DataType::Time64(_)
            | DataType::Timestamp(..)
            | DataType::Duration(_) => {
                i64::try_from(value).is_ok_and(|v| self.put_fixed(&v.to_ne_bytes()))
            }
            DataType::UInt8 => u8::try_from(value).is_ok_and(|v| self.put_fixed(&v.to_ne_bytes())),
            DataType::UInt16 => {
                u16::try_from(value).is_ok_and(|v| self.put_fixed(&v.to_ne_bytes()))
            }
            DataType::UInt32 => {
                u32::try_from(value).is_ok_and(|v| self.put_fixed(&v.to_ne_bytes()))
            }
            DataType::UInt64 => {
                u64::try_from(value).is_ok_and(|v| self.put_fixed(&v.to_ne_bytes()))
            }
            DataType::Float32 => self.put_fixed(&(value as f32).to_ne_bytes()),
            DataType::Float64 => self.put_fixed(&(value as f64).to_ne_bytes()),
            DataType::Decimal128(..) => return self.put_text(&value.to_string()),
            _ => false,
        };
        if put { Ok(()) } else { Err(self.misfit(value)) }
    }

    pub(crate) fn put_float(&mut self, value: f64) -> std::result::Result<(), Misfit> {
        let put = match &self.layout {
            DataType::Float32 => self.put_fixed(&(value as f32).to_ne_bytes()),
            DataType::Float64 => self.put_fixed(&value.to_ne_bytes()),
            DataType::Decimal128(..) => return self.put_text(&value.to_string()),
            _ => false,
        };
        if put { Ok(()) } else { Err(self.misfit(value)) }
    }

    /// Text; dates, times and timestamps in ISO 8601, decimals in digits.
    pub(crate) fn put_text(&mut self, text: &str) -> std::result::Result<(), Misfit> {
        let put = match &self.layout {
            DataType::Utf8 => self.put_variable(text.as_bytes()),
            DataType::Decimal128(precision, scale) => {
                let parsed = parse_decimal::<Decimal128Type>(text, *precision, *scale);
                parsed.is_ok_and(|v| self.put_fixed(&v.to_ne_bytes()))
            }
            DataType::Date32 => {
                Date32Type::parse(text).is_some_and(|v| self.put_fixed(&v.to_ne_bytes()))
            }
            DataType::Time32(unit) => {
                let parsed = match unit {
                    TimeUnit::Second => Time32SecondType::parse(text),
                    _ => Time32MillisecondType::parse(text),
                };
                parsed.is_some_and(|v| self.put_fixed(&v.to_ne_bytes()))
            }
            DataType::Date64 | DataType::Time64(_) | DataType::Timestamp(..) => {
                let parsed = match &self.layout {
                    DataType::Date64 => Date64Type::parse(text),
                    DataType::Time64(TimeUnit::Microsecond) => Time64MicrosecondType::parse(text),
                    DataType::Time64(_) => Time64NanosecondType::parse(text),
                    DataType::Timestamp(TimeUnit::Second, _) => TimestampSecondType::parse(text),
                    DataType::Timestamp(TimeUnit::Millisecond, _) => {
                        TimestampMillisecondType::parse(text)
                    }
                    DataType::Timestamp(TimeUnit::Microsecond, _) => {
                        TimestampMicrosecondType::parse(text)
                    }
                    _ => TimestampNanosecondType::parse(text),
                };
                parsed.is_some_and(|v| self.put_fixed(&v.to_ne_bytes()))
            }
            _ => false,
        };
        if put { Ok(()) } else { Err(self.misfit(format_args!("{text:?}"))) }
    }

    pub(crate) fn put_bytes(&mut self, value: &[u8]) -> std::result::Result<(), Misfit> {
        let put = match &self.layout {
            DataType::Binary => self.put_variable(value),
            DataType::FixedSizeBinary(_) => self.put_fixed(value),
            _ => false,
        };
        if put { Ok(()) } else { Err(self.misfit(format_args!("{} bytes", value.len()))) }
    }

    pub(crate) fn takes_bytes(&self) -> bool {
        matches!(self.layout, DataType::Binary | DataType::FixedSizeBinary(_))
    }

    /// The items of a list; the list is there once `end_list` was called.
    pub(crate) fn items(&mut self) -> Option<&mut Column> {
        match &mut self.values {
            Values::List(_, item) => Some(item),
            _ => None,
        }
    }

    /// The columns of a map's keys and values; the map is there once `end_list` was called.
    pub(crate) fn entries(&mut self) -> Option<[&mut Column; 2]> {
        match &mut self.values {
            Values::Map(_, entries) => match &mut entries.values {
                Values::Struct(Fields { columns, .. }) => match columns.as_mut_slice() {
                    [keys, values] => Some([keys, values]),
                    _ => None,
                },
                _ => None,
            },
            _ => None,
        }
    }

    /// The items that were put since the last list, or the entries since the last map, are one value.
    pub(crate) fn end_list(&mut self) -> std::result::Result<(), Misfit> {
        let end = match &mut self.values {
            Values::List(_, item) => item.len(),
            Values::Map(_, entries) => {
                if let Values::Struct(fields) = &entries.values {
                    let pairs = fields.columns.first().map_or(0, Column::len);
                    entries.valid.append_n_non_nulls(pairs - entries.valid.len());
                }
                entries.len()
            }
            _ => return Err(self.misfit("a list")),
        };
        let Ok(end) = i32::try_from(end) else { return Err(self.misfit("so many items")) };
        if let Values::List(ends, _) | Values::Map(ends, _) = &mut self.values {
            let items = end - ends.last().copied().unwrap_or_default();
            if let DataType::FixedSizeList(_, size) = self.field.data_type()
                && items != *size
            {
                return Err(self.misfit(format_args!("a list of {items}")));
            }
            ends.push(end);
        }
        self.valid.append_non_null();
        Ok(())
    }

    /// The columns of a struct; it is there once `end_struct` was called.
    pub(crate) fn fields(&mut self) -> Option<&mut Fields> {
        match &mut self.values {
            Values::Struct(fields) => Some(fields),
            _ => None,
        }
    }

    pub(crate) fn end_struct(&mut self) {
        self.valid.append_non_null();
    }

    fn put_fixed(&mut self, value: &[u8]) -> bool {
        match &mut self.values {
            Values::Fixed(width, bytes) if *width == value.len() => {
                bytes.extend_from_slice(value);
                self.valid.append_non_null();
                true
            }
            _ => false,
        }
    }

    fn put_variable(&mut self, value: &[u8]) -> bool {
        let Values::Bytes(ends, bytes) = &mut self.values else { return false };
        let Ok(end) = i32::try_from(bytes.len() + value.len()) else { return false };
        bytes.extend_from_slice(value);
        ends.push(end);
        self.valid.append_non_null();
        true
    }
}

fn taken(bytes: &mut MutableBuffer) -> Buffer {
    std::mem::replace(bytes, MutableBuffer::new(0)).into()
}

fn ends_of(ends: &mut Vec<i32>) -> Buffer {
    Buffer::from_vec(std::mem::replace(ends, vec![0]))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use arrow_cast::display::{ArrayFormatter, FormatOptions};
    use arrow_schema::Schema;
    use serde_json::json;

    use super::*;

    fn columns(fields: Vec<Field>) -> Columns {
        Columns::new(Arc::new(Schema::new(fields))).unwrap()
    }

    fn finish(columns: &mut Columns) -> RecordBatch {
        let (batches, error) = columns.finish();
        assert!(error.is_none(), "{error:?}");
        batches.into_iter().next().unwrap()
    }

    fn text(batch: &RecordBatch, column: usize, row: usize) -> String {
        let options = FormatOptions::default().with_null("null");
        ArrayFormatter::try_new(batch.column(column), &options).unwrap().value(row).to_string()
    }

    #[derive(serde::Serialize)]
    struct Reading<'a> {
        sensor: &'a str,
        celsius: Option<f64>,
    }

    fn readings() -> Columns {
        columns(vec![
            Field::new("sensor", DataType::Utf8, false),
            Field::new("celsius", DataType::Float64, true),
        ])
    }

    #[test]
    fn structs_and_maps_are_rows() {
        let mut columns = readings();
        columns.append(&Reading { sensor: "attic", celsius: Some(20.5) }).unwrap();
        columns.append(&Reading { sensor: "cellar", celsius: None }).unwrap();
        columns.append(&json!({"celsius": 3, "sensor": "roof"})).unwrap();
        columns.append(&BTreeMap::from([("sensor", "door")])).unwrap();
        let batch = finish(&mut columns);
        let rows: Vec<[String; 2]> =
            (0..4).map(|row| [0, 1].map(|i| text(&batch, i, row))).collect();
        assert_eq!(
            rows,
            [["attic", "20.5"], ["cellar", "null"], ["roof", "3.0"], ["door", "null"]]
        );
        assert_eq!(columns.rows(), 0);
    }

    #[test]
    fn a_row_that_does_not_fit_is_taken_back_as_a_whole() {
        let mut columns = readings();
        columns.append(&Reading { sensor: "attic", celsius: Some(20.5) }).unwrap();
        for (row, reason) in [
            (json!({"sensor": "attic", "humidity": 5}), "there is no column \"humidity\""),
            (json!({"celsius": 1.0}), "\"sensor\" must have a value"),
            (json!({"sensor": null}), "\"sensor\" must have a value"),
            (json!({"sensor": 7}), "\"sensor\" of type Utf8 cannot hold 7"),
            (json!({"sensor": "a", "celsius": "warm"}), "\"celsius\" of type Float64 cannot hold"),
            (json!(7), "a row is a struct or a map"),
        ] {
            let refused = columns.append(&row).unwrap_err();
            assert_eq!(refused.code(), Code::InvalidArgument);
            assert!(refused.message().contains(reason), "{}", refused.message());
        }
        columns.append(&Reading { sensor: "roof", celsius: None }).unwrap();
        let batch = finish(&mut columns);
        assert_eq!(batch.num_rows(), 2);
        assert_eq!([text(&batch, 0, 1), text(&batch, 1, 1)], ["roof", "null"]);
    }

    #[test]
    fn a_number_that_is_too_large_is_refused() {
        let mut columns = columns(vec![Field::new("n", DataType::Int8, false)]);
        columns.append(&json!({"n": 127})).unwrap();
        assert!(columns.append(&json!({"n": 128})).is_err());
        assert!(columns.append(&json!({"n": 1.5})).is_err());
        assert_eq!(finish(&mut columns).num_rows(), 1);
    }

    #[test]
    fn every_type_has_a_way_to_say_it() {
        use DataType::*;
        let item = || Arc::new(Field::new_list_field(Int32, true));
        let entries =
            Struct(vec![Field::new("keys", Utf8, false), Field::new("values", Int32, true)].into());
        for (kind, value, shown) in [
            (Boolean, json!(true), "true"),
            (UInt64, json!(u64::MAX), "18446744073709551615"),
            (Float16, json!(1.5), "1.5"),
            (Decimal128(10, 2), json!("12.34"), "12.34"),
            (Decimal256(10, 2), json!(12.34), "12.34"),
            (Date32, json!("2024-10-04"), "2024-10-04"),
            (Date64, json!("2024-10-04"), "2024-10-04T00:00:00"),
            (Time32(TimeUnit::Second), json!("12:34:56"), "12:34:56"),
            (Time64(TimeUnit::Microsecond), json!("12:34:56.789"), "12:34:56.789"),
            (
                Timestamp(TimeUnit::Millisecond, None),
                json!("2024-10-04 01:02:03"),
                "2024-10-04T01:02:03",
            ),
            (Timestamp(TimeUnit::Microsecond, None), json!(1_000_000), "1970-01-01T00:00:01"),
            (Utf8View, json!("text"), "text"),
            (LargeUtf8, json!("text"), "text"),
            (Binary, json!([1, 255]), "01ff"),
            (BinaryView, json!([1, 255]), "01ff"),
            (FixedSizeBinary(2), json!([1, 255]), "01ff"),
            (List(item()), json!([1, null]), "[1, null]"),
            (LargeList(item()), json!([1, 2]), "[1, 2]"),
            (FixedSizeList(item(), 2), json!([1, 2]), "[1, 2]"),
            (
                Map(Arc::new(Field::new("entries", entries, false)), false),
                json!({"a": 1}),
                "{a: 1}",
            ),
            (Struct(vec![Field::new("a", Int32, true)].into()), json!({"a": 1}), "{a: 1}"),
            (Dictionary(Box::new(Int8), Box::new(Utf8)), json!("word"), "word"),
        ] {
            let mut columns = columns(vec![Field::new("c", kind.clone(), true)]);
            columns.append(&json!({"c": value})).unwrap();
            columns.append(&json!({"c": null})).unwrap();
            let batch = finish(&mut columns);
            assert_eq!(text(&batch, 0, 0), shown, "{kind}");
            assert!(batch.column(0).is_null(1), "{kind}");
        }
    }

    #[test]
    fn what_was_put_into_a_list_goes_when_its_row_does() {
        let item = Arc::new(Field::new_list_field(DataType::Int32, true));
        let mut columns = columns(vec![Field::new("c", DataType::List(item), true)]);
        assert!(columns.append(&json!({"c": [1, 2, "three"]})).is_err());
        columns.append(&json!({"c": [4]})).unwrap();
        assert_eq!(text(&finish(&mut columns), 0, 0), "[4]");
    }

    #[test]
    fn a_list_of_another_length_than_all_is_refused() {
        let item = Arc::new(Field::new_list_field(DataType::Int32, true));
        let mut columns = columns(vec![Field::new("c", DataType::FixedSizeList(item, 2), true)]);
        columns.append(&json!({"c": [1, 2]})).unwrap();
        let refused = columns.append(&json!({"c": [1, 2, 3]})).unwrap_err();
        assert!(refused.message().contains("cannot hold a list of 3"), "{refused}");
        assert_eq!(finish(&mut columns).num_rows(), 1);
    }

    #[test]
    fn rows_that_do_not_fit_together_are_in_several_batches() {
        let words = DataType::Dictionary(Box::new(DataType::Int8), Box::new(DataType::Utf8));
        let mut columns =
            columns(vec![Field::new("word", words, false), Field::new("n", DataType::Int64, true)]);
        for n in 0..300 {
            columns.append(&json!({"word": n.to_string(), "n": n})).unwrap();
        }
        let (batches, error) = columns.finish();
        assert!(error.is_none() && batches.len() > 1);
        let shown: Vec<[String; 2]> = batches
            .iter()
            .flat_map(|batch| (0..batch.num_rows()).map(|row| [0, 1].map(|i| text(batch, i, row))))
            .collect();
        assert_eq!(shown, (0..300).map(|n| [n.to_string(), n.to_string()]).collect::<Vec<_>>());
    }

    #[test]
    fn nothing_of_rows_that_did_not_fit_is_in_those_after_them() {
        let words = DataType::Dictionary(Box::new(DataType::Int8), Box::new(DataType::Utf8));
        let item = Arc::new(Field::new_list_field(words, true));
        let list = Field::new("words", DataType::List(item), true);
        let mut columns = columns(vec![list, Field::new("n", DataType::Int64, true)]);
        let many: Vec<String> = (0..300).map(|n| n.to_string()).collect();
        columns.append(&json!({"words": many, "n": 1})).unwrap();
        let (batches, error) = columns.finish();
        assert!(batches.is_empty() && error.unwrap().message().contains("1 of 1 rows"));
        columns.append(&json!({"words": ["a"]})).unwrap();
        let batch = finish(&mut columns);
        assert_eq!([text(&batch, 0, 0), text(&batch, 1, 0)], ["[a]", "null"]);
    }

    #[test]
    fn nothing_of_a_row_that_panicked_is_in_those_after_it() {
        struct Torn;
        impl Serialize for Torn {
            fn serialize<S: serde_core::Serializer>(
                &self,
                to: S,
            ) -> std::result::Result<S::Ok, S::Error> {
                use serde_core::ser::SerializeStruct;
                to.serialize_struct("Torn", 2)?.serialize_field("celsius", &1.5)?;
                panic!("in the middle of a row");
            }
        }
        let mut columns = readings();
        let append = std::panic::AssertUnwindSafe(|| columns.append(&Torn));
        assert!(std::panic::catch_unwind(append).is_err());
        columns.append(&json!({"sensor": "roof"})).unwrap();
        assert_eq!(text(&finish(&mut columns), 1, 0), "null");
    }
}
