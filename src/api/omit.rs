//! An execution as one answer: what does not fit into a message is left out, and said to be.

use std::cmp::Reverse;

use prost::Message as _;

use crate::proto::Execution;

/// The bytes of an answer that are left to everything but the execution and for the names of
/// what is left out.
const FRAME_BYTES: usize = 4 << 10;

/// One payload of an execution.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Part {
    StepInput(usize),
    StepContext(usize),
    StepOutput(usize),
    Variables,
    Input,
    Output,
}

/// The execution without the payloads that would make it larger than `bytes_max`: those of its
/// steps go first, the largest before others, the output last. What went is in
/// `omitted_fields`; without payloads it is given as it is, whatever its size.
pub fn fitted(mut execution: Execution, bytes_max: usize) -> Execution {
    let room = bytes_max.saturating_sub(FRAME_BYTES);
    let mut bytes = execution.encoded_len();
    if bytes <= room {
        return execution;
    }
    let mut parts = parts(&execution);
    parts.sort_by_key(|(part, bytes)| (part.rank(), Reverse(*bytes)));
    for (part, part_bytes) in parts {
        if bytes <= room {
            break;
        }
        let name = part.name();
        // Its name comes instead of it: a tag, a length, the text.
        bytes = bytes.saturating_sub(part_bytes) + name.len() + 3;
        part.take(&mut execution);
        execution.omitted_fields.push(name);
    }
    execution
}

fn parts(execution: &Execution) -> Vec<(Part, usize)> {
    let mut parts = Vec::new();
    let mut add = |part, bytes: Option<usize>| {
        parts.extend(bytes.filter(|b| *b > FRAME_BYTES / 4).map(|b| (part, b)));
    };
    for (index, step) in execution.steps.iter().enumerate() {
        add(
            Part::StepInput(index),
            step.input.as_ref().map(|v| v.encoded_len()),
        );
        add(
            Part::StepContext(index),
            step.context.as_ref().map(|v| v.encoded_len()),
        );
        add(
            Part::StepOutput(index),
            step.output.as_ref().map(|v| v.encoded_len()),
        );
    }
    let variables = execution.variables.as_ref();
    add(Part::Variables, variables.map(|v| v.encoded_len()));
    add(
        Part::Input,
        execution.input.as_ref().map(|v| v.encoded_len()),
    );
    add(
        Part::Output,
        execution.output.as_ref().map(|v| v.encoded_len()),
    );
    parts
}

impl Part {
    fn rank(self) -> u8 {
        match self {
            Self::StepInput(_) | Self::StepContext(_) | Self::StepOutput(_) => 0,
            Self::Variables => 1,
            Self::Input => 2,
            Self::Output => 3,
        }
    }

    fn name(self) -> String {
        match self {
            Self::StepInput(index) => format!("steps[{index}].input"),
            Self::StepContext(index) => format!("steps[{index}].context"),
            Self::StepOutput(index) => format!("steps[{index}].output"),
            Self::Variables => "variables".into(),
            Self::Input => "input".into(),
            Self::Output => "output".into(),
        }
    }

    fn take(self, execution: &mut Execution) {
        match self {
            Self::StepInput(index) => execution.steps[index].input = None,
            Self::StepContext(index) => execution.steps[index].context = None,
            Self::StepOutput(index) => execution.steps[index].output = None,
            Self::Variables => execution.variables = None,
            Self::Input => execution.input = None,
            Self::Output => execution.output = None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        core::value::{Value, from_json},
        proto::StepExecution,
    };

    fn text(bytes: usize) -> Option<Value> {
        Some(from_json(&serde_json::json!("x".repeat(bytes))))
    }

    fn execution() -> Execution {
        let step = |input, output| StepExecution {
            input: text(input),
            output: text(output),
            ..StepExecution::default()
        };
        Execution {
            input: text(20_000),
            output: text(30_000),
            steps: vec![step(20_000, 40_000), step(40_000, 10)],
            ..Execution::default()
        }
    }

    #[test]
    fn what_was_handed_on_goes_like_any_payload() {
        let mut execution = execution();
        execution.steps[0].context = text(80_000);
        let given = fitted(execution, 170_000);
        assert_eq!(given.omitted_fields, ["steps[0].context"]);
        assert_eq!(given.steps[0].context, None);
    }

    #[test]
    fn an_execution_that_fits_is_left_alone() {
        assert_eq!(fitted(execution(), 200_000), execution());
    }

    #[test]
    fn the_largest_payloads_of_steps_go_first_and_are_named() {
        let bytes_max = 110_000;
        let given = fitted(execution(), bytes_max);
        assert_eq!(given.omitted_fields, ["steps[0].output", "steps[1].input"]);
        assert!(given.encoded_len() <= bytes_max);
        assert_eq!(given.output, text(30_000));
        assert_eq!(given.steps[0].input, text(20_000));
    }

    #[test]
    fn the_output_stays_as_long_as_it_can() {
        let given = fitted(execution(), 36_000);
        assert_eq!(
            given.omitted_fields.last().map(String::as_str),
            Some("input")
        );
        assert_eq!(given.output, text(30_000));
        assert_eq!(given.steps[1].output, text(10), "what is small is no gain");
    }
}
