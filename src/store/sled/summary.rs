//! What is read and changed of an encoded summary without decoding all of it.

use prost::{
    Message,
    encoding::{DecodeContext, decode_key, skip_field},
};

use super::{super::Error, record};
use crate::proto::execution::State;

/// The tags of what a summary's key in the state tells.
const TOLD_BY_KEY: [u32; 2] = [1, 2];

/// An `Execution` of which only this is read.
#[derive(Clone, PartialEq, Message)]
pub struct Outline {
    /// The namespace.
    #[prost(string, tag = "2")]
    pub namespace: String,
    /// The workflow's name.
    #[prost(string, tag = "3")]
    pub workflow: String,
    /// The state.
    #[prost(enumeration = "State", tag = "5")]
    pub state: i32,
}

impl Outline {
    /// Reads it from a summary.
    ///
    /// # Errors
    /// `Error::Damaged`.
    pub fn of(summary: &[u8]) -> Result<Self, Error> {
        record::decode(summary, "a summary")
    }

    /// Whether the execution has ended.
    pub fn has_ended(&self) -> bool {
        matches!(
            self.state(),
            State::Completed | State::Failed | State::Cancelled | State::TimedOut
        )
    }
}

/// What the state keeps of a summary: all but what its key tells.
///
/// # Errors
/// `Error::Damaged`.
pub fn kept(summary: &[u8]) -> Result<Vec<u8>, Error> {
    let mut rest = summary;
    let mut kept = Vec::with_capacity(summary.len());
    while !rest.is_empty() {
        let field = rest;
        let (tag, kind) = decode_key(&mut rest).map_err(|_| unreadable())?;
        skip_field(kind, tag, &mut rest, DecodeContext::default()).map_err(|_| unreadable())?;
        if !TOLD_BY_KEY.contains(&tag) {
            kept.extend(&field[..field.len() - rest.len()]);
        }
    }
    Ok(kept)
}

fn unreadable() -> Error {
    Error::Damaged("a summary does not decode: restore a backup with `tutti restore`".into())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;
    use crate::{proto::Execution, store::filter};

    fn summary(state: State) -> Execution {
        Execution {
            execution_id: "id".into(),
            namespace: "n".into(),
            workflow: "w".into(),
            state: state.into(),
            last_sequence: 300,
            labels: [("k".to_owned(), "v".to_owned())].into(),
            ..Execution::default()
        }
    }

    #[test]
    fn what_the_key_tells_is_left_out_and_nothing_else() {
        let whole = summary(State::Running);
        let kept = kept(&whole.encode_to_vec()).unwrap();
        let expected = Execution {
            execution_id: String::new(),
            namespace: String::new(),
            ..whole
        };
        assert_eq!(Execution::decode(&kept[..]).unwrap(), expected);
        assert!(super::kept(&[10, 200]).is_err());
    }

    #[test]
    fn an_outline_tells_the_same_of_every_state() {
        for number in 0..=12 {
            let Ok(state) = State::try_from(number) else {
                continue;
            };
            let whole = summary(state);
            let outline = Outline::of(&whole.encode_to_vec()).unwrap();
            assert_eq!(outline.has_ended(), filter::has_ended(&whole), "{state:?}");
            assert_eq!(
                (outline.namespace.as_str(), outline.workflow.as_str()),
                ("n", "w")
            );
        }
    }
}
