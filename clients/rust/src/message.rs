//! Record batches as messages of Flight.
//!
//! A batch is encoded once, when it is written, and kept as what goes over the wire: so the bytes that are
//! held are known exactly, also of a slice of a large batch, and sending again costs nothing.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use arrow_array::{ArrayRef, RecordBatch};
use arrow_buffer::Buffer;
use arrow_flight::FlightData;
use arrow_flight::utils::flight_data_to_arrow_batch;
use arrow_ipc::MetadataVersion;
use arrow_ipc::reader::read_dictionary;
use arrow_ipc::writer::{DictionaryTracker, IpcDataGenerator, IpcWriteContext, IpcWriteOptions};
use arrow_schema::{ArrowError, DataType, Field, SchemaRef};
use bytes::Bytes;

use crate::error::{Code, Error, Result};
use crate::lock;

/// What a small message takes beside its own bytes: its place in the queue, and what the allocator adds.
const OVERHEAD: usize = 256;

/// One batch, ready to be sent any number of times.
pub(crate) struct Message {
    header: Bytes,
    body: Bytes,
    /// Those that the batch refers to, shared with the messages before that refer to the same.
    dictionaries: Option<Arc<Vec<FlightData>>>,
    /// Bytes that are held for it.
    pub(crate) size: usize,
}

impl Message {
    pub(crate) fn data(&self, seq: i64) -> FlightData {
        FlightData {
            flight_descriptor: None,
            data_header: self.header.clone(),
            app_metadata: Bytes::from(format!("{{\"seq\": {seq}}}")),
            data_body: self.body.clone(),
        }
    }

    pub(crate) fn dictionaries(&self) -> Option<&Arc<Vec<FlightData>>> {
        self.dictionaries.as_ref()
    }
}

/// Encodes the batches of one stream.
pub(crate) struct Encoder {
    schema: SchemaRef,
    options: IpcWriteOptions,
    has_dictionaries: bool,
    last: Mutex<Option<Arc<Vec<FlightData>>>>,
}

impl Encoder {
    pub(crate) fn new(schema: SchemaRef) -> Result<Encoder> {
        let options =
            IpcWriteOptions::try_new(8, false, MetadataVersion::V5).map_err(unsendable)?;
        let has_dictionaries = schema.fields().iter().any(|field| has_dictionary(field));
        Ok(Encoder { schema, options, has_dictionaries, last: Mutex::new(None) })
    }

    /// The schema's message, which comes first on a connection.
    pub(crate) fn schema_data(&self) -> FlightData {
        self.begin().1
    }

    fn begin(&self) -> (DictionaryTracker, FlightData) {
        let mut tracker = DictionaryTracker::new(false);
        let data = IpcDataGenerator::default().schema_to_bytes_with_dictionary_tracker(
            &self.schema,
            &mut tracker,
            &self.options,
        );
        (tracker, data.into())
    }

    pub(crate) fn encode(&self, batch: &RecordBatch) -> Result<Message> {
        if !Arc::ptr_eq(&self.schema, batch.schema_ref())
            && self.schema.fields() != batch.schema_ref().fields()
        {
            let message = format!(
                "the batch has another schema than the stream:\n{}\ninstead of\n{}",
                batch.schema_ref(),
                self.schema
            );
            return Err(Error::new(Code::InvalidArgument, message));
        }
        let mut tracker =
            if self.has_dictionaries { self.begin().0 } else { DictionaryTracker::new(false) };
        let (dictionaries, encoded) = IpcDataGenerator::default()
            .encode(batch, &mut tracker, &self.options, &mut IpcWriteContext::default())
            .map_err(unsendable)?;
        let mut body = encoded.arrow_data;
        body.shrink_to_fit(); // it grew by doubling, and may be kept for long
        let (header, body) = (Bytes::from(encoded.ipc_message), Bytes::from(body));
        let mut size = header.len() + body.len() + OVERHEAD;
        let mut shared = None;
        if self.has_dictionaries {
            let mut last = lock(&self.last);
            let dictionaries: Vec<FlightData> = dictionaries.into_iter().map(Into::into).collect();
            if last.as_deref() != Some(&dictionaries) {
                size += dictionaries.iter().map(|data| data.data_body.len()).sum::<usize>();
                *last = Some(Arc::new(dictionaries));
            }
            shared.clone_from(&last);
        }
        Ok(Message { header, body, dictionaries: shared, size })
    }

