//! Writes to test with.

use prost_types::{Timestamp, Value, value::Kind};
use uuid::{Builder, Uuid};

use crate::{
    core::{
        execution::{Queued, Standing},
        plan::{Select, Target},
        time::Time,
    },
    proto::{
        Agent, Event, Execution, StepCompleted, Workflow, WorkflowVersion, event, execution::State,
    },
    store::{RequestRecord, Write},
};

/// The id of the `n`th execution: version 7, created at second `n`.
pub fn id(n: u64) -> Uuid {
    Builder::from_unix_timestamp_millis(n * 1000, &[n as u8; 10]).into_uuid()
}

pub fn at(seconds: i64) -> Timestamp {
    Timestamp { seconds, nanos: 0 }
}

/// An event with a payload of this many bytes.
pub fn event(n: u64, sequence: u64, bytes: usize) -> Event {
    let text = format!("{sequence}-").repeat(bytes / 2 + 1);
    let output = Value {
        kind: Some(Kind::StringValue(text[..bytes].to_owned())),
    };
    Event {
        execution_id: id(n).to_string(),
        sequence,
        time: Some(at(n as i64)),
        step: format!("step-{sequence}"),
        kind: Some(event::Kind::StepCompleted(StepCompleted {
            attempt: 1,
            output: Some(output),
            ..StepCompleted::default()
        })),
    }
}

/// The summary of the `n`th execution: namespaces and workflows alternate.
pub fn summary(n: u64, state: State) -> Execution {
    Execution {
        execution_id: id(n).to_string(),
        namespace: namespace(n).into(),
        workflow: ["order", "order-2", "review"][n as usize % 3].into(),
        state: state.into(),
        create_time: Some(at(n as i64)),
        labels: [("third".to_owned(), (n % 3).to_string())].into(),
        ..Execution::default()
    }
}

pub fn namespace(n: u64) -> &'static str {
    if n.is_multiple_of(5) {
        "other"
    } else {
        "default"
    }
}

/// Appends events of 40 bytes.
pub fn append(n: u64, sequences: std::ops::RangeInclusive<u64>, state: Option<State>) -> Write {
    append_sized(n, sequences, 40, state)
}

pub fn append_sized(
    n: u64,
    sequences: std::ops::RangeInclusive<u64>,
    bytes: usize,
    state: Option<State>,
) -> Write {
    Write::Append {
        id: id(n),
        events: sequences.map(|s| event(n, s, bytes)).collect(),
        summary: state.map(|state| Box::new(summary(n, state))),
    }
}

/// Says where the `n`th execution stands since event `sequence`.
pub fn stand(n: u64, sequence: u64, due: i64) -> Write {
    Write::Stand {
        id: id(n),
        sequence,
        standing: standing(due),
        summary: None,
    }
}

/// One that is due at this nanosecond and in four queues.
pub fn standing(due: i64) -> Standing {
    let skill = |select| Target::Skill {
        skill: "sum".into(),
        labels: [("gpu".to_owned(), "1".to_owned())].into(),
        select,
    };
    let targets = [
        Target::Agent("a".into()),
        skill(Select::RoundRobin),
        skill(Select::LeastLoaded),
        skill(Select::Sticky("user 7".into())),
    ];
    let queued = (2..).zip(targets).map(|(task, target)| Queued {
        task,
        has_next: matches!(target, Target::Agent(_)),
        target,
        priority: 3,
        fairness_key: "tenant".into(),
        schedule_time: Time::from_nanos(due - 1),
    });
    Standing {
        namespace: "default".into(),
        due: Some(Time::from_nanos(due)),
        queued: queued.collect(),
        related: false,
    }
}

/// Starts the `n`th execution with one event.
pub fn start(n: u64) -> Write {
    append(n, 1..=1, Some(State::Running))
}

pub fn request(n: u64) -> RequestRecord {
    RequestRecord {
        execution_id: id(n),
        body_hash: u64::MAX - n,
        create_time: at(n as i64),
    }
}

pub fn put_request(namespace: &str, request_id: &str, n: u64) -> Write {
    Write::PutRequest {
        namespace: namespace.into(),
        request_id: request_id.into(),
        record: request(n),
    }
}

/// A version of a workflow whose description has this many bytes.
pub fn workflow(name: &str, version: u32, bytes: usize) -> WorkflowVersion {
    WorkflowVersion {
        name: name.into(),
        version,
        workflow: Some(Workflow {
            name: name.into(),
            description: "d".repeat(bytes),
            ..Workflow::default()
        }),
        create_time: Some(at(version.into())),
        ..WorkflowVersion::default()
    }
}

pub fn put_workflow(namespace: &str, workflow: WorkflowVersion) -> Write {
    Write::PutWorkflow {
        namespace: namespace.into(),
        workflow: Box::new(workflow),
    }
}

pub fn delete_workflow(namespace: &str, name: &str, version: u32) -> Write {
    Write::DeleteWorkflow {
        namespace: namespace.into(),
        name: name.into(),
        version,
    }
}

pub fn agent(id: &str, bytes: usize) -> Agent {
    Agent {
        id: id.into(),
        description: "d".repeat(bytes),
        ..Agent::default()
    }
}

pub fn put_agent(namespace: &str, agent: Agent) -> Write {
    Write::PutAgent {
        namespace: namespace.into(),
        agent: Box::new(agent),
    }
}

pub fn delete_agent(namespace: &str, id: &str) -> Write {
    Write::DeleteAgent {
        namespace: namespace.into(),
        id: id.into(),
    }
}
