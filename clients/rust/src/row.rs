//! What `serde` tells of a row, handed to the columns that it names.

use std::fmt::Display;

use serde_core::ser::{
    Impossible, Serialize, SerializeMap, SerializeSeq, SerializeStruct, SerializeTuple, Serializer,
};

use crate::column::{Column, Fields};

/// Why a row does not fit.
#[derive(Debug)]
pub(crate) struct Misfit(pub(crate) String);

impl Display for Misfit {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Misfit {}

impl serde_core::ser::Error for Misfit {
    fn custom<T: Display>(message: T) -> Misfit {
        Misfit(message.to_string())
    }
}

type Put = Result<(), Misfit>;
type Never = Impossible<(), Misfit>;

/// Puts a row into columns that have so many before. After an error some have one value more than others.
pub(crate) fn put_row<R: Serialize + ?Sized>(fields: &mut Fields, rows: usize, row: &R) -> Put {
    row.serialize(RowPutter(fields, rows))
}

/// Serializer methods that refuse, each named with its arguments.
macro_rules! refuse {
    ($($name:ident($($argument:ty),*) $(-> $answer:ty)?, $what:literal;)*) => {
        $(
            fn $name(self, $(_: $argument),*) -> refuse!(@answer $($answer)?) {
                Err(self.refused($what))
            }
        )*
    };
    (@answer) => { Put };
    (@answer $answer:ty) => { Result<$answer, Misfit> };
}

struct RowPutter<'a>(&'a mut Fields, usize);

impl RowPutter<'_> {
    fn refused(&self, what: &str) -> Misfit {
        Misfit(format!("a row is a struct or a map, not {what}"))
    }
}

impl<'a> Serializer for RowPutter<'a> {
    type Ok = ();
    type Error = Misfit;
    type SerializeSeq = Never;
    type SerializeTuple = Never;
    type SerializeTupleStruct = Never;
    type SerializeTupleVariant = Never;
    type SerializeMap = MapPutter<'a>;
    type SerializeStruct = FieldsPutter<'a>;
    type SerializeStructVariant = Never;

