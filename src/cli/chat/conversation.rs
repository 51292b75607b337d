//! The messages so far.

use serde_json::{Value as Json, json};

use crate::{
    cli::failure::Failure,
    core::value::{self, Value},
    proto::Execution,
};

/// The messages of a chat, oldest first.
#[derive(Debug, Default)]
pub struct Conversation {
    messages: Vec<Json>,
}

impl Conversation {
    /// A new one, perhaps with a first message of the role `system`.
    pub fn begin(system: Option<String>) -> Self {
        let system = system.map(|content| json!({"role": "system", "content": content}));
        Self {
            messages: system.into_iter().collect(),
        }
    }

    /// The one that goes on after a turn.
    ///
    /// # Errors
    /// `Failure::Usage` when the execution was no turn of a chat.
    pub fn after(execution: &Execution) -> Result<Self, Failure> {
        let input = execution.input.as_ref().map(value::to_json);
        let messages = input.as_ref().and_then(|i| i.get("messages")?.as_array());
        let answer = execution.output.as_ref().and_then(content);
        let (Some(messages), Some(answer)) = (messages, answer) else {
            let id = &execution.execution_id;
            return Err(Failure::Usage(format!(
                "{id} is no turn of a chat that has been answered"
            )));
        };
        let mut conversation = Self {
            messages: messages.clone(),
        };
        conversation.answer(answer);
        Ok(conversation)
    }

    /// The user says something.
    pub fn ask(&mut self, content: String) {
        self.messages
            .push(json!({"role": "user", "content": content}));
    }

    /// The workflow answers.
    pub fn answer(&mut self, content: String) {
        self.messages
            .push(json!({"role": "assistant", "content": content}));
    }

    /// What was said last was not answered.
    pub fn take_back(&mut self) {
        self.messages.pop();
    }

    /// The input of the next turn.
    pub fn input(&self) -> Value {
        value::from_json(&json!({"messages": self.messages}))
    }
}

/// The text of a message, `{role, content}`, or of an output that is a text itself.
pub fn content(output: &Value) -> Option<String> {
    match value::to_json(output) {
        Json::String(text) => Some(text),
        Json::Object(members) => match members.get("role").and_then(Json::as_str) {
            None | Some("assistant") => Some(members.get("content")?.as_str()?.to_owned()),
            Some(_) => None,
        },
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_turn_is_given_all_that_was_said() {
        let mut chat = Conversation::begin(Some("be brief".into()));
        chat.ask("hello".into());
        chat.answer("hi".into());
        chat.ask("lost".into());
        chat.take_back();
        chat.ask("bye".into());
        let expected = json!({"messages": [
            {"role": "system", "content": "be brief"},
            {"role": "user", "content": "hello"},
            {"role": "assistant", "content": "hi"},
            {"role": "user", "content": "bye"},
        ]});
        assert_eq!(value::to_json(&chat.input()), expected);
    }

    #[test]
    fn an_output_is_a_message_or_a_text() {
        let of = |json| content(&value::from_json(&json));
        assert_eq!(of(json!("hi")), Some("hi".into()));
        let message = json!({"role": "assistant", "content": "hi"});
        assert_eq!(of(message), Some("hi".into()));
        for other in [
            json!(3),
            json!({"role": "user", "content": "x"}),
            json!({"a": 1}),
        ] {
            assert_eq!(of(other.clone()), None, "{other}");
        }
    }
}
