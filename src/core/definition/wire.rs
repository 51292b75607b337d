//! A message written field by field as Protobuf's bytes: the way from names that only the
//! descriptors know into the generated types. Each field is a key (number and wire type), then
//! its value (the Protobuf encoding, "Message Structure").

use prost::{
    Message,
    encoding::{WireType, encode_key, encode_varint},
};

/// The bytes of one message so far.
#[derive(Debug, Default)]
pub struct Wire {
    bytes: Vec<u8>,
}

impl Wire {
    /// A message that is there already.
    pub fn of(message: &impl Message) -> Self {
        Self {
            bytes: message.encode_to_vec(),
        }
    }

    /// All that was written.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// True when no field was written.
    pub fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    /// A text.
    pub fn text(&mut self, field: u32, text: &str) {
        self.delimited(field, text.as_bytes());
    }

    /// A message.
    pub fn message(&mut self, field: u32, message: &Self) {
        self.delimited(field, &message.bytes);
    }

    /// A double.
    pub fn double(&mut self, field: u32, number: f64) {
        encode_key(field, WireType::SixtyFourBit, &mut self.bytes);
        self.bytes.extend_from_slice(&number.to_le_bytes());
    }

    /// A `bool`, `uint32` or `uint64`.
    pub fn unsigned(&mut self, field: u32, number: impl Into<u64>) {
        encode_key(field, WireType::Varint, &mut self.bytes);
        encode_varint(number.into(), &mut self.bytes);
    }

    /// An `int32` or an enum: below zero it takes the bits of an `int64`.
    pub fn signed(&mut self, field: u32, number: i32) {
        self.unsigned(field, i64::from(number).cast_unsigned());
    }

    fn delimited(&mut self, field: u32, bytes: &[u8]) {
        encode_key(field, WireType::LengthDelimited, &mut self.bytes);
        encode_varint(bytes.len() as u64, &mut self.bytes);
        self.bytes.extend_from_slice(bytes);
    }
}
