//! What events say, in a few words.

use prost_types::Struct;

use crate::proto::Error;

/// The first of the texts that is not empty.
pub fn first_given<const N: usize>(texts: [&String; N]) -> Option<&String> {
    texts.into_iter().find(|text| !text.is_empty())
}

/// What a step wrote into `vars`: the names.
pub fn saved(saved: &Struct) -> Option<String> {
    let names: Vec<&str> = saved.fields.keys().map(String::as_str).collect();
    (!names.is_empty()).then(|| format!("saved {}", names.join(", ")))
}

/// An error as `class: message`.
pub fn said(error: Option<&Error>) -> String {
    match error {
        None => String::new(),
        Some(e) if e.message.is_empty() => e.class.clone(),
        Some(e) => format!("{}: {}", e.class, e.message),
    }
}

/// The branch that a switch chose, in words; cases are counted from 1.
pub fn branch(index: i32) -> String {
    match index {
        -1 => "otherwise".to_owned(),
        index if index < 0 => "no case fits".to_owned(),
        index => format!("case {}", index.saturating_add(1)),
    }
}
