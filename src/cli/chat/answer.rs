//! What is printed of a turn: on a terminal what agents say while they say it, then the answer
//! unless it was just said; else the answer alone.

use crate::{
    core::value::{Kind, Value},
    proto::Chunk,
};

/// How answers are shown.
#[derive(Clone, Debug)]
pub struct Screen {
    live: bool,
    /// The step that is speaking, and what it has said.
    speaking: Option<(String, u32, String)>,
}

impl Screen {
    /// Shows what is said while it is said (`live`), or answers alone.
    pub fn new(live: bool) -> Self {
        Self {
            live,
            speaking: None,
        }
    }

    /// What to print of provisional output; may be empty.
    pub fn chunk(&mut self, chunk: &Chunk) -> String {
        let said = chunk.data.as_ref().and_then(text);
        let (true, Some(said)) = (self.live, said) else {
            return String::new();
        };
        match &mut self.speaking {
            Some((step, attempt, so_far)) if *step == chunk.step && *attempt == chunk.attempt => {
                so_far.push_str(said);
                said.to_owned()
            }
            before => {
                let line = if before.is_some() { "\n" } else { "" };
                *before = Some((chunk.step.clone(), chunk.attempt, said.to_owned()));
                format!("{line}{said}")
            }
        }
    }

    /// What to print once the answer is there, with the end of its line.
    pub fn answer(&mut self, answer: &str) -> String {
        match self.speaking.take() {
            Some((_, _, said)) if said.trim() == answer.trim() => "\n".to_owned(),
            Some(_) => format!("\n{answer}\n"),
            None => format!("{answer}\n"),
        }
    }
}

impl Screen {
    /// What was said so far leads to no answer.
    pub fn forget(&mut self) {
        self.speaking = None;
    }
}

/// The text of a chunk: a string, or the `content` of an object.
fn text(data: &Value) -> Option<&str> {
    match &data.kind {
        Some(Kind::StringValue(text)) => Some(text),
        Some(Kind::StructValue(object)) => match &object.fields.get("content")?.kind {
            Some(Kind::StringValue(text)) => Some(text),
            _ => None,
        },
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::value;

    fn chunk(step: &str, said: &str) -> Chunk {
        Chunk {
            step: step.into(),
            attempt: 1,
            data: Some(value::string(said)),
            ..Chunk::default()
        }
    }

    #[test]
    fn on_a_terminal_an_answer_that_was_just_said_is_not_said_again() {
        let mut screen = Screen::new(true);
        assert_eq!(screen.chunk(&chunk("a", "Hel")), "Hel");
        assert_eq!(screen.chunk(&chunk("a", "lo")), "lo");
        assert_eq!(screen.answer("Hello"), "\n");
    }

    #[test]
    fn another_step_speaks_on_a_line_of_its_own_and_another_answer_is_said() {
        let mut screen = Screen::new(true);
        screen.chunk(&chunk("plan", "thinking"));
        assert_eq!(screen.chunk(&chunk("say", "Draft")), "\nDraft");
        assert_eq!(screen.answer("Final"), "\nFinal\n");
        assert_eq!(screen.answer("Plain"), "Plain\n");
    }

    #[test]
    fn elsewhere_answers_are_printed_alone() {
        let mut screen = Screen::new(false);
        assert_eq!(screen.chunk(&chunk("a", "Hel")), "");
        assert_eq!(screen.answer("Hello"), "Hello\n");
    }

    #[test]
    fn chunks_are_texts_or_messages() {
        let message = value::object([("content", value::string("x"))]);
        assert_eq!(text(&message), Some("x"));
        assert_eq!(text(&value::number(1.0)), None);
    }
}