    fn serialize_struct(self, _: &'static str, _: usize) -> Result<FieldsPutter<'a>, Misfit> {
        Ok(FieldsPutter::of_row(self.0, self.1))
    }

    fn serialize_map(self, _: Option<usize>) -> Result<MapPutter<'a>, Misfit> {
        Ok(MapPutter::Fields(FieldsPutter::of_row(self.0, self.1), String::new()))
    }

    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Put {
        value.serialize(self)
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(self, _: &'static str, value: &T) -> Put {
        value.serialize(self)
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
        _: &T,
    ) -> Put {
        Err(self.refused("an enum"))
    }

    refuse! {
        serialize_bool(bool), "a bool";
        serialize_i8(i8), "a number";
        serialize_i16(i16), "a number";
        serialize_i32(i32), "a number";
        serialize_i64(i64), "a number";
        serialize_u8(u8), "a number";
        serialize_u16(u16), "a number";
        serialize_u32(u32), "a number";
        serialize_u64(u64), "a number";
        serialize_f32(f32), "a number";
        serialize_f64(f64), "a number";
        serialize_char(char), "a char";
        serialize_str(&str), "a string";
        serialize_bytes(&[u8]), "bytes";
        serialize_none(), "nothing";
        serialize_unit(), "nothing";
        serialize_unit_struct(&'static str), "nothing";
        serialize_unit_variant(&'static str, u32, &'static str), "an enum";
        serialize_seq(Option<usize>) -> Never, "a list";
        serialize_tuple(usize) -> Never, "a tuple";
        serialize_tuple_struct(&'static str, usize) -> Never, "a tuple";
        serialize_tuple_variant(&'static str, u32, &'static str, usize) -> Never, "an enum";
        serialize_struct_variant(&'static str, u32, &'static str, usize) -> Never, "an enum";
    }
}

/// Puts the fields of a row, or of a struct in a column, by their names.
pub(crate) struct FieldsPutter<'a> {
    target: Target<'a>,
    /// The values that each column has when all is put.
    rows: usize,
    /// The column after the last one.
    next: usize,
}

enum Target<'a> {
    Row(&'a mut Fields),
    Struct(&'a mut Column),
}

impl<'a> FieldsPutter<'a> {
    fn of_row(fields: &'a mut Fields, rows: usize) -> FieldsPutter<'a> {
        FieldsPutter { target: Target::Row(fields), rows: rows + 1, next: 0 }
    }

    fn of_struct(column: &'a mut Column) -> FieldsPutter<'a> {
        let rows = column.len() + 1;
        FieldsPutter { target: Target::Struct(column), rows, next: 0 }
    }

    fn put<T: Serialize + ?Sized>(&mut self, name: &str, value: &T) -> Put {
        let fields = match &mut self.target {
            Target::Row(fields) => fields,
            Target::Struct(column) => {
                column.fields().ok_or_else(|| Misfit("no struct".to_owned()))?
            }
        };
        let place = fields.place(name, self.next);
        let Some((place, column)) = place.and_then(|at| Some((at, fields.columns.get_mut(at)?)))
        else {
            return Err(Misfit(format!("there is no column {name:?}")));
        };
        self.next = place + 1;
        if column.len() >= self.rows {
            return Err(Misfit(format!("the column {name:?} is given twice")));
        }
        value.serialize(ColumnPutter(column))
    }

    fn finish(self) -> Put {
        let rows = self.rows;
        let complete = |fields: &mut Fields| {
            let mut left_out = fields.columns.iter_mut().filter(|column| column.len() < rows);
            left_out.try_for_each(Column::put_null)
        };
        match self.target {
            Target::Row(fields) => complete(fields),
            Target::Struct(column) => {
                column.fields().map_or(Ok(()), complete)?;
                column.end_struct();
                Ok(())
            }
        }
    }
}

impl SerializeStruct for FieldsPutter<'_> {
    type Ok = ();
    type Error = Misfit;

    fn serialize_field<T: Serialize + ?Sized>(&mut self, name: &'static str, value: &T) -> Put {
        self.put(name, value)
    }

    fn end(self) -> Put {
        self.finish()
    }
}

/// Puts a map: as fields by their names, or into a column of maps.
pub(crate) enum MapPutter<'a> {
    Fields(FieldsPutter<'a>, String),
    Entries(&'a mut Column),
}

impl SerializeMap for MapPutter<'_> {
    type Ok = ();
    type Error = Misfit;

    fn serialize_key<T: Serialize + ?Sized>(&mut self, key: &T) -> Put {
        match self {
            MapPutter::Fields(_, name) => match serde_json::to_value(key) {
                Ok(serde_json::Value::String(text)) => {
                    *name = text;
                    Ok(())
                }
                _ => Err(Misfit("the keys of a row are the names of columns".to_owned())),
            },
            MapPutter::Entries(column) => match column.entries() {
                Some([keys, _]) => key.serialize(ColumnPutter(keys)),
                None => Err(column.misfit("a map")),
            },
        }
    }

    fn serialize_value<T: Serialize + ?Sized>(&mut self, value: &T) -> Put {
        match self {
            MapPutter::Fields(fields, name) => fields.put(name, value),
            MapPutter::Entries(column) => match column.entries() {
                Some([_, values]) => value.serialize(ColumnPutter(values)),
                None => Err(column.misfit("a map")),
            },
        }
    }

    fn end(self) -> Put {
        match self {
            MapPutter::Fields(fields, _) => fields.finish(),
            MapPutter::Entries(column) => column.end_list(),
        }
    }
}

/// Puts the items of a list, or bytes that come one by one.
pub(crate) enum ListPutter<'a> {
    Items(&'a mut Column),
    Bytes(&'a mut Column, Vec<u8>),
}

impl ListPutter<'_> {
    fn put<T: Serialize + ?Sized>(&mut self, value: &T) -> Put {
        match self {
            ListPutter::Items(column) => match column.items() {
                Some(items) => value.serialize(ColumnPutter(items)),
                None => Err(column.misfit("a list")),
            },
            ListPutter::Bytes(column, bytes) => {
                let byte = serde_json::to_value(value).ok().and_then(|value| value.as_u64());
                match byte.and_then(|byte| u8::try_from(byte).ok()) {
                    Some(byte) => bytes.push(byte),
                    None => return Err(column.misfit("a list of what is no bytes")),
                }
                Ok(())
            }
        }
    }

    fn finish(self) -> Put {
        match self {
            ListPutter::Items(column) => column.end_list(),
            ListPutter::Bytes(column, bytes) => column.put_bytes(&bytes),
        }
    }
}

impl SerializeSeq for ListPutter<'_> {
    type Ok = ();
    type Error = Misfit;

    fn serialize_element<T: Serialize + ?Sized>(&mut self, value: &T) -> Put {
        self.put(value)
    }

    fn end(self) -> Put {
        self.finish()
    }
}

impl SerializeTuple for ListPutter<'_> {
    type Ok = ();
    type Error = Misfit;

    fn serialize_element<T: Serialize + ?Sized>(&mut self, value: &T) -> Put {
        self.put(value)
    }

    fn end(self) -> Put {
        self.finish()
    }
}

/// Puts one value into a column.
struct ColumnPutter<'a>(&'a mut Column);

impl<'a> ColumnPutter<'a> {
    fn refused(&self, what: &str) -> Misfit {
        self.0.misfit(what)
    }

