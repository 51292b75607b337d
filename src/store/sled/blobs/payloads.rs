//! Where events hold payloads, and what stands in the place of one that lies in a blob.
//!
//! The place of a payload is taken by an object with the single field `"\0tutti.blob"`, whose
//! text is the blob's name and size; that of a list by a list of just that. A caller's own value that looks like this becomes a blob
//! whatever its size, so none is ever mistaken for a reference.

use prost::Message;
use prost_types::{ListValue, Struct, Value, value::Kind};

use super::name::Name;
use crate::proto::{Event, event};

const REFERENCE_FIELD: &str = "\0tutti.blob";

/// A payload in an event.
pub enum Payload<'a> {
    /// Any JSON.
    Value(&'a mut Value),
    /// An object.
    Struct(&'a mut Struct),
    /// A list.
    List(&'a mut ListValue),
}

/// A blob that an event refers to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reference {
    /// Its name.
    pub name: Name,
    /// Its size, in bytes.
    pub bytes: u64,
}

/// All payloads of an event. The only place that knows which kinds have some; a test holds it
/// to the messages.
pub fn payloads(event: &mut Event) -> impl Iterator<Item = Payload<'_>> {
    use event::Kind as K;
    let (mut value, mut context, mut object, mut list) = (None, None, None, None);
    match &mut event.kind {
        Some(K::ExecutionStarted(e)) => {
            (value, object) = (e.input.as_mut(), e.variables.as_mut());
        }
        Some(K::ExecutionCompleted(e)) => value = e.output.as_mut(),
        Some(K::ExecutionFinalizing(e)) => value = e.output.as_mut(),
        Some(K::ExecutionResumed(e)) => object = e.variables.as_mut(),
        Some(K::ReviewBegun(e)) => {
            (value, object) = (e.value.as_mut(), e.written.as_mut());
            context = e.context.as_mut();
        }
        Some(K::StepScheduled(e)) => (value, context) = (e.input.as_mut(), e.context.as_mut()),
        Some(K::StepStarted(e)) => value = e.input.as_mut(),
        Some(K::StepCached(e)) => value = e.input.as_mut(),
        Some(K::StepCompleted(e)) => (value, object) = (e.output.as_mut(), e.saved.as_mut()),
        Some(K::StepCompensated(e)) => value = e.output.as_mut(),
        Some(K::ItemsListed(e)) => list = e.items.as_mut(),
        Some(K::StateChanged(e)) => value = e.input.as_mut(),
        _ => {}
    }
    let values = value.into_iter().chain(context).map(Payload::Value);
    let object = object.map(Payload::Struct);
    values.chain(object).chain(list.map(Payload::List))
}

impl Payload<'_> {
    /// Its size, in bytes.
    pub fn bytes(&self) -> usize {
        match self {
            Self::Value(value) => value.encoded_len(),
            Self::Struct(object) => object.encoded_len(),
            Self::List(list) => list.encoded_len(),
        }
    }

    /// Its bytes.
    pub fn encoded(&self) -> Vec<u8> {
        match self {
            Self::Value(value) => value.encode_to_vec(),
            Self::Struct(object) => object.encode_to_vec(),
            Self::List(list) => list.encode_to_vec(),
        }
    }

    /// Whether it looks like a reference, whatever it says.
    pub fn looks_like_reference(&self) -> bool {
        self.said().is_some()
    }

    /// The blob it refers to; `None` when it is a payload itself or says what none says.
    pub fn reference(&self) -> Option<Reference> {
        let Some(Kind::StringValue(text)) = &self.said()?.kind else {
            return None;
        };
        let (name, bytes) = text.split_once(' ')?;
        Some(Reference {
            name: Name::parse(name)?,
            bytes: bytes.parse().ok()?,
        })
    }

    fn said(&self) -> Option<&Value> {
        let value = match self {
            Self::Struct(object) => return said_by(object),
            Self::Value(value) => &**value,
            Self::List(list) => match list.values.as_slice() {
                [value] => value,
                _ => return None,
            },
        };
        match &value.kind {
            Some(Kind::StructValue(object)) => said_by(object),
            _ => None,
        }
    }

    /// Puts a reference in its place.
    pub fn refer(self, to: Reference) {
        let text = format!("{} {}", to.name, to.bytes);
        let said = Value {
            kind: Some(Kind::StringValue(text)),
        };
        let object = Struct {
            fields: [(REFERENCE_FIELD.to_owned(), said)].into(),
        };
        match self {
            Self::Value(value) => value.kind = Some(Kind::StructValue(object)),
            Self::Struct(place) => *place = object,
            Self::List(list) => list.values = vec![Kind::StructValue(object).into()],
        }
    }

    /// Puts the payload with these bytes in its place.
    ///
    /// # Errors
    /// When they are no payload.
    pub fn restore(self, bytes: &[u8]) -> Result<(), prost::DecodeError> {
        match self {
            Self::Value(value) => *value = Value::decode(bytes)?,
            Self::Struct(object) => *object = Struct::decode(bytes)?,
            Self::List(list) => *list = ListValue::decode(bytes)?,
        }
        Ok(())
    }
}

