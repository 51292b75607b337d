//! JSON as the command line prints it: every field of a message under its name in the
//! `.proto` file, 64-bit integers as numbers, whole numbers without `.0`.

use std::{io, sync::LazyLock};

use prost_reflect::{DescriptorPool, DynamicMessage, SerializeOptions};
use serde::Serialize;
use serde_json::ser::{CompactFormatter, Formatter, PrettyFormatter};

use super::failure::Failure;
use crate::{
    core::value::{self, Value},
    proto,
};

static POOL: LazyLock<DescriptorPool> = LazyLock::new(|| {
    DescriptorPool::decode(proto::FILE_DESCRIPTOR_SET)
        .expect("the descriptors were compiled with the program")
});

/// A message as an indented document. `name` is its full name: `tutti.v1.Execution`.
///
/// # Errors
/// `Failure::Internal` for a name that is not in the API or a number that JSON cannot say.
pub fn pretty<M: prost::Message>(message: &M, name: &str) -> Result<String, Failure> {
    write(&dynamic(message, name)?, PrettyFormatter::new())
}

/// A message as one line.
///
/// # Errors
/// As `pretty`.
pub fn line<M: prost::Message>(message: &M, name: &str) -> Result<String, Failure> {
    write(&dynamic(message, name)?, CompactFormatter)
}

/// A value as an indented document.
///
/// # Errors
/// `Failure::Internal` for a number that JSON cannot say.
pub fn pretty_value(value: &Value) -> Result<String, Failure> {
    write_any(&value::to_json(value), PrettyFormatter::new())
}

/// The message under a descriptor, so that it can be written field by field.
fn dynamic<M: prost::Message>(message: &M, name: &str) -> Result<DynamicMessage, Failure> {
    let descriptor = POOL
        .get_message_by_name(name)
        .ok_or_else(|| Failure::Internal(format!("no message {name}")))?;
    DynamicMessage::decode(descriptor, message.encode_to_vec().as_slice())
        .map_err(|e| Failure::Internal(format!("{name}: {e}")))
}

fn write(message: &DynamicMessage, formatter: impl Formatter) -> Result<String, Failure> {
    let options = SerializeOptions::new()
        .use_proto_field_name(true)
        .stringify_64_bit_integers(false)
        .skip_default_fields(false);
    let mut bytes = Vec::new();
    let mut serializer = serde_json::Serializer::with_formatter(&mut bytes, Whole(formatter));
    message
        .serialize_with_options(&mut serializer, &options)
        .map_err(|e| Failure::Internal(e.to_string()))?;
    text(bytes)
}

fn write_any(value: &impl Serialize, formatter: impl Formatter) -> Result<String, Failure> {
    let mut bytes = Vec::new();
    let mut serializer = serde_json::Serializer::with_formatter(&mut bytes, Whole(formatter));
    value
        .serialize(&mut serializer)
        .map_err(|e| Failure::Internal(e.to_string()))?;
    text(bytes)
}

fn text(bytes: Vec<u8>) -> Result<String, Failure> {
    String::from_utf8(bytes).map_err(|e| Failure::Internal(e.to_string()))
}

/// Writes as the formatter within, but whole doubles without a fraction.
struct Whole<F>(F);

impl<F: Formatter> Formatter for Whole<F> {
    fn write_f64<W: ?Sized + io::Write>(&mut self, writer: &mut W, number: f64) -> io::Result<()> {
        if value::is_whole(number) {
            write!(writer, "{number:.0}")
        } else {
            self.0.write_f64(writer, number)
        }
    }

    fn begin_array<W: ?Sized + io::Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.0.begin_array(writer)
    }

    fn end_array<W: ?Sized + io::Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.0.end_array(writer)
    }

    fn begin_array_value<W: ?Sized + io::Write>(
        &mut self,
        writer: &mut W,
        first: bool,
    ) -> io::Result<()> {
        self.0.begin_array_value(writer, first)
    }

    fn end_array_value<W: ?Sized + io::Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.0.end_array_value(writer)
    }

    fn begin_object<W: ?Sized + io::Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.0.begin_object(writer)
    }

    fn end_object<W: ?Sized + io::Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.0.end_object(writer)
    }

    fn begin_object_key<W: ?Sized + io::Write>(
        &mut self,
        writer: &mut W,
        first: bool,
    ) -> io::Result<()> {
        self.0.begin_object_key(writer, first)
    }

    fn begin_object_value<W: ?Sized + io::Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.0.begin_object_value(writer)
    }

    fn end_object_value<W: ?Sized + io::Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.0.end_object_value(writer)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::value::{number, object, string};

    #[test]
    fn every_field_is_shown_under_its_proto_name() {
        let response = proto::RegisterWorkflowResponse {
            name: "hello".into(),
            version: 1,
            created: false,
            findings: vec![],
        };
        let text = line(&response, "tutti.v1.RegisterWorkflowResponse").expect("it is JSON");
        assert_eq!(
            text,
            r#"{"name":"hello","version":1,"created":false,"findings":[]}"#
        );
    }

    #[test]
    fn whole_numbers_print_whole_and_wide_integers_as_numbers() {
        let execution = proto::Execution {
            state: proto::execution::State::Completed.into(),
            output: Some(object([("n", number(42.0)), ("x", number(1.5))])),
            progress_percent: 100.0,
            last_sequence: u64::from(u32::MAX) + 1,
            ..Default::default()
        };
        let text = line(&execution, "tutti.v1.Execution").expect("it is JSON");
        assert!(text.contains(r#""output":{"n":42,"x":1.5}"#), "{text}");
        assert!(text.contains(r#""progress_percent":100"#), "{text}");
        assert!(text.contains(r#""last_sequence":4294967296"#), "{text}");
        assert!(text.contains(r#""state":"COMPLETED""#), "{text}");
    }

    #[test]
    fn a_pretty_document_is_indented() {
        let value = object([("text", string("a")), ("n", number(2.0))]);
        assert_eq!(
            pretty_value(&value).expect("it is JSON"),
            "{\n  \"n\": 2,\n  \"text\": \"a\"\n}"
        );
    }

    #[test]
    fn an_unknown_message_is_said_by_name() {
        let failed = line(&proto::Execution::default(), "tutti.v1.Nothing").expect_err("unknown");
        assert!(failed.to_string().contains("tutti.v1.Nothing"));
    }
}