    fn list(self) -> Result<ListPutter<'a>, Misfit> {
        if self.0.takes_bytes() {
            Ok(ListPutter::Bytes(self.0, Vec::new()))
        } else if self.0.items().is_some() {
            Ok(ListPutter::Items(self.0))
        } else {
            Err(self.refused("a list"))
        }
    }
}

/// Serializer methods that put a number.
macro_rules! integers {
    ($($name:ident($kind:ty);)*) => {
        $(
            fn $name(self, value: $kind) -> Put {
                self.0.put_integer(i128::from(value))
            }
        )*
    };
}

impl<'a> Serializer for ColumnPutter<'a> {
    type Ok = ();
    type Error = Misfit;
    type SerializeSeq = ListPutter<'a>;
    type SerializeTuple = ListPutter<'a>;
    type SerializeTupleStruct = Never;
    type SerializeTupleVariant = Never;
    type SerializeMap = MapPutter<'a>;
    type SerializeStruct = FieldsPutter<'a>;
    type SerializeStructVariant = Never;

    integers! {
        serialize_i8(i8);
        serialize_i16(i16);
        serialize_i32(i32);
        serialize_i64(i64);
        serialize_u8(u8);
        serialize_u16(u16);
        serialize_u32(u32);
        serialize_u64(u64);
    }

    fn serialize_bool(self, value: bool) -> Put {
        self.0.put_bool(value)
    }

    fn serialize_f32(self, value: f32) -> Put {
        self.0.put_float(f64::from(value))
    }

    fn serialize_f64(self, value: f64) -> Put {
        self.0.put_float(value)
    }

    fn serialize_char(self, value: char) -> Put {
        self.0.put_text(value.encode_utf8(&mut [0; 4]))
    }

    fn serialize_str(self, value: &str) -> Put {
        self.0.put_text(value)
    }

    fn serialize_bytes(self, value: &[u8]) -> Put {
        self.0.put_bytes(value)
    }

    fn serialize_none(self) -> Put {
        self.0.put_null()
    }

    fn serialize_unit(self) -> Put {
        self.0.put_null()
    }

    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Put {
        value.serialize(self)
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(self, _: &'static str, value: &T) -> Put {
        value.serialize(self)
    }

    fn serialize_unit_variant(self, _: &'static str, _: u32, name: &'static str) -> Put {
        self.0.put_text(name)
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
        _: &T,
    ) -> Put {
        Err(self.refused("an enum with values"))
    }

    fn serialize_seq(self, _: Option<usize>) -> Result<ListPutter<'a>, Misfit> {
        self.list()
    }

    fn serialize_tuple(self, _: usize) -> Result<ListPutter<'a>, Misfit> {
        self.list()
    }

    fn serialize_map(self, _: Option<usize>) -> Result<MapPutter<'a>, Misfit> {
        if self.0.fields().is_some() {
            Ok(MapPutter::Fields(FieldsPutter::of_struct(self.0), String::new()))
        } else if self.0.entries().is_some() {
            Ok(MapPutter::Entries(self.0))
        } else {
            Err(self.refused("a map"))
        }
    }

    fn serialize_struct(self, _: &'static str, _: usize) -> Result<FieldsPutter<'a>, Misfit> {
        match self.0.fields() {
            Some(_) => Ok(FieldsPutter::of_struct(self.0)),
            None => Err(self.refused("a struct")),
        }
    }

    refuse! {
        serialize_unit_struct(&'static str), "a struct without fields";
        serialize_tuple_struct(&'static str, usize) -> Never, "a tuple struct";
        serialize_tuple_variant(&'static str, u32, &'static str, usize) -> Never, "an enum with values";
        serialize_struct_variant(&'static str, u32, &'static str, usize) -> Never, "an enum with values";
    }
}
