//! What an agent and a worker must be to be let in. Pure; finds everything at once.

use std::{collections::HashSet, time::Duration};

use crate::{
    core::{
        schema::Schema,
        time,
        value::{self, Value},
    },
    proto::{Agent, Hello, agent::State},
};

/// The longest id of an agent or a worker, and the longest skill, in characters.
const NAME_CHARS_MAX: usize = 128;
/// The most skills of an agent.
const SKILLS_MAX: usize = 256;
/// The most labels of an agent.
const LABELS_MAX: usize = 64;
/// The longest value of a label, in characters.
const LABEL_VALUE_CHARS_MAX: usize = 256;
/// The longest description, in bytes.
const DESCRIPTION_BYTES_MAX: usize = 8 << 10;
/// The most failures that a breaker may wait for.
const FAILURES_MAX: u32 = 1_000;
/// The longest that a circuit may be open.
const OPEN_TIMEOUT_MAX: Duration = Duration::from_secs(86_400);
/// The most agents one worker may serve.
const AGENTS_MAX: usize = 1_000;

/// Every bad field of an agent, by its path within the message, and what is wrong with it;
/// empty for a good one. Output-only fields are not looked at.
pub fn validate_agent(agent: &Agent) -> Vec<(String, String)> {
    let mut bad = Vec::new();
    check(&mut bad, "id", agent_id(&agent.id));
    check(&mut bad, "description", description(&agent.description));
    skills(&mut bad, &agent.skills);
    labels(&mut bad, agent);
    check(
        &mut bad,
        "input_schema",
        schema(agent.input_schema.as_ref()),
    );
    check(
        &mut bad,
        "output_schema",
        schema(agent.output_schema.as_ref()),
    );
    check(&mut bad, "state", state(agent.state));
    if let Some(breaker) = &agent.breaker {
        check(&mut bad, "breaker.failures", failures(breaker.failures));
        let open = breaker.open_timeout.as_ref();
        check(
            &mut bad,
            "breaker.open_timeout",
            open.and_then(open_timeout),
        );
    }
    bad
}

/// Every bad field of a Hello, those of its agents among them; empty for a good one. Held
/// tokens are not looked at: those that do not hold are answered as lost.
pub fn validate_hello(hello: &Hello) -> Vec<(String, String)> {
    let mut bad = Vec::new();
    check(&mut bad, "worker_id", name(&hello.worker_id));
    check(&mut bad, "agents", agent_count(hello.agents.len()));
    let mut ids = HashSet::new();
    for (i, agent) in hello.agents.iter().enumerate() {
        let at = |field: String| format!("agents[{i}].{field}");
        bad.extend(validate_agent(agent).into_iter().map(|(f, m)| (at(f), m)));
        if !ids.insert(agent.id.as_str()) {
            bad.push((at("id".into()), "is given twice".into()));
        }
    }
    bad
}

/// What is wrong with the id of a worker, a skill or the name of a label.
pub(super) fn name(name: &str) -> Option<String> {
    if name.chars().any(char::is_control) {
        return Some("must not hold control characters".into());
    }
    length(name)
}

/// What is wrong with how many failures open a circuit.
fn failures(count: u32) -> Option<String> {
    (count > FAILURES_MAX).then(|| format!("is {count}, at most {FAILURES_MAX}"))
}

/// What is wrong with how long a circuit is open.
fn open_timeout(given: &prost_types::Duration) -> Option<String> {
    let fits = |span: &Duration| !span.is_zero() && *span <= OPEN_TIMEOUT_MAX;
    let fitting = time::span(given).filter(fits);
    fitting
        .is_none()
        .then(|| "must be above 0 and at most a day".into())
}

/// What is wrong with how many agents a worker serves.
pub(super) fn agent_count(count: usize) -> Option<String> {
    match count {
        0 => Some("at least one is required".into()),
        n if n > AGENTS_MAX => Some(format!("has {n}, at most {AGENTS_MAX}")),
        _ => None,
    }
}

/// What is wrong with the id of an agent.
pub(super) fn agent_id(id: &str) -> Option<String> {
    let fits = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
    if !id.chars().all(fits) {
        return Some("may hold a-z A-Z 0-9 - _ . only".into());
    }
    length(id)
}

fn check(bad: &mut Vec<(String, String)>, field: &str, wrong: Option<String>) {
    bad.extend(wrong.map(|message| (field.to_owned(), message)));
}