    /// The batch that a message was made of.
    pub(crate) fn decode(&self, message: &Message) -> Result<RecordBatch> {
        let mut dictionaries: HashMap<i64, ArrayRef> = HashMap::new();
        for data in message.dictionaries.iter().flat_map(|all| all.iter()) {
            let root = arrow_ipc::root_as_message(&data.data_header)
                .map_err(|error| unsendable(ArrowError::IpcError(error.to_string())))?;
            if let Some(batch) = root.header_as_dictionary_batch() {
                let body = Buffer::from(data.data_body.clone());
                read_dictionary(&body, batch, &self.schema, &mut dictionaries, &root.version())
                    .map_err(unsendable)?;
            }
        }
        flight_data_to_arrow_batch(&message.data(0), Arc::clone(&self.schema), &dictionaries)
            .map_err(unsendable)
    }
}

fn has_dictionary(field: &Field) -> bool {
    match field.data_type() {
        DataType::Dictionary(..) => true,
        DataType::List(item)
        | DataType::LargeList(item)
        | DataType::ListView(item)
        | DataType::LargeListView(item)
        | DataType::FixedSizeList(item, _)
        | DataType::Map(item, _)
        | DataType::RunEndEncoded(_, item) => has_dictionary(item),
        DataType::Struct(fields) => fields.iter().any(|field| has_dictionary(field)),
        DataType::Union(fields, _) => fields.iter().any(|(_, field)| has_dictionary(field)),
        _ => false,
    }
}

fn unsendable(error: ArrowError) -> Error {
    Error::new(Code::InvalidArgument, format!("the batch cannot be sent: {error}"))
}

#[cfg(test)]
mod tests {
    use arrow_array::types::Int8Type;
    use arrow_array::{DictionaryArray, Int64Array};
    use arrow_schema::Schema;

    use super::*;

    fn words(words: &[&str]) -> RecordBatch {
        let column: DictionaryArray<Int8Type> = words.iter().copied().collect();
        RecordBatch::try_from_iter([("word", Arc::new(column) as ArrayRef)]).unwrap()
    }

    #[test]
    fn a_message_is_decoded_into_the_batch_that_it_was_made_of() {
        let batch = words(&["a", "b", "a"]);
        let encoder = Encoder::new(batch.schema()).unwrap();
        let message = encoder.encode(&batch).unwrap();
        assert_eq!(encoder.decode(&message).unwrap(), batch);
    }

    #[test]
    fn dictionaries_are_kept_once_while_they_are_the_same() {
        let encoder = Encoder::new(words(&["a"]).schema()).unwrap();
        let [one, same, other] =
            [&["a", "b"][..], &["a", "b"], &["c"]].map(|w| encoder.encode(&words(w)).unwrap());
        assert!(Arc::ptr_eq(one.dictionaries().unwrap(), same.dictionaries().unwrap()));
        assert!(!Arc::ptr_eq(one.dictionaries().unwrap(), other.dictionaries().unwrap()));
        assert!(same.size < one.size);
    }

    #[test]
    fn a_slice_is_as_large_as_its_own_rows() {
        let column: ArrayRef = Arc::new(Int64Array::from_iter_values(0..100_000));
        let batch = RecordBatch::try_from_iter([("number", column)]).unwrap();
        let encoder = Encoder::new(batch.schema()).unwrap();
        assert!(encoder.encode(&batch.slice(50_000, 10)).unwrap().size < 1000);
    }

    #[test]
    fn a_batch_of_another_schema_is_refused() {
        let encoder = Encoder::new(Arc::new(Schema::empty())).unwrap();
        let refused = encoder.encode(&words(&["a"])).err().unwrap();
        assert_eq!(refused.code(), Code::InvalidArgument);
        assert!(refused.message().contains("another schema"));
    }
}