/// What an object says in the field of references, and nothing else.
fn said_by(object: &Struct) -> Option<&Value> {
    let said = object.fields.get(REFERENCE_FIELD);
    said.filter(|_| object.fields.len() == 1)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use prost_reflect::{DescriptorPool, DynamicMessage, Value as Reflected};

    use super::*;

    /// Sets each payload field of each kind of event alone and looks whether it is found.
    #[test]
    fn every_payload_of_every_kind_of_event_is_found() {
        let pool = DescriptorPool::decode(crate::proto::FILE_DESCRIPTOR_SET).unwrap();
        let event = pool.get_message_by_name("tutti.v1.Event").unwrap();
        let payload = |name: &str| {
            let kinds = ["Value", "Struct", "ListValue"];
            kinds
                .map(|kind| format!("google.protobuf.{kind}"))
                .contains(&name.to_owned())
        };
        let mut found = 0;
        for kind in event.fields() {
            let Some(message) = kind.kind().as_message().cloned() else {
                continue;
            };
            for field in message.fields() {
                let kind_of_field = field.kind();
                let Some(inner) = kind_of_field.as_message() else {
                    continue;
                };
                if !payload(inner.full_name()) {
                    continue;
                }
                assert!(!field.is_list() && !field.is_map(), "{}", field.full_name());
                let mut holder = DynamicMessage::new(message.clone());
                let empty = DynamicMessage::new(inner.clone());
                holder.set_field(&field, Reflected::Message(empty));
                let mut whole = DynamicMessage::new(event.clone());
                whole.set_field(&kind, Reflected::Message(holder));
                let mut event = whole.transcode_to::<Event>().unwrap();
                assert_eq!(payloads(&mut event).count(), 1, "{}", field.full_name());
                found += 1;
            }
        }
        assert!(found >= 10, "those known today: {found}");
    }

    #[test]
    fn a_reference_is_read_back_and_nothing_else_is_one() {
        let to = Reference {
            name: Name::of(b"x"),
            bytes: 7,
        };
        let mut value = Value::default();
        Payload::Value(&mut value).refer(to);
        assert_eq!(Payload::Value(&mut value).reference(), Some(to));
        let mut other = Value::from("text");
        assert!(!Payload::Value(&mut other).looks_like_reference());
        Payload::Value(&mut value)
            .restore(&other.encode_to_vec())
            .unwrap();
        assert_eq!(value, other);
        let mut list = ListValue::default();
        Payload::List(&mut list).refer(to);
        assert_eq!(Payload::List(&mut list).reference(), Some(to));
        let whole = ListValue {
            values: vec![other; 2],
        };
        Payload::List(&mut list)
            .restore(&whole.encode_to_vec())
            .unwrap();
        assert_eq!(list, whole);
        assert!(!Payload::List(&mut list).looks_like_reference());
    }
}