fn length(name: &str) -> Option<String> {
    match name.chars().count() {
        0 => Some("is required".into()),
        n if n > NAME_CHARS_MAX => Some(format!("has {n} characters, at most {NAME_CHARS_MAX}")),
        _ => None,
    }
}

fn description(text: &str) -> Option<String> {
    let bytes = text.len();
    (bytes > DESCRIPTION_BYTES_MAX)
        .then(|| format!("has {bytes} bytes, at most {DESCRIPTION_BYTES_MAX}"))
}

fn skills(bad: &mut Vec<(String, String)>, skills: &[String]) {
    if skills.len() > SKILLS_MAX {
        let message = format!("has {}, at most {SKILLS_MAX}", skills.len());
        bad.push(("skills".into(), message));
    }
    let mut seen = HashSet::new();
    for (i, skill) in skills.iter().enumerate() {
        let twice = || (!seen.insert(skill)).then(|| "is given twice".to_owned());
        let wrong = name(skill).or_else(twice);
        check(bad, &format!("skills[{i}]"), wrong);
    }
}

fn labels(bad: &mut Vec<(String, String)>, agent: &Agent) {
    if agent.labels.len() > LABELS_MAX {
        let message = format!("has {}, at most {LABELS_MAX}", agent.labels.len());
        bad.push(("labels".into(), message));
    }
    let mut labels: Vec<_> = agent.labels.iter().collect();
    labels.sort();
    for (name, value) in labels {
        let chars = value.chars().count();
        let long = || {
            (chars > LABEL_VALUE_CHARS_MAX).then(|| {
                format!("its value has {chars} characters, at most {LABEL_VALUE_CHARS_MAX}")
            })
        };
        check(
            bad,
            &format!("labels[{name:?}]"),
            self::name(name).or_else(long),
        );
    }
}

fn schema(schema: Option<&Value>) -> Option<String> {
    let schema = schema.filter(|s| !value::is_null(s))?;
    Schema::compile(schema)
        .err()
        .map(|e| format!("is no JSON Schema: {e}"))
}

fn state(state: i32) -> Option<String> {
    State::try_from(state)
        .is_err()
        .then(|| format!("{state} is not a state"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn agent(id: &str) -> Agent {
        Agent {
            id: id.into(),
            ..Agent::default()
        }
    }

    fn fields(bad: &[(String, String)]) -> Vec<&str> {
        bad.iter().map(|(field, _)| field.as_str()).collect()
    }

    #[test]
    fn a_good_agent_has_no_bad_field() {
        let mut good = agent("Summarizer-2.b_c");
        good.skills = vec!["text/summary".into()];
        good.labels.insert("gpu".into(), String::new());
        good.input_schema = Some(value::object([("type", value::string("object"))]));
        assert_eq!(validate_agent(&good), []);
    }

    #[test]
    fn every_bad_field_of_an_agent_is_found_at_once() {
        let mut bad = agent("no spaces");
        bad.description = "x".repeat(DESCRIPTION_BYTES_MAX + 1);
        bad.skills = vec!["a".into(), String::new(), "a".into()];
        bad.labels.insert("k".into(), "v".repeat(257));
        bad.input_schema = Some(value::object([("type", value::number(1.0))]));
        bad.output_schema = Some(value::string("no schema"));
        bad.state = 99;
        assert_eq!(
            fields(&validate_agent(&bad)),
            [
                "id",
                "description",
                "skills[1]",
                "skills[2]",
                "labels[\"k\"]",
                "input_schema",
                "output_schema",
                "state"
            ]
        );
    }

    #[test]
    fn an_id_has_one_to_128_characters() {
        assert_eq!(fields(&validate_agent(&agent(""))), ["id"]);
        assert_eq!(validate_agent(&agent(&"a".repeat(128))), []);
        assert_eq!(fields(&validate_agent(&agent(&"a".repeat(129)))), ["id"]);
    }

    #[test]
    fn every_bad_field_of_a_hello_is_found_at_once() {
        assert_eq!(
            fields(&validate_hello(&Hello::default())),
            ["worker_id", "agents"]
        );
        let hello = Hello {
            worker_id: "w\n".into(),
            agents: vec![agent("a"), agent("a"), agent("")],
            ..Hello::default()
        };
        assert_eq!(
            fields(&validate_hello(&hello)),
            ["worker_id", "agents[1].id", "agents[2].id"]
        );
    }
}
